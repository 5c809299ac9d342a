//! What plugins ask of other servers.

use harness::receiver::{Receiver, Reply};
use harness::{HOUR_MS, Names, Setup, World};
use serde_json::json;

use crate::command::{cartwright, said};
use crate::goods::{cart, line, order_placed};

const GRANTS: &[&str] = &["http", "state", "state-write"];
const SECRET: &str = "Bearer 0123456789abcdef";

/// `hosts`, and the settings; a busy machine has time enough.
fn setup(hosts: &str, urls: &[String], fails: bool) -> Setup {
    limited("decision_ms = 5000", hosts, urls, fails)
}

fn limited(limits: &str, hosts: &str, urls: &[String], fails: bool) -> Setup {
    let urls = serde_json::to_string(urls).unwrap();
    let lines = format!("hosts = [{hosts}]\nsettings = {{ urls = {urls}, fails = {fails} }}");
    let host = format!("[limits]\n{limits}\n[budgets]\ncart = 10000\n");
    Setup::new().host(&host).plugin_with("fetcher", GRANTS, &lines)
}

/// The address of a server on this machine, which the merchant lets the plugin ask.
fn here(server: &Receiver) -> String {
    format!("{{ host = \"http://127.0.0.1:{}\", allow_private = true }}", server.port())
}

fn url(server: &Receiver, path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", server.port())
}

/// What the plugin shows: what it keeps, or what it hears now.
async fn shown(world: &World, what: &str) -> String {
    let body = json!({ "cart": cart(&[line("1", "mug", 1, 4_900)]) });
    let answer = world.post("/v1/hooks/cart", &body).await.json(200);
    let notices = answer["notices"].as_array().unwrap();
    let notice = notices.iter().find(|notice| notice["id"].as_str().unwrap().ends_with(what));
    notice.map_or_else(String::new, |notice| notice["text"].as_str().unwrap().to_owned())
}

async fn order(world: &World, id: &str) {
    let body = order_placed(id, harness::MONDAY_MORNING, &[line("1", "mug", 1, 4_900)]);
    world.event("order-placed", id, &body).await.json(202);
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_hears_a_granted_server_and_the_host_adds_the_secret() {
    let server = Receiver::start().await;
    server.always(Reply::Text("990"));
    let host = format!(
        "{{ host = \"http://127.0.0.1:{}\", allow_private = true, secrets = {{ Authorization = {{ file = \"rates.secret\" }} }} }}",
        server.port()
    );
    let world = setup(&host, &[url(&server, "/rates?to=PL")], false).start().await;
    // Without its secret the host is not asked at all.
    assert_eq!(shown(&world, "heard").await, "denied");
    world.write("shops/rates.secret", format!("{SECRET}\n"));
    assert_eq!(shown(&world, "heard").await, "200 990");
    let [call] = server.calls().try_into().unwrap();
    assert_eq!((call.path.as_str(), call.header("authorization")), ("/rates?to=PL", SECRET));
    assert_eq!(call.header("accept"), "text/plain");
    let live = world.get("/v1/plugins").await.json(200);
    let host = format!("http://127.0.0.1:{} (also private addresses) (with Authorization)", server.port());
    assert_eq!(
        (&live["plugins"][0]["hosts"], &live["plugins"][0]["permissions"][0]),
        (&json!([host]), &json!("http"))
    );
    // A server that gives it back gives it to nobody.
    server.always(Reply::Text("you are Bearer 0123456789abcdef"));
    assert_eq!(shown(&world, "heard").await, "denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_and_what_is_private_is_not_reached() {
    let server = Receiver::start().await;
    let urls = [
        url(&server, "/"),
        "https://evil.example/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://2130706433:{}/", server.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", server.port()),
        format!("http://me@127.0.0.1:{}/", server.port()),
    ];
    let private = format!("\"http://127.0.0.1:{}\"", server.port());
    let world = setup(&private, &urls, false).start().await;
    assert_eq!(shown(&world, "heard").await, "unreachable; denied; denied; denied; denied; denied");
    assert!(server.calls().is_empty());
    let metadata = "{ host = \"http://169.254.169.254\", allow_private = true }";
    let world = setup(metadata, &urls[..3], false).start().await;
    assert_eq!(shown(&world, "heard").await, "denied; denied; unreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_answers_otherwise_the_next_time_gains_nothing() {
    let server = Receiver::start().await;
    server.always(Reply::Status(200, vec![("connection", "close".to_owned())]));
    let host = format!("{{ host = \"http://api.example:{}\", allow_private = true }}", server.port());
    let asked = format!("http://api.example:{}/", server.port());
    let names = Names::new(&["127.0.0.1", "169.254.169.254"]);
    let world = setup(&host, &[asked.clone(), asked], false).names(&names).start().await;
    assert_eq!(shown(&world, "heard").await, "200 ok; unreachable");
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_costs_the_plugin_its_answer_and_not_the_shopper_the_page() {
    let server = Receiver::start().await;
    server.always(Reply::Silence);
    // What is left when the host gives up is a tenth.
    let world = limited("decision_ms = 5000", &here(&server), &[url(&server, "/")], false).start().await;
    assert_eq!(shown(&world, "heard").await, "timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_arrives_and_one_that_does_not_end_is_cut_off() {
    let server = Receiver::start().await;
    server.next([Reply::Text("x".repeat(200_000).leak()), Reply::Flood]);
    let urls = [url(&server, "/large"), url(&server, "/endless")];
    let world = setup(&here(&server), &urls, false).start().await;
    assert_eq!(shown(&world, "heard").await, "200 200000 bytes; too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_where_the_plugin_may_not_go_is_not_followed() {
    let (server, other) = (Receiver::start().await, Receiver::start().await);
    server.next([Reply::Status(302, vec![("location", url(&other, "/admin"))])]);
    let world = setup(&here(&server), &[url(&server, "/")], false).start().await;
    assert_eq!(shown(&world, "heard").await, "denied");
    assert!(other.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_run_again_hears_the_same_and_does_not_ask_again() {
    let server = Receiver::start().await;
    server.next([Reply::Text("first"), Reply::Text("second")]);
    server.always(Reply::Text("later"));
    let (host, urls) = (here(&server), [url(&server, "/stock")]);
    let mut world = setup(&host, &urls, true).start().await;
    order(&world, "1001").await;
    assert_eq!(server.calls().len(), 2);
    assert_eq!(shown(&world, "kept").await, "", "the attempt failed");
    let before = server.calls().len();
    // The answers outlive the host.
    world.edit(|_| setup(&host, &urls, false));
    let world = world.restart().await;
    world.later(HOUR_MS).await;
    assert_eq!(server.calls().len(), before, "nobody was asked again");
    assert_eq!(shown(&world, "kept").await, "200 first; 200 second");
    // Another order is another question.
    order(&world, "1002").await;
    assert_eq!(shown(&world, "kept").await, "200 later; 200 later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_reads_whom_a_plugin_may_ask() {
    let world = setup("\"api.example\"", &[], false).start().await;
    let run = |arguments: &[&str]| {
        let output = cartwright().current_dir(&world.folder).args(["plugin"]).args(arguments).output();
        said(&output.unwrap())
    };
    let inspected = run(&["inspect", "plugins/fetcher.wasm"]);
    assert!(inspected.contains("other servers: those that `hosts` lists"), "{inspected}");
    let checked = run(&["check", "plugins/fetcher.wasm", "--shop", "demo"]);
    assert!(checked.contains("it may ask api.example"), "{checked}");
}
