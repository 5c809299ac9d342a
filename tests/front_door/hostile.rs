//! The hostile collection (`tests/fixtures/hostile/`): each plugin gets what its `case.toml` says, nothing of it is
//! kept when it fails, and the shop beside it stays open.

use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;

use cartwright::domain::{Scope, StateOwner};
use futures::FutureExt as _;
use harness::hostile::{Case, Outcome, bit_flipped, case, collection, is_decision};
use harness::{Names, Setup, World, plugin_files, project};
use serde_json::{Value, json};

use crate::decisions::adds_up;
use crate::goods::{cart, line, order_placed};

/// Of the shop beside the one with the hostile plugin.
const NEIGHBOUR: &str = "cw_sk_other_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";
/// Wall time enough, so that on a busy machine it is the computing that is cut off; the rest is as it comes.
const HOST: &str =
    "[limits]\ndecision_ms = 30000\ndecision_cpu_ms = 3000\nevent_ms = 30000\n[budgets]\ncheckout = 60000\n";
/// One that fails only now and then has failed by then.
const QUESTIONS: usize = 30;

/// A shop without plugins, and its neighbour with one that works.
struct Street {
    world: World,
    /// The first shop's file.
    shop: String,
}

impl Street {
    async fn new(setup: Setup) -> Self {
        let world = setup.host(HOST).start().await;
        let shop = std::fs::read_to_string(world.path("shops/demo.toml")).unwrap();
        let (head, _) = shop.split_once("[[keys]]").unwrap();
        let hash = world.hash(NEIGHBOUR);
        std::fs::copy(plugin_files().join("stamp_one.wasm"), world.path("plugins/stamp_one.wasm")).unwrap();
        let rest = "[[plugins]]\nname = \"stamp-one\"\nsource = \"stamp_one.wasm\"\ngrants = [\"delivery-options\"]\n\
                    settings = { mark = \"a\" }\n";
        let keys = format!("[[keys]]\nname = \"backend\"\nkind = \"secret\"\nsha256 = \"{hash}\"\n{rest}");
        world.write("shops/other.toml", format!("{head}{keys}"));
        assert_eq!(world.reload().await, Vec::<String>::new());
        Self { world, shop }
    }

    /// The first shop has this plugin, and no other.
    async fn moves_in(&self, case: &Case, more: &str) -> Vec<String> {
        let there = self.world.path(&format!("plugins/{}.wasm", case.name));
        // A large file that holds little is not copied.
        if !there.exists() && std::fs::hard_link(&case.file, &there).is_err() {
            std::fs::copy(&case.file, there).unwrap();
        }
        self.world.write("shops/demo.toml", format!("{}{}{more}", self.shop, case.entry()));
        self.world.reload().await
    }

    async fn ask(&self, cart_id: usize) -> Value {
        let mut cart = cart(&[line("1", "mug", 2, 4_900)]);
        cart["id"] = json!(format!("cart-{cart_id}"));
        let answer =
            self.world.post("/v1/hooks/checkout?explain=true", &json!({ "cart": cart })).await.json(200);
        adds_up(&answer);
        answer
    }

    async fn order(&self, id: &str) {
        let body = order_placed(id, harness::MONDAY_MORNING, &[line("1", "mug", 1, 4_900)]);
        self.world.event("order-placed", id, &body).await.json(202);
        self.world.settle().await;
    }

    /// The plugin's first job in this state, whole.
    async fn job(&self, case: &Case, state: &str) -> Value {
        let listed = self.world.get(&format!("/v1/jobs?state={state}&plugin={}", case.name)).await.json(200);
        let id = listed["jobs"][0]["id"].as_str().unwrap_or_else(|| panic!("{}: none is {state}", case.name));
        self.world.get(&format!("/v1/jobs/{id}")).await.json(200)
    }

    /// What a person can read of an order: a message that did not go out says why.
    async fn story(&self, order: &str) -> String {
        self.world.get(&format!("/v1/orders/{order}/timeline?limit=200")).await.json(200).to_string()
    }

    async fn state(&self, case: &Case) -> usize {
        let owner = StateOwner {
            shop: "demo".to_owned(),
            plugin: case.name.clone(),
            scope: Scope::Shop,
            subject: String::new(),
        };
        self.world.host().store().state_list(&owner, "", 100).await.unwrap().len()
    }

    /// The shop beside it has its options, whole, and its sums are right.
    async fn neighbour_is_served(&self, after: &str) {
        let body = json!({ "cart": cart(&[line("1", "shirt", 1, 19_900), line("2", "mug", 3, 4_900)]) });
        let url = self.world.url("/v1/hooks/checkout");
        let request = self.world.client.post(url).bearer_auth(NEIGHBOUR).json(&body);
        let answer = self.world.send(request).await.json(200);
        adds_up(&answer);
        assert_eq!(answer["delivery_options"][0]["title"], "one a", "after {after}: {answer}");
        assert_eq!(answer["totals"]["subtotal"], 34_600, "after {after}: {answer}");
        for (section, state) in answer["sections"].as_object().unwrap() {
            assert_eq!(state, "complete", "{section} after {after}: {answer}");
        }
        assert!(answer["warnings"].as_array().unwrap().is_empty(), "after {after}: {answer}");
    }
}

fn says(case: &Case, sentence: &str) {
    for part in &case.expect.says {
        assert!(sentence.contains(part.as_str()), "{}: no `{part}` in {sentence}", case.name);
    }
    let unprintable = sentence.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(unprintable, None, "{}: {sentence:?}", case.name);
}

/// A reason that a person reads fits a screen.
fn short(case: &Case, sentence: &str) {
    assert!(sentence.len() < 2_000, "{}: {} bytes: {sentence:.500}", case.name, sentence.len());
}

async fn refused(street: &Street, case: &Case, problems: &[String]) {
    assert!(!problems.is_empty(), "{}: it became live", case.name);
    assert!(problems.len() <= 25, "{}: {} problems", case.name, problems.len());
    let listed = street.world.get("/v1/plugins").await.json(200);
    assert_eq!(listed["plugins"], json!([]), "{}: {listed}", case.name);
    let mut sentences = String::new();
    for problem in listed["problems"].as_array().unwrap() {
        assert_eq!(problem["plugin"], case.name, "{problem}");
        let sentence = problem["message"].as_str().unwrap();
        short(case, sentence);
        writeln!(sentences, "{sentence}").unwrap();
    }
    says(case, &sentences);
    street.ask(0).await;
}

async fn decided(street: &Street, case: &Case) {
    for question in 0..QUESTIONS {
        let mut answer = street.ask(question).await;
        let warnings = answer["warnings"].take();
        let warning = warnings.as_array().unwrap().iter().find(|warning| warning["plugin"] == case.name);
        match (case.expect.outcome, warning) {
            (Outcome::Corrected, None) => return says(case, &answer["explain"].to_string()),
            (_, None) => {}
            (expected, Some(warning)) => {
                assert_eq!(warning["kind"], expected.name(), "{}: {warning}", case.name);
                let sentence = warning["message"].as_str().unwrap();
                short(case, sentence);
                says(case, sentence);
                answer["explain"].take();
                assert!(!answer.to_string().contains(&case.name), "{}: kept: {answer}", case.name);
                return;
            }
        }
    }
    panic!("{}: it never failed", case.name);
}

async fn handled(street: &Street, case: &Case) {
    let mails = street.world.mails().len();
    street.order(&case.name).await;
    if case.expect.outcome == Outcome::Corrected {
        street.job(case, "done").await;
        return says(case, &street.story(&case.name).await);
    }
    let job = street.job(case, "failed").await;
    let failure = &job["failures"][0];
    assert_eq!(failure["kind"], case.expect.outcome.name(), "{}: {job}", case.name);
    let sentence = failure["fault"].as_str().unwrap();
    short(case, sentence);
    says(case, sentence);
    assert_eq!(street.state(case).await, 0, "{}: state was kept", case.name);
    assert_eq!(street.world.mails().len(), mails, "{}: a mail went out", case.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_gets_what_it_must_and_the_shop_beside_it_stays_open() {
    let street = Street::new(Setup::new()).await;
    let mut wrong = Vec::new();
    for case in collection() {
        let began = std::time::Instant::now();
        // All that are wrong are told, not the first alone.
        let proved = AssertUnwindSafe(prove(&street, case)).catch_unwind().await;
        if proved.is_err() {
            wrong.push(case.name.as_str());
        }
        eprintln!("{:>8} ms {}", began.elapsed().as_millis(), case.name);
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

async fn prove(street: &Street, case: &Case) {
    let problems = street.moves_in(case, "").await;
    if case.expect.outcome == Outcome::Refused {
        refused(street, case, &problems).await;
    } else {
        assert!(problems.is_empty(), "{}: {problems:?}", case.name);
        if is_decision(&case.hook) { decided(street, case).await } else { handled(street, case).await }
    }
    street.neighbour_is_served(&case.name).await;
}

/// A street where this plugin has moved in and an order came; what a person reads of the order.
async fn ordered(name: &str, more: &str) -> (Street, String) {
    let street = Street::new(Setup::new()).await;
    assert_eq!(street.moves_in(case(name), more).await, Vec::<String>::new());
    street.order("1001").await;
    let story = street.story("1001").await;
    (street, story)
}

fn letters(world: &World) -> Vec<String> {
    let files = world.mails().into_iter().map(|mail| world.path("data/outbox").join(mail.file));
    files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subject_makes_no_header_of_its_own() {
    let (street, _) = ordered("line-breaks-in-subject", "").await;
    let [letter] = letters(&street.world).try_into().unwrap();
    let (head, _) = letter.split_once("\r\n\r\n").unwrap();
    for line in head.split("\r\n") {
        let name = line.split(':').next().unwrap().to_lowercase();
        assert!(!["bcc", "x-evil"].contains(&name.as_str()), "{head}");
        assert!(!line.contains(['\r', '\n']), "{line:?}");
    }
    let mail = &street.world.mails()[0];
    assert_eq!(mail.to, "anna.zielinska@mail.example");
    assert!(mail.subject.starts_with("Hello") && !mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
    assert!(mail.html.contains("&lt;p&gt;a body&lt;"), "{}", mail.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_mail_is_words() {
    let (street, _) = ordered("markup-in-mail", "").await;
    let [mail] = street.world.mails().try_into().unwrap();
    let html = mail.html;
    // Within quotes a bracket is a sign like any other, as long as there are no other quotes.
    let (before, rest) = html.split_once("<p title=\"").unwrap();
    let (title, behind) = rest.split_once('"').unwrap();
    assert!(title.ends_with("<!--") || title.ends_with("&lt;!--"), "{title}");
    for live in ["<script", "<img src=x", "<!--<"] {
        assert!(!before.contains(live) && !behind.contains(live), "`{live}` is live in {html}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
    // Nothing in it was rendered again: neither as a template nor as a text.
    assert!(html.contains("{{ shop.email }}") && html.contains("{ $number }"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_reads_no_file_and_comes_to_an_end() {
    for (name, says) in [
        ("template-reads-files", "cartwright.toml"),
        ("template-loops", "fuel"),
        ("template-recursion", "recursion"),
        ("template-doubling", "fuel"),
    ] {
        let (street, story) = ordered(name, "").await;
        assert!(letters(&street.world).is_empty(), "{name}: a mail went out");
        assert!(story.contains(says), "{name}: no `{says}` in {story}");
        street.neighbour_is_served(name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_set_timers_are_slow_and_few() {
    let (street, _) = ordered("timer-bomb", "limits = { timers = 8 }\n").await;
    let world = &street.world;
    let done = async || {
        let jobs = world.get("/v1/jobs?state=done&plugin=timer-bomb&limit=500").await.json(200);
        jobs["jobs"].as_array().unwrap().len()
    };
    // The order's, and its two timers'; whatever these set waits for a minute.
    assert_eq!(done().await, 3);
    world.later(59_000).await;
    assert_eq!(done().await, 3);
    world.later(2_000).await;
    assert_eq!(done().await, 7);
    // Four have set eight; sixteen are too many.
    world.later(61_000).await;
    let failed = street.job(case("timer-bomb"), "failed").await;
    let fault = failed["failures"][0]["fault"].as_str().unwrap();
    assert!(fault.contains("limits.timers = 8"), "{fault}");
    street.neighbour_is_served("timer-bomb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_contend_for_one_key_are_all_done() {
    let street = Street::new(Setup::new()).await;
    street.moves_in(case("state-conflicts"), "").await;
    for n in 0..12 {
        let body = order_placed(&format!("{n}"), harness::MONDAY_MORNING, &[line("1", "mug", 1, 4_900)]);
        street.world.event("order-placed", &format!("o{n}"), &body).await.json(202);
    }
    street.world.settle().await;
    let jobs = street.world.get("/v1/jobs?state=done&plugin=state-conflicts").await.json(200);
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 12, "{jobs}");
    street.neighbour_is_served("state-conflicts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_name_leads_to_nothing_behind_the_host_is_heard() {
    // What is granted leads to this machine, then to the cloud's own address.
    for address in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fd00::1", "::ffff:127.0.0.1"] {
        let street = Street::new(Setup::new().names(&Names::new(&[address]))).await;
        assert_eq!(street.moves_in(case("ssrf"), "").await, Vec::<String>::new());
        let mut asked = 0;
        for half in [0, 1] {
            let answer = street.ask(half).await;
            for notice in answer["notices"].as_array().unwrap() {
                let text = notice["text"].as_str().unwrap();
                assert!(text.ends_with(" denied") || text.ends_with(" unreachable"), "{address}: {text}");
                asked += 1;
            }
        }
        assert_eq!(asked, 24, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_leads_out_of_the_folder_of_plugins_by_no_path() {
    let street = Street::new(Setup::new()).await;
    for source in ["../plugins/stamp_one.wasm", "/etc/passwd", "..", "a/../stamp_one.wasm"] {
        let entry = format!("[[plugins]]\nname = \"stamp\"\nsource = \"{source}\"\n");
        street.world.write("shops/demo.toml", format!("{}{entry}", street.shop));
        let problems = street.world.reload().await;
        assert!(
            problems.len() == 1 && problems[0].contains("is not the name of a plugin's file"),
            "{source}: {problems:?}"
        );
        street.neighbour_is_served(source).await;
    }
    let entry = "[[plugins]]\nname = \"../other/stamp\"\nsource = \"stamp_one.wasm\"\n";
    street.world.write("shops/demo.toml", format!("{}{entry}", street.shop));
    let problems = street.world.reload().await;
    assert!(problems.len() == 1 && problems[0].contains("../other/stamp"), "{problems:?}");
    street.neighbour_is_served("a name that is a path").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_bits_are_turned_a_file_is_refused_or_does_as_it_may() {
    let street = Street::new(Setup::new()).await;
    let good = std::fs::read(plugin_files().join("stamp_one.wasm")).unwrap();
    let entry = case("bit-flipped").entry();
    street.world.write("shops/demo.toml", format!("{}{entry}", street.shop));
    for first in 0..50 {
        street.world.write("plugins/bit-flipped.wasm", bit_flipped(good.clone(), 2 * first));
        let problems = street.world.reload().await;
        assert_eq!(problems.len(), 1, "{problems:?}");
        street.ask(first).await;
    }
    street.neighbour_is_served("fifty broken files").await;
}

#[test]
fn each_says_what_must_happen_in_a_sentence_that_a_person_reads() {
    for case in collection() {
        assert!(case.about.ends_with(['.', '…']), "{}: {}", case.name, case.about);
        let silent = case.expect.says.is_empty() && case.expect.outcome != Outcome::Corrected;
        assert!(!silent, "{}: what must a person read of it?", case.name);
    }
}

#[test]
fn the_readme_lists_the_collection() {
    let mut text = "# The hostile collection\n\nEach folder is a plugin that wants to do harm, and what must happen \
                    (`case.toml`). `front_door/hostile.rs` proves each; `cargo siege` enables each in a shop under load. \
                    What each file may hold is said in `harness/hostile.rs`; files that are made are made in \
                    `harness/hostile_files.rs`.\n\n| plugin | what it does | what must happen |\n|---|---|---|\n"
        .to_owned();
    for case in collection() {
        let says: Vec<String> = case.expect.says.iter().map(|part| format!("“{part}”")).collect();
        let outcome = [vec![case.expect.outcome.name().to_owned()], says].concat().join(", ");
        writeln!(text, "| `{}` | {} | {outcome} |", case.name, case.about).unwrap();
    }
    let kept =
        std::fs::read_to_string(project().join("tests/fixtures/hostile/README.md")).unwrap_or_default();
    let made = project().join("target/hostile-plugins/README.md");
    std::fs::write(&made, &text).unwrap();
    assert!(kept == text, "tests/fixtures/hostile/README.md is old; the new one is {}", made.display());
}
