//! What the READMEs say: their examples load, their links lead somewhere, their reference is complete.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cartwright::plugins::inspect;
use cartwright::plugins::registry::Registry;
use harness::{plugin_files, project};

const SHOP: &str = "\
name = \"Grove & Loom\"
url = \"https://shop.example\"
country = \"PL\"
currency = \"PLN\"
locales = [\"en\", \"pl\"]
zone = \"Europe/Warsaw\"
";

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The READMEs of the project, and of each folder of plugins.
fn readmes() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["", "sdk", "templates", "tests", "tests/fixtures"]
        .iter()
        .map(|folder| project().join(folder).join("README.md"))
        .collect();
    found.extend(plugin_readmes());
    found
}

fn plugin_readmes() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(project().join("plugins"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("README.md"))
        .filter(|readme| readme.is_file())
        .collect();
    found.sort();
    assert!(found.len() >= 5, "{found:?}");
    found
}

/// The examples of a page that enable a plugin.
fn examples(page: &str) -> Vec<String> {
    page.split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.starts_with("[[plugins]]"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_of_a_readme_loads_and_grants_what_the_plugin_can_use() {
    let mut pages = plugin_readmes();
    pages.push(project().join("README.md"));
    for page in pages {
        let name = page.display().to_string();
        let found = examples(&read(&page));
        assert!(!found.is_empty(), "{name} shows no [[plugins]]");
        for example in found {
            let folder = tempfile::tempdir().unwrap();
            let at = |path: &str| folder.path().join(path);
            for inner in ["shops", "plugins"] {
                std::fs::create_dir(at(inner)).unwrap();
            }
            std::fs::write(at("cartwright.toml"), "").unwrap();
            std::fs::write(at("shops/demo.toml"), format!("{SHOP}\n{example}")).unwrap();
            let parsed: toml::Table = toml::from_str(&example).unwrap();
            let source = parsed["plugins"][0]["source"].as_str().unwrap().to_owned();
            std::fs::copy(plugin_files().join(&source), at("plugins").join(&source)).unwrap();

            let live = Registry::open(folder.path()).await.unwrap().current();
            assert!(live.problems.is_empty(), "{name}: {:#?}", live.problems);
            let entry = &live.shops["demo"].plugins[0].entry;
            let asks = inspect::inspect(&std::fs::read(at("plugins").join(&source)).unwrap()).unwrap();
            let usable: BTreeSet<String> =
                asks.permissions.iter().chain(&asks.optional).map(ToString::to_string).collect();
            let granted: BTreeSet<String> = entry.grants.iter().cloned().collect();
            assert_eq!(granted, usable, "{name} grants what the plugin cannot use, or less than it can");
        }
    }
}

/// What a link to a heading says.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).collect::<String>().replace(' ', "-")
}

#[test]
fn a_link_of_a_readme_leads_somewhere() {
    for readme in readmes() {
        let page = read(&readme);
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { readme.clone() } else { readme.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: `{link}` is not there", readme.display());
            let headings =
                || read(&target).lines().filter(|line| line.starts_with('#')).map(anchor).collect::<Vec<_>>();
            assert!(
                heading.is_empty() || headings().contains(&heading.to_owned()),
                "{}: `{link}` has no such heading",
                readme.display()
            );
        }
    }
}

#[test]
fn a_promise_of_security_names_tests_that_there_are() {
    let page = read(&project().join("SECURITY.md"));
    let named: BTreeSet<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains('/') && (name.starts_with("tests/") || name.starts_with("host/")))
        .collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        let path = project().join(name);
        assert!(path.exists(), "SECURITY.md names `{name}`, which is not there");
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = read(&path);
            assert!(text.contains("#[test]") || text.contains("#[tokio::test"), "`{name}` tests nothing");
        }
    }
}

#[test]
fn the_reference_names_every_setting_that_init_writes() {
    let page = read(&project().join("README.md"));
    for file in ["cartwright.toml", "shop.toml"] {
        let text = read(&project().join("host/src/cli/init").join(file));
        let keys: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(" = "))
            .map(|(key, _)| key)
            .filter(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-".contains(&byte)))
            .collect();
        assert!(keys.len() > 10, "{file}: {keys:?}");
        let missing: Vec<&&str> = keys
            .iter()
            // Of a key and of a secret: `cartwright key create` writes them.
            .filter(|key| !["kind", "origins", "secret"].contains(*key))
            .filter(|key| !page.contains(&format!("`{key}`")))
            .collect();
        assert!(missing.is_empty(), "README.md does not name these settings of {file}: {missing:?}");
    }
}
