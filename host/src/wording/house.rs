//! What every message of a shop shares: the host's layout, pieces and texts, and the merchant's own over them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use minijinja::{Environment, UndefinedBehavior};

use super::shared::SHARED;
use super::templates::{bare_path, broken, is_template};
use super::texts::Texts;
use super::{Assets, WordingError, locale_files};

/// What one template may do: enough for an order of hundreds of lines, not for a loop without end.
const FUEL: u64 = 400_000;

/// The merchant's folder of it, and the name for errors.
pub(super) const SHOP: &str = "shop";

#[derive(Debug)]
pub(super) struct House {
    pub(super) texts: Texts,
    /// The merchant's templates, by the names under which the others find them.
    own: BTreeMap<String, String>,
    /// Of all shared templates.
    pub(super) names: Arc<BTreeSet<String>>,
    /// The shared pieces with the names of their arguments.
    pub(super) pieces: Arc<BTreeMap<String, Vec<String>>>,
}

/// The host's templates, compiled once.
static ENVIRONMENT: LazyLock<Result<Environment<'static>, Vec<WordingError>>> = LazyLock::new(|| {
    let mut environment = bare();
    let mut errors = Vec::new();
    for (path, content) in SHARED.iter().filter(|(path, _)| is_template(path)) {
        if let Err(error) = environment.add_template(path, content) {
            errors.push(broken(path, &error));
        }
    }
    if errors.is_empty() { Ok(environment) } else { Err(errors) }
});

static HOSTS: LazyLock<Result<Arc<House>, Vec<WordingError>>> = LazyLock::new(|| {
    let texts = Texts::build(locale_files("shared/", &SHARED))?;
    House::with(texts, BTreeMap::new()).map(Arc::new)
});

impl House {
    /// Without anything of a merchant's: the same for all shops.
    pub(super) fn hosts() -> Result<Arc<Self>, Vec<WordingError>> {
        HOSTS.clone()
    }

    /// With what a merchant put into their folder. Gives all that is wrong with it.
    pub(super) fn over(hosts: &Self, own: &Assets) -> Result<Self, Vec<WordingError>> {
        let texts = hosts.texts.over(locale_files("shop/", own));
        let templates = own.iter().filter(|(path, _)| is_template(path));
        let templates = templates.map(|(path, content)| (bare_path(path).to_owned(), content.clone()));
        let (texts, mut errors) = match texts {
            Ok(texts) => (texts, Vec::new()),
            Err(errors) => (Texts::default(), errors),
        };
        match Self::with(texts, templates.collect()) {
            Ok(house) if errors.is_empty() => Ok(house),
            Ok(_) => Err(errors),
            Err(found) => {
                errors.extend(found);
                Err(errors)
            }
        }
    }

    fn with(texts: Texts, own: BTreeMap<String, String>) -> Result<Self, Vec<WordingError>> {
        let hosts = SHARED.iter().filter(|(path, _)| is_template(path));
        let mut all: BTreeMap<&String, &String> = hosts.collect();
        all.extend(&own);
        let pieces = all.iter().filter_map(|(path, content)| {
            let name = path.strip_prefix("blocks/")?.strip_suffix(".html")?;
            Some((name.to_owned(), parameters(content)))
        });
        let (names, pieces) = (all.keys().map(|path| (*path).clone()).collect(), pieces.collect());
        let house = Self { texts, own, names: Arc::new(names), pieces: Arc::new(pieces) };
        house.environment(None)?;
        Ok(house)
    }

    /// The shared templates beside those that are in `base` already, which has the host's.
    pub(super) fn environment(
        &self,
        base: Option<&Environment<'static>>,
    ) -> Result<Environment<'static>, Vec<WordingError>> {
        let mut environment = match base {
            Some(base) => base.clone(),
            None => ENVIRONMENT.clone()?,
        };
        let mut errors = Vec::new();
        for (path, content) in &self.own {
            if let Err(error) = environment.add_template_owned(path.clone(), content.clone()) {
                errors.push(broken(&format!("{SHOP}/{path}"), &error));
            }
        }
        if errors.is_empty() { Ok(environment) } else { Err(errors) }
    }
}

fn bare() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(64);
    // Its errors would carry the values of variables, and so a name.
    environment.set_debug(false);
    environment.remove_filter("safe");
    environment
}

/// `{# button(url, label) #}` in the first line.
fn parameters(source: &str) -> Vec<String> {
    let first = source.lines().next().unwrap_or_default();
    let Some((_, rest)) = first.split_once('(') else { return Vec::new() };
    let Some((inner, _)) = rest.split_once(')') else { return Vec::new() };
    inner.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}
