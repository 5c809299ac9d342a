//! The functions and filters of templates: texts, amounts and dates for one reader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{ArgType, Kwargs, Value as Seen};
use minijinja::{Environment, Error};

use super::view::{View, arguments};
use crate::domain::{Arrival, Product};
use crate::wording::{Reader, Wording};

/// Speaks to one reader, in one plugin's words. Cheap to clone.
#[derive(Clone)]
pub(super) struct Voice {
    of: Arc<(Arc<Wording>, Reader, String)>,
    missing: Arc<Mutex<BTreeSet<String>>>,
}

impl Voice {
    pub fn new(wording: Arc<Wording>, reader: Reader, plugin: String) -> Self {
        Self { of: Arc::new((wording, reader, plugin)), missing: Arc::default() }
    }

    /// Texts that nobody has, so far.
    pub fn missing(&self) -> Vec<String> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Adds `t`, `house`, `money`, `date`, `instant`, `duration`, `arrival` and `product`.
    pub fn teach(&self, environment: &mut Environment<'static>, products: &BTreeMap<String, Arc<Product>>) {
        let own = self.clone();
        environment.add_function("t", move |key: String, named: Kwargs| own.say(true, &key, &named));
        // The layout's own words: a plugin cannot change them by using the same key.
        let house = self.clone();
        environment.add_function("house", move |key: String, named: Kwargs| house.say(false, &key, &named));
        self.shows(environment, "money", |view, amount: i64| view.money(amount));
        self.shows(environment, "date", |view, iso: String| view.date(&iso));
        self.shows(environment, "instant", |view, at_ms: i64| view.instant(at_ms));
        self.shows(environment, "duration", |view, minutes: i64| {
            Seen::from(view.wording.duration(minutes, view.reader))
        });
        let arrivals = self.clone();
        environment.add_function("arrival", move |earliest: String, latest: String| {
            arrivals.view().arrival(&Arrival { earliest, latest })
        });
        let products: BTreeMap<String, Seen> =
            products.iter().map(|(id, product)| (id.clone(), self.view().product(product))).collect();
        environment
            .add_function("product", move |id: String| products.get(&id).cloned().unwrap_or(Seen::UNDEFINED));
    }

    /// As a function and as a filter.
    fn shows<A>(
        &self,
        environment: &mut Environment<'static>,
        name: &'static str,
        show: impl Fn(&View<'_>, A) -> Seen + Copy + Send + Sync + 'static,
    ) where
        A: for<'a> ArgType<'a, Output = A> + 'static,
    {
        let function = self.clone();
        environment.add_function(name, move |value: A| show(&function.view(), value));
        let filter = self.clone();
        environment.add_filter(name, move |value: A| show(&filter.view(), value));
    }

    fn say(&self, own: bool, key: &str, named: &Kwargs) -> Result<String, Error> {
        let values: Vec<(&str, Seen)> =
            named.args().map(|name| Ok((name, named.peek::<Seen>(name)?))).collect::<Result<_, Error>>()?;
        let (wording, reader, plugin) = &*self.of;
        let filled = arguments(values.iter().map(|(name, value)| (*name, value)));
        let text = wording.find(own.then_some(plugin.as_str()), key, &filled, reader);
        Ok(text.unwrap_or_else(|| {
            let remark = format!("there is no text `{key}` in any language");
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(remark);
            String::new()
        }))
    }

    fn view(&self) -> View<'_> {
        let (wording, reader, plugin) = &*self.of;
        View { wording, reader, plugin }
    }
}
