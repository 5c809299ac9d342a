//! For `plugin check`: would a host load a plugin's file, and does an entry of a shop fit it?

use crate::config::{HostConfig, Limits, PluginEntry, Security, ShopConfig};
use crate::domain::plain::harmless;
use crate::plugins::code::Code;
use crate::plugins::engine::Sandbox;
use crate::plugins::inspect::{Inspection, inspect};
use crate::plugins::permissions::{Asks, GRANTS};
use crate::plugins::settings;
use crate::plugins::trust;

/// Characters of one sentence: some repeat what the file says.
const SENTENCE: usize = 600;

/// What was found. Every text is a sentence.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// None: the file cannot be read at all.
    pub inspection: Option<Inspection>,
    /// Each of these keeps it from being loaded.
    pub refusals: Vec<String>,
    /// It is loaded all the same, but may not do what is expected.
    pub remarks: Vec<String>,
}

/// Compiles it and instantiates it once; with a shop and the name of one of its `[[plugins]]` entries, also
/// compares everything that the entry says. `signature` is what lies beside the file, as [`trust::beside`] reads
/// it.
pub async fn examine(
    component: &[u8],
    signature: &Result<Option<String>, String>,
    place: Option<(&ShopConfig, &str)>,
    host: &HostConfig,
) -> Examined {
    let limits = &host.limits;
    let mut examined = Examined::default();
    let inspection = match inspect(component) {
        Ok(inspection) => inspection,
        Err(sentence) => {
            examined.refusals.push(harmless(&sentence, SENTENCE));
            return examined;
        }
    };
    match word(component, signature, &host.security) {
        Ok(remark) => examined.remarks.extend(remark),
        Err(refusal) => examined.refusals.push(refusal),
    }
    examined.refusals.extend(tried(component, &inspection, limits).await.err());
    if let Some((shop, name)) = place {
        match shop.plugins.iter().find(|entry| entry.name == name) {
            Some(entry) => {
                examined.refusals.extend(misfits(&inspection, entry, limits));
                examined.remarks.extend(remarks(&inspection, entry));
            }
            None => examined
                .refusals
                .push(format!("the shop `{}` has no plugin `{name}`; add a `[[plugins]]` entry", shop.id)),
        }
    }
    for sentence in examined.refusals.iter_mut().chain(&mut examined.remarks) {
        *sentence = harmless(sentence, SENTENCE);
    }
    examined.inspection = Some(inspection);
    examined
}

/// What is to be said of its signature.
fn word(
    component: &[u8],
    signature: &Result<Option<String>, String>,
    security: &Security,
) -> Result<Option<String>, String> {
    let text = signature.as_ref().map(Option::as_deref).map_err(String::as_str);
    let signed = trust::verify(security, component, text).map_err(|distrust| distrust.to_string())?;
    let told = text.ok().flatten().and_then(trust::signed_with);
    Ok(match (signed, told) {
        (Some(signed), _) => {
            Some(format!("it is signed with the key {}, which is trusted", signed.key_name(security)))
        }
        (None, Some(id)) => Some(format!(
            "its signature names the key {id} and was not verified: there are no `trusted_keys` in cartwright.toml"
        )),
        (None, None) if !security.trusted_keys.is_empty() => Some("it is not signed".to_owned()),
        (None, None) => None,
    })
}

async fn tried(component: &[u8], inspection: &Inspection, limits: &Limits) -> Result<(), String> {
    let limits = Limits { concurrent_decisions: 1, concurrent_events: 1, ..limits.clone() };
    let sandbox = Sandbox::new(&limits).map_err(|error| format!("the sandbox does not start: {error:#}"))?;
    let hooks = inspection.hooks.iter().copied();
    Code::compile(&sandbox, None, component, &inspection.sha256, hooks)?.try_out(&sandbox, &limits).await
}

/// All that differs between what the file is and what the entry says, in the entry's order.
fn misfits(inspection: &Inspection, entry: &PluginEntry, limits: &Limits) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(sentence) = entry.another_than_pinned(&inspection.sha256) {
        sentences.push(sentence);
    }
    sentences.extend(inspection.asks().misfits(&entry.grants).map(|refusal| refusal.to_string()));
    let misfits = settings::misfits(inspection.manifest.schema.as_ref(), &entry.settings);
    sentences.extend(misfits.into_iter().map(|misfit| misfit.message));
    sentences.extend(limits.of_plugin(&entry.limits).1.map(|beyond| beyond.to_string()));
    sentences
}

fn remarks(inspection: &Inspection, entry: &PluginEntry) -> Vec<String> {
    let Asks { permissions, optional, .. } = inspection.asks();
    let mut sentences = Vec::new();
    let hosts: Vec<String> = entry.hosts.iter().map(ToString::to_string).collect();
    let asks_others = permissions.iter().any(|permission| permission.0 == "http");
    match (asks_others, hosts.is_empty()) {
        (true, true) => {
            sentences.push("it asks other servers, and `hosts` lists none: it will reach nobody".to_owned());
        }
        (true, false) => sentences.push(format!("it may ask {}", hosts.join(", "))),
        (false, false) => {
            sentences.push(format!(
                "it asks no other server: `hosts` only says where its links may lead ({})",
                hosts.join(", ")
            ));
        }
        (false, true) => {}
    }
    let unread = entry.hosts.iter().filter_map(|host| Some((host, host.granted().err()?)));
    sentences.extend(unread.map(|(host, error)| format!("it cannot ask {}: {error}", host.host)));
    let unused: Vec<String> = entry
        .grants
        .iter()
        .filter(|grant| GRANTS.contains(&grant.as_str()))
        .filter(|grant| !permissions.iter().chain(&optional).any(|asked| asked.0 == **grant))
        .map(|grant| format!("`{grant}`"))
        .collect();
    if !unused.is_empty() {
        sentences.push(format!(
            "it has no use for {}; take what is not needed out of `grants`, so that no later version has it unasked",
            unused.join(", ")
        ));
    }
    let missed: Vec<String> = optional
        .iter()
        .filter(|asked| !permissions.contains(asked) && !entry.grants.contains(&asked.0))
        .map(|asked| format!("`{asked}`"))
        .collect();
    if !missed.is_empty() {
        sentences.push(format!("it can do without {}, which is not granted", missed.join(", ")));
    }
    if !entry.enabled {
        sentences.push("its entry has `enabled = false`: no host calls it".to_owned());
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrustedKey;
    use crate::domain::Hook;
    use crate::plugins::fixtures::{self, Author, handler};
    use crate::plugins::manifest::Manifest;

    const POINTS: &str = r#"(import "cartwright:plugin/points@0.1.0" "set" (func $set (param i32 i32 i64)))"#;

    fn guest() -> Vec<u8> {
        let schema = serde_json::json!({
            "type": "object", "additionalProperties": false,
            "properties": { "most": { "type": "integer", "maximum": 10 }, "least": { "type": "integer" } }
        });
        let manifest = Manifest {
            name: "guest".to_owned(),
            version: "1.0.0".to_owned(),
            schema: Some(schema),
            ..Manifest::default()
        };
        manifest.write(&handler(Hook::OrderPlaced, POINTS, "")).unwrap()
    }

    fn shop(lines: &str) -> ShopConfig {
        let text = format!(
            "name = \"Lipa\"\nurl = \"https://lipa.example\"\ncountry = \"PL\"\ncurrency = \"PLN\"\nzone = \
             \"Europe/Warsaw\"\n[[plugins]]\nname = \"guest\"\nsource = \"guest.wasm\"\n{lines}"
        );
        crate::config::parse_shop(std::path::Path::new("lipa.toml"), text.into()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn everything_that_differs_is_told_at_once() {
        let mut host = HostConfig { limits: fixtures::limits(), ..HostConfig::default() };
        let other = "0".repeat(64);
        let shop = shop(&format!(
            "sha256 = \"{other}\"\ngrants = [\"coupon\", \"orders\"]\nhosts = [\"a.example\"]\n\
             settings = {{ most = 70, leest = 1 }}\nlimits = {{ memory_mib = 64 }}\nenabled = false\n"
        ));
        let examined = examine(&guest(), &Ok(None), Some((&shop, "guest")), &host).await;
        for sentence in [
            "is another file than `sha256` pins",
            "`grants` names `coupon`, which is no permission; is `coupons` meant?",
            "needs `points`, which the shop does not grant; if it may, write `grants = [\"orders\", \"points\"]`",
            "70 is greater than the maximum of 10",
            "there is no setting `leest`; is `least` meant?",
            "`memory_mib` = 64 is more than this host allows",
        ] {
            let told = examined.refusals.iter().filter(|told| told.contains(sentence)).count();
            assert_eq!(told, 1, "{sentence}: {:#?}", examined.refusals);
        }
        assert_eq!(examined.refusals.len(), 6, "{:#?}", examined.refusals);
        for remark in ["where its links may lead (a.example)", "no use for `orders`", "`enabled = false`"] {
            assert!(examined.remarks.iter().any(|told| told.contains(remark)), "{:#?}", examined.remarks);
        }
        let absent = examine(&guest(), &Ok(None), Some((&shop, "gast")), &host).await.refusals;
        assert_eq!(absent, ["the shop `lipa` has no plugin `gast`; add a `[[plugins]]` entry"]);
        let author = Author::new();
        host.security.trusted_keys.push(TrustedKey { key: author.key(), name: Some("Ada".to_owned()) });
        let told = |signature: Result<Option<String>, String>| {
            let host = &host;
            async move { examine(&guest(), &signature, None, host).await }
        };
        let signed = told(Ok(Some(author.sign(&guest())))).await;
        assert!(signed.remarks[0].contains("(Ada), which is trusted"), "{signed:#?}");
        assert_eq!(told(Ok(None)).await.remarks, ["it is not signed"]);
        let forged = told(Ok(Some(author.sign(b"another")))).await.refusals;
        assert!(forged[0].contains("is not what was signed with the key"), "{forged:?}");
        let unread = told(Err("is no text".to_owned())).await.refusals;
        assert!(unread[0].contains("a signature beside it that is no text"), "{unread:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_fits_is_told_to_fit() {
        let host = HostConfig { limits: fixtures::limits(), ..HostConfig::default() };
        let shop = shop("grants = [\"points\"]\n");
        let examined = examine(&guest(), &Ok(None), Some((&shop, "guest")), &host).await;
        assert_eq!((examined.refusals.as_slice(), examined.remarks.as_slice()), (&[][..], &[][..]));
        assert_eq!(examined.inspection.unwrap().manifest.version, "1.0.0");
        let core = examine(b"\0asm\x01\0\0\0", &Ok(None), None, &host).await;
        assert!(core.refusals[0].contains("is a core WebAssembly module"), "{:?}", core.refusals);
        assert!(core.inspection.is_none());
    }
}
