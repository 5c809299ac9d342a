//! In a real browser: the mails at the width of a phone and of a desktop, and the pages under their own policies.

use std::process::Command;

use harness::{DAY_MS, Setup};
use serde_json::Value;

use crate::goods::{line, order_placed, products, shipped, update};

const NOW: &str = "2026-11-30T09:00:00Z";

/// Width of the page inside a frame of this width, and whether any text is cut off, as the browser lays it out.
fn measure(html: &str, width: u32, folder: &std::path::Path) -> Value {
    let framed = serde_json::to_string(html).unwrap().replace("</", "<\\/");
    let page = format!(
        r#"<!doctype html><meta charset="utf-8"><body><pre id="result">not measured</pre><script>
const frame = document.createElement("iframe");
frame.style.cssText = "width:{width}px;height:4000px;border:0";
frame.onload = () => {{
  const page = frame.contentDocument;
  const root = page.documentElement;
  const wide = [...page.body.querySelectorAll("*")]
    .filter((item) => item.getBoundingClientRect().right > {width} + 1)
    .map((item) => item.tagName + "." + item.className);
  const small = [...page.body.querySelectorAll("p, td, li, a, h1, h2")]
    .filter((item) => [...item.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((item) => item.getBoundingClientRect().height > 1)
    .map((item) => parseFloat(frame.contentWindow.getComputedStyle(item).fontSize))
    .filter((size) => size > 2 && size < 11).length;
  document.getElementById("result").textContent =
    JSON.stringify({{ scroll: root.scrollWidth, height: page.body.scrollHeight, wide, small }});
}};
frame.srcdoc = {framed};
document.body.append(frame);
</script>"#
    );
    let file = folder.join(format!("page-{width}.html"));
    std::fs::write(&file, page).unwrap();
    let (dom, _) = browse(&format!("file://{}", file.display()), folder);
    let start = dom.find("<pre id=\"result\">").expect("the page was laid out") + 17;
    let end = start + dom[start..].find("</pre>").unwrap();
    let json = dom[start..end]
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&gt;", ">")
        .replace("&lt;", "<");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The page as it is when its scripts have run, and what the browser says of it.
fn browse(url: &str, folder: &std::path::Path) -> (String, String) {
    let output = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
        ])
        .args(["--disable-component-update", "--disable-sync", "--virtual-time-budget=4000", "--dump-dom"])
        .arg("--enable-logging=stderr")
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg("--window-size=1400,4200")
        .arg(url)
        .output()
        .expect("chromium starts (tests/run installs it, or leaves this suite out)");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_of_an_orders_life_fits_a_phone_and_a_desktop() {
    let grants = &["customers", "messages", "orders", "state", "state-write", "timers"];
    let world = Setup::new().plugin("order-updates", grants, "{}").start().await;
    world.catalogue(&products()).await;
    let lines = [line("1", "mug", 2, 4_900), line("2", "shirt", 1, 19_900)];
    world.event("order-placed", "e1", &order_placed("1001", NOW, &lines)).await.json(202);
    world.settle().await;
    world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await.json(202);
    world.settle().await;
    for (id, stage) in [("e3", "in-transit"), ("e4", "delayed")] {
        world.event("delivery-updated", id, &update("1001", "s1", stage, NOW)).await.json(202);
        world.settle().await;
    }
    world.event("order-delivered", "e5", &update("1001", "s1", "delivered", NOW)).await.json(202);
    world.settle().await;
    world.later(DAY_MS).await;

    let mails = world.mails();
    assert!(mails.len() >= 5, "{:?}", world.subjects());
    let folder = tempfile::tempdir().unwrap();
    for mail in &mails {
        for width in [390, 1_200] {
            let layout = measure(&mail.html, width, folder.path());
            assert_eq!(layout["wide"], serde_json::json!([]), "{} at {width}: {layout}", mail.subject);
            assert!(
                layout["scroll"].as_u64().unwrap() <= u64::from(width),
                "{} at {width}: {layout}",
                mail.subject
            );
            assert!(layout["height"].as_u64().unwrap() > 200, "{} at {width}: {layout}", mail.subject);
            assert_eq!(layout["small"], 0, "{} at {width} has text under 11 px: {layout}", mail.subject);
        }
    }
}

/// Headers forbid what a page does not need; here it shows whether it needs something that they forbid.
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_work_under_their_own_policies() {
    let grants = &["customers", "messages", "orders", "state", "state-write", "timers"];
    let setup = Setup::new().host("public_url = \"https://hooks.grove.example\"\n");
    let world = setup.plugin("order-updates", grants, "{}").start().await;
    world.catalogue(&products()).await;
    world
        .event("order-placed", "e1", &order_placed("1001", NOW, &[line("1", "mug", 1, 4_900)]))
        .await
        .json(202);
    world.settle().await;
    world.event("order-shipped", "e2", &shipped("1001", "s1", NOW)).await.json(202);
    world.settle().await;
    world.event("delivery-updated", "e3", &update("1001", "s1", "in-transit", NOW)).await.json(202);
    world.settle().await;
    let mails = world.mails();
    let link = mails.iter().find_map(|mail| mail.html.split("https://hooks.grove.example/v1/").nth(1));
    let link = link.expect("a mail with a link to unsubscribe").split('"').next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    for (path, shows) in [
        ("/docs/".to_owned(), "order-placed"),
        (format!("/v1/{link}"), "<button>"),
        ("/problems/invalid".to_owned(), "/problems/invalid"),
    ] {
        let url = world.url(&path);
        let profile = folder.path().to_owned();
        let (dom, said) = tokio::task::spawn_blocking(move || browse(&url, &profile)).await.unwrap();
        assert!(dom.contains(shows), "{path}: {dom}");
        let refused =
            said.lines().filter(|line| line.contains("Content Security Policy")).collect::<Vec<_>>();
        assert!(refused.is_empty(), "{path}: {refused:#?}");
    }
}
