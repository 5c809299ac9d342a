//! From an event to a mail, with the real store and a plugin that is played.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::config::HostConfig;
use crate::config::calendar::Calendar;
use crate::decide::Decider;
use crate::decide::stages::Caller;
use crate::domain::{
    CatalogEntry, Clock, Consent, Coupon, CouponValue, CustomerInput, Effect, Event, Hook, Message,
    OrderPlaced, Recommendation, Shop, Value,
};
use crate::lifecycle::{Identity, Lifecycle, Plugins};
use crate::messages::channels::memory::Memory;
use crate::messages::channels::{Channel, Receipt};
use crate::messages::{Live, sample};
use crate::plugins::call::{Input, Invocation, Outcome};
use crate::plugins::code::Code;
use crate::plugins::manifest::Manifest;
use crate::plugins::registry::{LivePlugin, Plugin};
use crate::store::{MessageView, Store};
use crate::wording::{Assets, Wording};

/// Saturday 28 November 2026, 10:00 in Warsaw.
const NOW: i64 = 1_795_856_400_000;

const SHOP: &str = "name = \"Linen & Co\"\nurl = \"https://linen.example\"\ncountry = \"PL\"\ncurrency = \"EUR\"\n\
     locales = [\"en\", \"pl\"]\nzone = \"Europe/Warsaw\"\n[contact]\nemail = \"hello@linen.example\"\n";

const TEMPLATE: &str = "{% extends \"base.html\" %}{% block subject %}{{ t(\"subject\", number=order.number) }}{% endblock %}\
     {% block body %}<p>{{ data.note }}</p>{{ blocks.order() }}{{ blocks.coupon(data.coupon) }}{% endblock %}";

/// Says what it is told to say.
struct Played {
    snapshot: Mutex<Arc<Snapshot>>,
    effects: Mutex<Vec<Effect>>,
}

impl Played {
    fn answer(&self, invocation: &Invocation) -> Outcome {
        let effects = match invocation.input {
            Input::Content { .. } => vec![Effect::Recommend {
                recommendation: Recommendation {
                    product: "belt".to_owned(),
                    reason: None,
                    placement: "footer".to_owned(),
                },
            }],
            _ => self.effects.lock().unwrap().clone(),
        };
        Outcome { result: Ok(effects), reads: Vec::new(), elapsed: Duration::ZERO }
    }
}

#[async_trait]
impl Plugins for Played {
    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap())
    }

    async fn call(&self, invocation: Invocation) -> Outcome {
        self.answer(&invocation)
    }
}

#[async_trait]
impl Caller for Played {
    async fn call(&self, invocation: Invocation) -> Outcome {
        self.answer(&invocation)
    }
}

impl Live for Played {
    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap())
    }
}

struct House {
    _folder: tempfile::TempDir,
    clock: Clock,
    store: Store,
    played: Arc<Played>,
    lifecycle: Lifecycle,
    courier: Courier,
    mails: Memory,
}

impl House {
    async fn new(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::testing::open(folder.path()).await.unwrap();
        let clock = Clock::still_at(NOW);
        let played =
            Arc::new(Played { snapshot: Mutex::new(snapshot(mode, TEMPLATE)), effects: Mutex::default() });
        let key = Arc::new([7; 32]);
        let mails = Memory::default();
        let products: Vec<CatalogEntry> = sample::products("https://linen.example", "EUR", 2)
            .into_values()
            .map(|product| CatalogEntry { product, related: Vec::new(), fields: BTreeMap::new() })
            .collect();
        store.put_products("linen", &products, NOW).await.unwrap();
        Self {
            lifecycle: Lifecycle::new(
                Arc::clone(&played) as _,
                store.clone(),
                clock.clone(),
                Arc::clone(&key),
            ),
            courier: Courier {
                live: Arc::clone(&played) as _,
                store: store.clone(),
                clock: clock.clone(),
                decider: Decider::new(Arc::clone(&played) as _, store.clone(), clock.clone(), key),
                channels: vec![Arc::new(mails.clone())],
                concurrent: 4,
                handing: Duration::from_secs(300),
                unsubscribe_key: Arc::new([7; 32]),
            },
            _folder: folder,
            clock,
            store,
            played,
            mails,
        }
    }

    /// An order of Ola's, for which the plugin does `effects`.
    async fn order(&self, id: &str, effects: Vec<Effect>, consents: Vec<Consent>) {
        *self.played.effects.lock().unwrap() = effects;
        let mut record = sample::order("https://linen.example", "PL", "EUR", 2, NOW);
        id.clone_into(&mut record.order.id);
        let customer = CustomerInput {
            id: Some("c-1".to_owned()),
            first_name: Some("Ola".to_owned()),
            last_name: Some("Nowak".to_owned()),
            email: Some("ola@example.com".to_owned()),
            consents: Some(consents),
            ..CustomerInput::default()
        };
        let event = Event::OrderPlaced(OrderPlaced {
            order: record.order,
            customer: Some(customer),
            locale: Some("pl".to_owned()),
        });
        let snapshot = Live::current(&*self.played);
        let identity = Identity { source: "api".to_owned(), id: id.to_owned(), fingerprint: [0; 32] };
        self.lifecycle.accept(&snapshot.shops["linen"], identity, event).await.unwrap();
        self.lifecycle.step().await.unwrap();
    }

    async fn last(&self) -> MessageView {
        self.store.messages("linen", None, 1).await.unwrap().remove(0)
    }
}

fn snapshot(mode: &str, template: &str) -> Arc<Snapshot> {
    let text = format!("mode = \"{mode}\"\ntest_recipients = [\"tester@example.com\"]\n{SHOP}");
    let mut config: crate::config::ShopConfig = toml::from_str(&text).unwrap();
    config.id = "linen".to_owned();
    let assets = Assets::from([
        ("locales/en.ftl".to_owned(), "subject = Your order { $number }\n".to_owned()),
        ("locales/pl.ftl".to_owned(), "subject = Twoje zamówienie { $number }\n".to_owned()),
        ("templates/thanks.html".to_owned(), template.to_owned()),
    ]);
    let plugins = BTreeMap::from([("mailer".to_owned(), Arc::new(assets))]);
    let wording = Wording::build(&config.locales, &plugins, &BTreeMap::new()).unwrap();
    let public = Shop {
        id: config.id.clone(),
        name: config.name.clone(),
        url: config.url.clone(),
        currency: config.currency.clone(),
        exponent: 2,
        locales: config.locales.clone(),
        zone: config.zone.clone(),
        country: config.country.clone(),
        contact: config.contact.clone(),
    };
    let entry =
        toml::from_str("name = \"mailer\"\nsource = \"mailer.wasm\"\ngrants = [\"messages\", \"coupons\"]\n")
            .unwrap();
    let plugin = Plugin {
        manifest: Manifest::default(),
        sha256: String::new(),
        bytes: 0,
        hooks: BTreeSet::from([Hook::OrderPlaced, Hook::Content]),
        permissions: BTreeSet::new(),
        optional: BTreeSet::new(),
        code: Code::default(),
    };
    let live = LivePlugin::new(&config.id, entry, Arc::new(plugin), "{}", &crate::config::Limits::default());
    let zone = jiff::tz::TimeZone::get(&config.zone).unwrap();
    let shop = LiveShop {
        public: Arc::new(public),
        calendar: Arc::new(Calendar::new(zone, Vec::new(), Vec::new())),
        wording: Arc::new(wording),
        plugins: vec![Arc::new(live)],
        config,
    };
    Arc::new(Snapshot {
        generation: 1,
        host: Arc::new(HostConfig::default()),
        shops: BTreeMap::from([("linen".to_owned(), Arc::new(shop))]),
        problems: Vec::new(),
        waiting: Vec::new(),
    })
}

fn message(category: &str) -> Message {
    Message {
        template: "thanks".to_owned(),
        data: vec![("note".to_owned(), Value::String("{{ 7*7 }}".to_owned()))],
        category: category.to_owned(),
        channels: Vec::new(),
        when: None,
        not_after: None,
        dedupe_key: None,
        cancel_on: Vec::new(),
    }
}

fn send(message: Message) -> Vec<Effect> {
    vec![Effect::SendMessage { message }]
}

#[tokio::test]
async fn a_message_goes_from_the_event_to_the_channel_once() {
    let house = House::new("live").await;
    house.order("1001", send(message("transactional")), Vec::new()).await;
    assert_eq!(house.courier.step().await.unwrap(), None);
    house.courier.step().await.unwrap();

    let mails = house.mails.parcels();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.subject, "Twoje zamówienie #1001");
    assert_eq!((mail.from_name.as_str(), mail.from_address.as_str()), ("Linen & Co", "hello@linen.example"));
    assert_eq!((mail.to_name.as_deref(), mail.to_address.as_str()), (Some("Ola Nowak"), "ola@example.com"));
    assert_eq!(mail.locale, "pl");
    assert_eq!(mail.slug, "mailer-thanks");
    assert!(mail.text.contains("Cześć Ola,"), "{}", mail.text);
    assert!(mail.text.contains("{{ 7*7 }}"));
    assert!(mail.text.contains("Linen shirt, white"));
    assert!(mail.text.contains("Leather belt"), "the content stage fills the footer: {}", mail.text);
    assert!(!mail.html.contains("Nowak"), "a template sees the first name only");
    assert_eq!(mail.unsubscribe, Unsubscribe::default());
    let view = house.last().await;
    assert_eq!((view.state.as_str(), view.channel.as_deref()), ("sent", Some("email")));
}

#[tokio::test]
async fn coupons_of_the_same_call_are_shown_with_their_terms() {
    let house = House::new("live").await;
    let coupon = Coupon {
        value: CouponValue::Percent(1_500),
        prefix: "THANKS".to_owned(),
        expires_at: Some(NOW + 3_600_000),
        max_uses: 1,
        min_subtotal: Some(5_000),
        personal: true,
        purpose: "thanks".to_owned(),
    };
    let mut mail = message("transactional");
    mail.data.push(("coupon".to_owned(), Value::Coupon(0)));
    house
        .order(
            "1001",
            vec![Effect::IssueCoupon { coupon }, Effect::SendMessage { message: mail }],
            Vec::new(),
        )
        .await;
    house.courier.step().await.unwrap();
    let text = house.mails.parcels()[0].text.replace('\u{a0}', " ");
    assert!(text.contains("THANKS"), "{text}");
    assert!(text.contains("15% rabatu"), "{text}");
    assert!(text.contains("Przy zamówieniu od 50,00 €"), "{text}");
    assert!(text.contains("Ważny do: dziś, 11:00"), "{text}");
}

#[tokio::test]
async fn what_may_not_be_sent_is_dropped_with_a_reason() {
    let test = House::new("test").await;
    test.order("1001", send(message("transactional")), Vec::new()).await;
    test.courier.step().await.unwrap();
    let view = test.last().await;
    assert_eq!(view.state, "dropped");
    assert!(view.reason.unwrap().starts_with("test mode"));

    let live = House::new("live").await;
    live.order("1001", send(message("marketing")), Vec::new()).await;
    live.courier.step().await.unwrap();
    assert!(live.last().await.reason.unwrap().starts_with("no consent"));
    let yes = Consent { channel: "email".to_owned(), category: "marketing".to_owned(), granted: true };
    live.order("1002", send(message("marketing")), vec![yes]).await;
    live.courier.step().await.unwrap();
    let mails = live.mails.parcels();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].unsubscribe.link(), Some("mailto:hello@linen.example?subject=unsubscribe"));

    let mut unknown = message("transactional");
    unknown.template = "nothing".to_owned();
    live.order("1003", send(unknown), Vec::new()).await;
    live.courier.step().await.unwrap();
    assert_eq!(
        live.last().await.reason.unwrap(),
        "cannot be rendered: `mailer` has no template `nothing`; it has thanks"
    );
}

#[tokio::test]
async fn a_message_waits_for_its_time_and_not_longer_than_it_may() {
    let house = House::new("live").await;
    let mut later = message("transactional");
    later.when = Some(NOW + 3_600_000);
    house.order("1001", send(later.clone()), Vec::new()).await;
    assert_eq!(house.courier.step().await.unwrap(), Some(NOW + 3_600_000));
    assert!(house.mails.parcels().is_empty());
    house.clock.advance(3_600_000);
    assert_eq!(house.courier.step().await.unwrap(), None);
    assert_eq!(house.mails.parcels().len(), 1);

    later.when = Some(NOW + 2 * 3_600_000);
    later.not_after = Some(NOW + 3 * 3_600_000);
    house.order("1002", send(later), Vec::new()).await;
    house.clock.advance(10 * 3_600_000);
    house.courier.step().await.unwrap();
    assert!(house.last().await.reason.unwrap().starts_with("too late"));
}

#[tokio::test]
async fn a_channel_that_fails_is_tried_again_later_and_later() {
    let house = House::new("live").await;
    house.mails.fail_with(Some(ChannelError::Later("the disk is full".to_owned())));
    house.order("1001", send(message("transactional")), Vec::new()).await;
    let next = house.courier.step().await.unwrap().unwrap();
    assert!((NOW + 22_500..=NOW + 37_500).contains(&next), "{next}");
    let view = house.last().await;
    assert_eq!((view.state.as_str(), view.reason.as_deref()), ("waiting", Some("the disk is full")));
    house.clock.advance(next - NOW);
    let after = house.courier.step().await.unwrap().unwrap();
    assert!((next + 45_000..=next + 75_000).contains(&after), "{after}");
    house.mails.fail_with(None);
    house.clock.advance(after - next);
    house.courier.step().await.unwrap();
    assert_eq!(house.mails.parcels().len(), 1);
    assert_eq!(house.last().await.state, "sent");

    house.mails.fail_with(Some(ChannelError::Never("no such mailbox".to_owned())));
    house.order("1002", send(message("transactional")), Vec::new()).await;
    house.courier.step().await.unwrap();
    let view = house.last().await;
    assert_eq!((view.state.as_str(), view.reason.as_deref()), ("dropped", Some("no such mailbox")));
}

#[tokio::test]
async fn messages_wait_while_their_shop_is_not_live() {
    let house = House::new("live").await;
    house.order("1001", send(message("transactional")), Vec::new()).await;
    let live = Live::current(&*house.played);
    *house.played.snapshot.lock().unwrap() = Arc::new(Snapshot {
        generation: 2,
        host: Arc::clone(&live.host),
        shops: BTreeMap::new(),
        problems: Vec::new(),
        waiting: Vec::new(),
    });
    let next = house.courier.step().await.unwrap().unwrap();
    assert_eq!(house.last().await.reason.unwrap(), "the shop `linen` is not live: see its file");
    *house.played.snapshot.lock().unwrap() = live;
    house.clock.advance(next - NOW);
    house.courier.step().await.unwrap();
    assert_eq!(house.mails.parcels().len(), 1);
}

/// Of two parcels, one holds all readers until a while after the other has been sent.
struct Greedy {
    store: Store,
    both: tokio::sync::Barrier,
    held: tokio::sync::Notify,
    first: AtomicBool,
}

#[async_trait]
impl Channel for Greedy {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        let first = self.first.swap(false, Ordering::SeqCst);
        self.both.wait().await;
        if first {
            let mut readers = crate::store::testing::readers(&self.store).await;
            self.held.notify_one();
            while crate::store::testing::sent(&mut readers[0]).await == 0 {}
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        } else {
            self.held.notified().await;
        }
        Ok(Receipt { message_id: parcel.id.clone() })
    }
}

#[tokio::test]
async fn a_message_under_way_goes_on_while_more_are_looked_for_on_sqlite() {
    let mut house = House::new("live").await;
    house.order("1001", send(message("transactional")), Vec::new()).await;
    house.order("1002", send(message("transactional")), Vec::new()).await;
    house.courier.channels = vec![Arc::new(Greedy {
        store: house.store.clone(),
        both: tokio::sync::Barrier::new(2),
        held: tokio::sync::Notify::new(),
        first: AtomicBool::new(true),
    })];
    assert_eq!(house.courier.step().await.unwrap(), None);
}

#[tokio::test]
async fn the_loop_is_woken_by_the_store_and_stops_when_told() {
    let house = House::new("live").await;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (courier, stop) = (house.courier.clone(), stop.clone());
        async move { courier.run(stop).await }
    });
    house.order("1001", send(message("transactional")), Vec::new()).await;
    tokio::time::timeout(Duration::from_secs(20), async {
        while house.mails.parcels().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    stop.cancel();
    running.await.unwrap();
}
