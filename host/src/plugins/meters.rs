//! Counts calls by shop, plugin and hook, and times them by plugin and hook.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram, Label, counter, gauge, histogram};

use crate::domain::Hook;
use crate::plugins::breaker::Position;
use crate::plugins::call::Fault;

/// Calls, by how they ended.
const CALLS: &str = "cartwright_plugin_calls_total";
/// Their wall time. Not by shop: of a thousand shops the bounds alone would be a hundred thousand lines, and samples
/// wait in memory, a page for each.
const SECONDS: &str = "cartwright_plugin_call_seconds";

/// Limits that were passed, by their settings.
const LIMITS: &str = "cartwright_plugin_limits_total";

pub(super) fn passed(shop: &str, plugin: &str, setting: &'static str) {
    let labels = [("shop", shop.to_owned()), ("plugin", plugin.to_owned()), ("limit", setting.to_owned())];
    counter!(LIMITS, &labels).increment(1);
}

/// 1 for the position that a plugin's breaker is in, else 0.
const BREAKER: &str = "cartwright_plugin_breaker";

/// `None`: there is no such plugin any more.
pub(super) fn show_breaker(shop: &str, plugin: &str, now: Option<Position>) {
    for position in Position::ALL {
        let labels =
            [("shop", shop.to_owned()), ("plugin", plugin.to_owned()), ("state", position.name().to_owned())];
        gauge!(BREAKER, &labels).set(if now == Some(position) { 1.0 } else { 0.0 });
    }
}

/// The metrics of one live plugin. Each is looked up when it is first needed, and kept: a look-up costs as much as
/// a good part of a small call. A host may have ten thousand live plugins, and most of them are called at few hooks
/// and never fail: what is not needed takes no room, here or in `/metrics`.
#[derive(Default)]
pub struct CallMeters {
    hooks: [OnceLock<Box<HookMeters>>; Hook::ALL.len()],
}

struct HookMeters {
    labels: [Label; 3],
    seconds: Histogram,
    ok: Counter,
    faults: [OnceLock<Counter>; Fault::KINDS.len()],
}

impl std::fmt::Debug for CallMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallMeters")
    }
}

impl CallMeters {
    pub(super) fn record(
        &self,
        shop: &Arc<str>,
        plugin: &str,
        hook: Hook,
        fault: Option<&Fault>,
        elapsed: Duration,
    ) {
        let Some(meters) = self.hooks.get(hook as usize) else { return };
        let meters = meters.get_or_init(|| Box::new(HookMeters::new(shop, plugin, hook)));
        meters.seconds.record(elapsed.as_secs_f64());
        match fault {
            None => meters.ok.increment(1),
            Some(fault) => {
                if let Fault::Limit { setting, .. } | Fault::Busy { setting, .. } = fault {
                    passed(shop, plugin, setting);
                }
                meters.count(fault.kind());
            }
        }
    }
}

impl HookMeters {
    fn new(shop: &Arc<str>, plugin: &str, hook: Hook) -> Self {
        let labels = [
            Label::new("shop", Arc::clone(shop)),
            Label::new("plugin", Arc::<str>::from(plugin)),
            Label::from_static_parts("hook", hook.name()),
        ];
        let [_, of_plugin, of_hook] = &labels;
        let seconds = histogram!(SECONDS, vec![of_plugin.clone(), of_hook.clone()]);
        let ok = calls(&labels, "ok");
        Self { labels, seconds, ok, faults: Default::default() }
    }

    fn count(&self, fault: &'static str) {
        let known = Fault::KINDS.iter().position(|kind| *kind == fault);
        if let Some(counter) = known.and_then(|at| self.faults.get(at)) {
            counter.get_or_init(|| calls(&self.labels, fault)).increment(1);
        }
    }
}

fn calls(labels: &[Label], outcome: &'static str) -> Counter {
    let outcome = Label::from_static_parts("outcome", outcome);
    counter!(CALLS, [labels, &[outcome]].concat())
}
