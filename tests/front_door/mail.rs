//! Mails through a real mail server: taken, put off, refused, hung up on, waited for; each goes out once, or again
//! under the same Message-ID.

use cartwright::config::SmtpConfig;
use cartwright::messages::channels::smtp::Smtp;
use cartwright::store::MessageView;
use harness::mail_server::{Behaviour, MailServer, Security, USERNAME};
use harness::{DAY_MS, Setup, World, at};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::goods::{line, order_placed, shipped, update};

const UPDATES: &[&str] = &["customers", "messages", "orders", "state", "state-write", "timers"];
const NOW: &str = "2026-11-30T09:00:00Z";
/// Longer than the first rest of a message, with its jitter.
const A_REST: i64 = 40_000;

fn setup(server: &MailServer) -> Setup {
    Setup::new().mail_server(server).plugin("order-updates", UPDATES, "{}")
}

/// An order of somebody's own.
pub fn order_of(id: &str, email: &str) -> Value {
    let mut event = order_placed(id, NOW, &[line("1", "mug", 2, 4_900)]);
    event["customer"]["id"] = json!(format!("c-{id}"));
    event["customer"]["email"] = json!(email);
    event
}

async fn order(world: &World, id: &str, email: &str) {
    world.event("order-placed", id, &order_of(id, email)).await.json(202);
}

pub async fn message_of(world: &World, order: &str) -> MessageView {
    world.host().store().messages("demo", Some(order), 1).await.unwrap().remove(0)
}

async fn reason(world: &World, order: &str) -> String {
    message_of(world, order).await.reason.expect("a reason")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_out_encrypted_and_signed_in_once() {
    for security in [Security::StartTls, Security::Wrapper] {
        let server = MailServer::start(security).await;
        let world = setup(&server).start().await;
        order(&world, "1001", "anna@mail.example").await;
        world.settle().await;
        let taken = server.taken();
        assert_eq!(taken.len(), 1, "{:?}", message_of(&world, "1001").await);
        let mail = &taken[0];
        assert!(mail.encrypted);
        assert_eq!(mail.user.as_deref(), Some(USERNAME));
        assert_eq!((mail.from.as_str(), mail.to.as_str()), ("help@grove.example", "anna@mail.example"));
        assert!(mail.header("List-Unsubscribe").is_none(), "a confirmation is no list");
        let view = message_of(&world, "1001").await;
        assert_eq!(view.state, "sent");
        assert_eq!(view.message_id, Some(mail.message_id()));
        assert!(world.mails().is_empty(), "there are no files beside");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_put_off_goes_out_later_also_after_a_restart() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    server.behave(Behaviour::AtRecipient(451, "4.7.1 Greylisted, try again"));
    order(&world, "1001", "anna@mail.example").await;
    world.settle().await;
    let view = message_of(&world, "1001").await;
    assert_eq!((view.state.as_str(), view.attempts), ("waiting", 1));
    assert!(view.reason.unwrap().contains("451 4.7.1 Greylisted"));
    let world = world.restart().await;
    server.behave(Behaviour::Accept);
    world.settle().await;
    assert_eq!(server.taken().len(), 0, "not before its time");
    world.later(A_REST).await;
    assert_eq!(server.taken().len(), 1);
    assert_eq!(message_of(&world, "1001").await.state, "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_nobody_has_gets_nothing_more_until_it_is_lifted() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    server.behave(Behaviour::AtRecipient(550, "5.1.1 <anna@mail.example>: no such user anna"));
    order(&world, "1001", "Anna@mail.example").await;
    world.settle().await;
    let why = reason(&world, "1001").await;
    assert!(why.contains("refused it at the recipient's address: 550 5.1.1"), "{why}");
    assert!(!why.to_lowercase().contains("anna"), "{why}");
    server.behave(Behaviour::Accept);

    let listed = world.get("/v1/suppressions/anna%40mail.example").await.json(200);
    assert_eq!(listed["suppressions"][0]["cause"], "bounce");
    order(&world, "1002", "anna@MAIL.example").await;
    world.settle().await;
    assert!(reason(&world, "1002").await.starts_with("suppressed: an earlier message came back"));
    assert_eq!(server.taken().len(), 0);

    let delete = |address: &str| {
        let url = world.url(&format!("/v1/suppressions/{address}"));
        world.send(world.client.delete(url).bearer_auth(&world.secret_key))
    };
    assert_eq!(delete("anna%40mail.example").await.status, 204);
    assert_eq!(delete("anna%40mail.example").await.status, 404);
    order(&world, "1003", "anna@mail.example").await;
    world.settle().await;
    assert_eq!(server.taken().len(), 1);

    // The merchant's own word.
    let put =
        world.client.put(world.url("/v1/suppressions/anna%40mail.example")).bearer_auth(&world.secret_key);
    let put = put.json(&json!({ "detail": "asked us, call +48 601 234 567" }));
    let listed = world.send(put).await.json(200);
    assert_eq!(listed["suppressions"][0]["cause"], "merchant");
    assert_eq!(listed["suppressions"][0]["detail"], "asked us, call [phone]");
    order(&world, "1004", "anna@mail.example").await;
    world.settle().await;
    assert!(reason(&world, "1004").await.contains("suppression list"));
    assert_eq!(world.get("/v1/suppressions/nobody").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_refused_says_nothing_of_its_address() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    for (id, behaviour) in [
        ("1001", Behaviour::AfterMail(554, "5.7.1 looks like spam")),
        ("1002", Behaviour::AtRecipient(552, "5.2.2 mailbox full")),
    ] {
        server.behave(behaviour);
        order(&world, id, "anna@mail.example").await;
        world.settle().await;
        let view = message_of(&world, id).await;
        assert_eq!(view.state, "dropped", "{view:?}");
        assert_eq!(world.get("/v1/suppressions/anna%40mail.example").await.status, 404);
    }
    server.behave(Behaviour::Accept);
    order(&world, "1003", "anna@mail.example").await;
    world.settle().await;
    assert_eq!(server.taken().len(), 1, "the connection was reset and is used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_is_tried_again_under_the_same_message_id() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    server.behave(Behaviour::HangUpBefore);
    order(&world, "1001", "anna@mail.example").await;
    world.settle().await;
    assert!(reason(&world, "1001").await.contains("broke off at the recipient's address"));
    assert_eq!(server.taken().len(), 0);

    server.behave(Behaviour::HangUpAfter);
    world.later(A_REST).await;
    assert!(reason(&world, "1001").await.contains("broke off after the mail"));
    assert_eq!(server.taken().len(), 1, "the server has it, and nobody knows");
    server.behave(Behaviour::Accept);
    world.later(2 * A_REST).await;
    assert_eq!(message_of(&world, "1001").await.state, "sent");
    let counts = server.counts();
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [2], "one mail, twice: {counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_wait_for_a_server_that_is_away() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    let address = server.stop().await;
    order(&world, "1001", "anna@mail.example").await;
    world.settle().await;
    assert_eq!(message_of(&world, "1001").await.state, "waiting");
    assert!(reason(&world, "1001").await.contains("when connecting"));
    let server = MailServer::start_again(address, Security::Plain).await;
    world.later(A_REST).await;
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_slow_is_given_up_and_its_answer_counts_for_no_other_mail() {
    let server = MailServer::start(Security::Plain).await;
    let toml = format!("{}timeout_seconds = 1\n[limits]\nconcurrent_messages = 1\n", server.toml());
    let world = Setup::new().host(&toml).plugin("order-updates", UPDATES, "{}").start().await;
    server.behave_to("slow@mail.example", Behaviour::Silent);
    server.behave_to("gone@mail.example", Behaviour::AtRecipient(550, "5.7.1 not here"));
    order(&world, "1001", "slow@mail.example").await;
    world.settle().await;
    assert!(reason(&world, "1001").await.contains("took longer than 1 s"));
    server.release();
    order(&world, "1002", "gone@mail.example").await;
    order(&world, "1003", "anna@mail.example").await;
    world.settle().await;
    assert_eq!(message_of(&world, "1002").await.state, "dropped");
    assert_eq!(message_of(&world, "1003").await.state, "sent");
    server.behave_to("slow@mail.example", Behaviour::Accept);
    world.later(A_REST).await;
    assert_eq!(message_of(&world, "1001").await.state, "sent");
    let counts = server.counts();
    assert_eq!(counts.values().copied().max(), Some(2), "the slow one, twice under one name: {counts:?}");
    assert_eq!(counts.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_slow_mail_does_not_hold_up_the_others() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    server.behave_to("slow@mail.example", Behaviour::Silent);
    order(&world, "1001", "slow@mail.example").await;
    for id in ["1002", "1003", "1004"] {
        order(&world, id, &format!("{id}@mail.example")).await;
    }
    let others = async {
        server.arrived(4).await;
        assert_eq!(message_of(&world, "1001").await.state, "handing");
        server.release();
    };
    tokio::join!(world.settle(), others);
    for id in ["1001", "1002", "1003", "1004"] {
        assert_eq!(message_of(&world, id).await.state, "sent", "{id}");
    }
    assert!(server.counts().values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_whose_mails_are_slow_holds_up_no_other() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    let key = world.secret_key.replace("_demo_", "_two_");
    let hash = |key: &str| Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let file = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    let publishable = world.publishable_key.replace("_demo_", "_two_");
    let file = file
        .replace(&hash(&world.secret_key), &hash(&key))
        .replace(&hash(&world.publishable_key), &hash(&publishable));
    world.write("shops/two.toml", file);
    assert_eq!(world.reload().await, Vec::<String>::new());
    // More than a shop's share of the messages at once.
    for number in 0..6 {
        let email = format!("slow-{number}@mail.example");
        server.behave_to(&email, Behaviour::Silent);
        order(&world, &format!("slow-{number}"), &email).await;
    }
    let request = world.client.post(world.url("/v1/hooks/order-placed")).bearer_auth(&key);
    world.send(request.json(&order_of("1001", "anna@mail.example"))).await.json(202);
    let other = async {
        // Four of the slow shop are all that it may have at once: the fifth is the other's.
        server.arrived(5).await;
        for number in 0..6 {
            server.behave_to(&format!("slow-{number}@mail.example"), Behaviour::Accept);
        }
        server.release();
    };
    tokio::join!(world.settle(), other);
    let taken = server.taken();
    assert_eq!(taken.iter().filter(|mail| mail.to == "anna@mail.example").count(), 1, "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_mails_go_out_but_the_one_that_is_refused() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    server.behave_to("buyer-42@mail.example", Behaviour::AtRecipient(550, "5.1.1 unknown"));
    for number in 0..100 {
        order(&world, &format!("o-{number}"), &format!("buyer-{number}@mail.example")).await;
    }
    world.settle().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 99);
    assert!(server.counts().values().all(|count| *count == 1));
    assert_eq!(message_of(&world, "o-42").await.state, "dropped");
    assert!(server.connections() <= 20, "connections are used again: {}", server.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_every_script_arrive_and_begin_no_header() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    let mut event = order_of("1001", "zoe@mail.example");
    event["customer"]["first_name"] = json!("Zoë „Żółć” 李");
    event["customer"]["last_name"] = json!("O'Brien, <b>\"Jr.\"</b>; Bcc: thief@evil.example");
    world.event("order-placed", "1001", &event).await.json(202);
    event["order"]["id"] = json!("1002");
    event["customer"]["first_name"] = json!("Zoë\r\nBcc: thief@evil.example");
    let refused = world.event("order-placed", "1002", &event).await;
    world.settle().await;
    let taken = server.taken();
    assert!(refused.status == 422 || taken.iter().all(|mail| mail.header("Bcc").is_none()));
    let mail = &taken[0];
    assert!(mail.raw.is_ascii(), "headers and bodies are encoded");
    assert!(mail.header("Bcc").is_none());
    let parsed = mail_parser::MessageParser::default().parse(&mail.raw).unwrap();
    let to = parsed.to().unwrap();
    assert_eq!(to.iter().count(), 1, "{to:?}");
    let to = to.first().unwrap();
    assert_eq!(to.address(), Some("zoe@mail.example"));
    assert_eq!(to.name(), Some("Zoë „Żółć” 李 O'Brien, <b>\"Jr.\"</b>; Bcc: thief@evil.example"));
    assert!(parsed.body_text(0).unwrap().contains("Zoë „Żółć” 李"));
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_in_every_script_are_reached_and_other_addresses_are_refused_with_a_reason() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    order(&world, "1001", "ola@żółw.example").await;
    order(&world, "1002", "żółw@mail.example").await;
    world.settle().await;
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].to.starts_with("ola@xn--") && taken[0].to.ends_with(".example"), "{}", taken[0].to);
    let why = reason(&world, "1002").await;
    assert!(why.contains("SMTPUTF8") && !why.contains("żółw"), "{why}");
    for wrong in ["not an address", "a@b", "anna@mail.example\r\nBcc: x@evil.example", "a b@mail.example"] {
        let answer = world.event("order-placed", "1003", &order_of("1003", wrong)).await;
        assert_eq!(answer.status, 422, "{wrong:?}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_test_mode_only_listed_addresses_are_written_to() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).start().await;
    let file = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
    let file =
        file.replace("mode = \"live\"", "mode = \"test\"\ntest_recipients = [\"Tester@grove.example\"]");
    world.write("shops/demo.toml", file);
    assert_eq!(world.reload().await, Vec::<String>::new());
    order(&world, "1001", "anna@mail.example").await;
    order(&world, "1002", "tester@GROVE.example").await;
    world.settle().await;
    assert_eq!(
        server.taken().iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(),
        ["tester@GROVE.example"]
    );
    assert!(reason(&world, "1001").await.starts_with("test mode"));
    assert_eq!(world.get("/v1/mail").await.json(200)["mode"], "test");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_so_many_messages_and_the_rest_goes_out_tomorrow() {
    let server = MailServer::start(Security::Plain).await;
    let world = setup(&server).shop("daily_messages = 2").start().await;
    for id in ["1001", "1002", "1003"] {
        order(&world, id, &format!("{id}@mail.example")).await;
    }
    world.settle().await;
    assert_eq!(server.taken().len(), 2);
    let all = world.host().store().messages("demo", None, 10).await.unwrap();
    let waiting: Vec<_> = all.iter().filter(|message| message.state == "waiting").collect();
    assert_eq!(waiting.len(), 1, "{all:?}");
    let view = waiting[0];
    assert_eq!(view.attempts, 0, "it was not tried: {view:?}");
    assert_eq!(view.due_at, at("2026-11-30T23:00:00Z"), "midnight in Warsaw");
    let today = world.get("/v1/mail").await.json(200);
    assert_eq!(today["handed_today"], 2);
    assert_eq!(
        (&today["capped"], &today["daily_messages"], &today["carrier"]),
        (&json!(true), &json!(2), &json!("smtp"))
    );
    let metrics = world.get("/metrics").await.text;
    assert!(metrics.contains("cartwright_messages_today{shop=\"demo\"} 2"), "{metrics}");
    world.later(DAY_MS).await;
    assert_eq!(server.taken().len(), 3);
    assert_eq!(world.get("/v1/mail").await.json(200)["handed_today"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_drops_no_mail_and_is_found_when_asked() {
    let server = MailServer::start(Security::StartTls).await;
    let world = setup(&server).file("smtp.secret", "wrong").start().await;
    order(&world, "1001", "anna@mail.example").await;
    world.settle().await;
    let view = message_of(&world, "1001").await;
    assert_eq!(view.state, "waiting");
    let why = view.reason.unwrap();
    assert!(why.contains("refuses this host when signing in: 535 5.7.8"), "{why}");

    let toml = |lines: &str| -> SmtpConfig {
        let port = server.address.port();
        toml::from_str(&format!("host = \"localhost\"\nport = {port}\n{lines}")).unwrap()
    };
    let signed_in = "username = \"shop\"\npassword = { file = \"smtp.secret\" }\nca_file = \"mail-ca.pem\"";
    let ask = |config: SmtpConfig| {
        let smtp = Smtp::open(&config, &world.folder).unwrap();
        async move { smtp.greet().await.map_err(|error| error.to_string()) }
    };
    assert!(ask(toml(signed_in)).await.unwrap_err().contains("535"));
    world.write("smtp.secret", harness::mail_server::PASSWORD);
    assert_eq!(ask(toml(signed_in)).await, Ok(()));
    let stranger = ask(toml("")).await.unwrap_err();
    assert!(stranger.contains("certificate") || stranger.contains("UnknownIssuer"), "{stranger}");
    assert!(ask(toml("tls = \"wrapper\"")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_ends_what_nobody_ordered_and_opening_the_page_ends_nothing() {
    let server = MailServer::start(Security::Plain).await;
    let setup = Setup::new().host("public_url = \"https://hooks.grove.example/\"\n").mail_server(&server);
    let world = setup.plugin("order-updates", UPDATES, "{}").start().await;
    let mut event = order_of("1001", "anna@mail.example");
    event["customer"]["locale"] = json!("pl");
    world.event("order-placed", "e1", &event).await.json(202);
    world.settle().await;
    world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await.json(202);
    world.settle().await;
    let stage = |id: &'static str, stage: &'static str| {
        let event = update("1001", "s1", stage, NOW);
        let world = &world;
        async move {
            // So that the newest message is the last one.
            world.later(60_000).await;
            world.event("delivery-updated", id, &event).await.json(202);
            world.settle().await;
        }
    };
    stage("e3", "in-transit").await;
    let lists: Vec<String> =
        server.taken().iter().filter_map(|mail| mail.header("List-Unsubscribe")).collect();
    let list = lists.last().expect("an update can be unsubscribed from").clone();
    let address = list.split(['<', '>']).nth(1).unwrap().to_owned();
    assert!(address.starts_with("https://hooks.grove.example/v1/unsubscribe/"), "{list}");
    assert!(list.contains("<mailto:help@grove.example?subject=unsubscribe>"), "{list}");
    assert!(!address.contains("anna") && !address.contains("1001"));
    let mail = server.taken().into_iter().rfind(|mail| mail.header("List-Unsubscribe").is_some()).unwrap();
    assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let parsed = mail_parser::MessageParser::default().parse(&mail.raw).unwrap();
    assert!(parsed.body_html(0).unwrap().contains(&address), "the footer leads there too");

    // As a mail program and a browser would: without a key.
    let path = address.strip_prefix("https://hooks.grove.example").unwrap();
    let page = world.send(world.client.get(world.url(path))).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("<form method=\"post\">") && page.text.contains("lang=\"pl\""),
        "{}",
        page.text
    );
    assert!(page.text.contains("Grove &amp; Loom") && !page.text.contains("anna"), "{}", page.text);
    let before = server.taken().len();
    let consents = |record: Value| record["consents"].clone();
    let known = world.get("/v1/customers/c-1001").await.json(200);
    assert!(!consents(known).to_string().contains("updates"));

    let post = |path: &str, body: &'static str| {
        let request = world.client.post(world.url(path));
        world.send(request.header("Content-Type", "application/x-www-form-urlencoded").body(body))
    };
    assert_eq!(post(path, "something=else").await.status, 400);
    assert_eq!(post("/v1/unsubscribe/nothing", "List-Unsubscribe=One-Click").await.status, 404);
    for _ in 0..2 {
        assert_eq!(post(path, "List-Unsubscribe=One-Click").await.status, 200);
    }
    let known = world.get("/v1/customers/c-1001").await.json(200);
    let refused = json!({ "channel": "email", "category": "updates", "granted": false });
    assert!(consents(known).as_array().unwrap().contains(&refused));
    stage("e4", "out-for-delivery").await;
    assert_eq!(server.taken().len(), before, "no more of these");
    assert!(reason(&world, "1001").await.starts_with("no consent"));
    world.event("order-placed", "e5", &order_of("1001-b", "anna@mail.example")).await.json(202);
    world.settle().await;
    assert_eq!(server.taken().len(), before + 1, "what an order calls for still comes");
}
