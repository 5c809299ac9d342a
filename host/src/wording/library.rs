//! What shops share of their plugins' texts and templates. Whatever a merchant changes is that shop's own, made of
//! the shared one: what is compiled of the rest is not compiled again.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use sha2::{Digest as _, Sha256};

use super::house::{House, SHOP};
use super::templates::Templates;
use super::texts::Texts;
use super::{Assets, Wording, WordingError, locale_files};

/// The texts and templates of one plugin in a shop.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) texts: Texts,
    pub(super) templates: Templates,
}

/// Assets that are known to be broken, at most: a hostile one may have megabytes of mistakes.
const BROKEN: usize = 8;

/// Scripts of plugins as they are packed, by the plugin's name in the shop and the identity of its assets. It owns
/// none of them: a script is there for as long as a shop speaks by it.
#[derive(Debug, Default)]
pub struct Library {
    packed: HashMap<(String, Packed), Weak<Script>>,
    /// What is wrong with those that make no script, by the plugin's name and what they hold: they are offered again
    /// and again, and a hostile one is made to cost much.
    broken: HashMap<(String, Digest), Vec<WordingError>>,
}

type Digest = [u8; 32];

/// Assets by identity. While it is held, no other assets can be at their address.
#[derive(Debug)]
struct Packed(Weak<Assets>);

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl Eq for Packed {}

impl Hash for Packed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.as_ptr().hash(state);
    }
}

impl Library {
    /// `plugins`: name in the shop → its assets; shops with the same `Arc` share what is made of it.
    /// `overrides`: name → what the merchant put into `templates/<shop>/<plugin>/`; the name `shop` stands for
    /// the shared base. Compiles every template and parses every text; gives all that is wrong, of the plugins when
    /// the base is sound.
    pub fn wording(
        &mut self,
        locales: &[String],
        plugins: &BTreeMap<String, Arc<Assets>>,
        overrides: &BTreeMap<String, Assets>,
    ) -> Result<Wording, Vec<WordingError>> {
        let hosts = House::hosts()?;
        let house = match overrides.get(SHOP) {
            Some(own) => Arc::new(House::over(&hosts, own)?),
            None => hosts,
        };
        let mut errors = Vec::new();
        let mut scripts = BTreeMap::new();
        for (name, assets) in plugins {
            match self.script(name, assets, &house, overrides.get(name)) {
                Ok(script) => {
                    scripts.insert(name.clone(), script);
                }
                Err(found) => errors.extend(found),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let locales = if locales.is_empty() { vec!["en".to_owned()] } else { locales.to_vec() };
        Ok(Wording { locales, house, plugins: scripts })
    }

    /// `own`: what the merchant put into the plugin's folder. `house` is the host's unless the merchant changed it.
    fn script(
        &mut self,
        plugin: &str,
        assets: &Arc<Assets>,
        house: &Arc<House>,
        own: Option<&Assets>,
    ) -> Result<Arc<Script>, Vec<WordingError>> {
        let hosts = House::hosts()?;
        let packed = self.packed(plugin, assets, &hosts);
        if own.is_none() && Arc::ptr_eq(house, &hosts) {
            return packed;
        }
        // What is broken in the plugin's file may be mended by the merchant's.
        Script::build(plugin, assets, house, own, packed.ok().as_deref()).map(Arc::new)
    }

    fn packed(
        &mut self,
        plugin: &str,
        assets: &Arc<Assets>,
        hosts: &House,
    ) -> Result<Arc<Script>, Vec<WordingError>> {
        let key = (plugin.to_owned(), Packed(Arc::downgrade(assets)));
        if let Some(script) = self.packed.get(&key).and_then(Weak::upgrade) {
            return Ok(script);
        }
        let offered = (plugin.to_owned(), digest(assets));
        if let Some(errors) = self.broken.get(&offered) {
            return Err(errors.clone());
        }
        let script = Script::build(plugin, assets, hosts, None, None).inspect_err(|errors| {
            if self.broken.len() >= BROKEN {
                self.broken.clear();
            }
            self.broken.insert(offered, errors.clone());
        })?;
        let script = Arc::new(script);
        self.packed.retain(|_, script| script.strong_count() > 0);
        self.packed.insert(key, Arc::downgrade(&script));
        Ok(script)
    }
}

fn digest(assets: &Assets) -> Digest {
    let mut hash = Sha256::new();
    for (path, content) in assets {
        for part in [path, content] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize().into()
}

impl Script {
    /// `packed`: the same plugin without anything of a merchant's, when that is sound.
    fn build(
        plugin: &str,
        assets: &Assets,
        house: &House,
        own: Option<&Assets>,
        packed: Option<&Self>,
    ) -> Result<Self, Vec<WordingError>> {
        let texts = match packed {
            Some(packed) => Ok(packed.texts.clone()),
            None => Texts::build(locale_files(&format!("{plugin}: "), assets)),
        };
        let texts = texts.and_then(|texts| match own {
            Some(own) => texts.over(locale_files(&format!("{plugin}/"), own)),
            None => Ok(texts),
        });
        let (texts, mut errors) = match texts {
            Ok(texts) => (texts, Vec::new()),
            Err(errors) => (Texts::default(), errors),
        };
        // Missing keys of a text file that does not parse would only hide its own error.
        let lenient = !errors.is_empty();
        let has_text = |key: &str| lenient || texts.has(key) || house.texts.has(key);
        let packed = packed.map(|packed| &packed.templates);
        match Templates::build(plugin, assets, house, own, packed, has_text) {
            Ok(templates) if errors.is_empty() => Ok(Self { texts, templates }),
            Ok(_) => Err(errors),
            Err(found) => {
                errors.extend(found);
                Err(errors)
            }
        }
    }
}

#[cfg(test)]
mod tests;
