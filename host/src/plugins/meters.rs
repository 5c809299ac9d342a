//! Counts and times calls, by shop, plugin and hook.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, gauge, histogram};

use crate::domain::Hook;
use crate::plugins::breaker::Position;
use crate::plugins::call::Fault;

/// Calls, by how they ended.
const CALLS: &str = "cartwright_plugin_calls_total";
/// Their wall time.
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

/// The metrics of one live plugin. They are looked up at its first call of a hook and kept: a look-up
/// costs as much as a good part of a small call.
#[derive(Default)]
pub struct CallMeters {
    hooks: [OnceLock<HookMeters>; Hook::ALL.len()],
}

struct HookMeters {
    seconds: Histogram,
    ok: Counter,
    faults: [(&'static str, Counter); Fault::KINDS.len()],
}

impl std::fmt::Debug for CallMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallMeters")
    }
}

impl CallMeters {
    pub(super) fn record(
        &self,
        shop: &str,
        plugin: &str,
        hook: Hook,
        fault: Option<&Fault>,
        elapsed: Duration,
    ) {
        let Some(meters) = self.hooks.get(hook as usize) else { return };
        let meters = meters.get_or_init(|| HookMeters::new(shop, plugin, hook));
        meters.seconds.record(elapsed.as_secs_f64());
        match fault {
            None => meters.ok.increment(1),
            Some(fault) => {
                if let Fault::Limit { setting, .. } | Fault::Busy { setting, .. } = fault {
                    passed(shop, plugin, setting);
                }
                if let Some((_, counter)) = meters.faults.iter().find(|(kind, _)| *kind == fault.kind()) {
                    counter.increment(1);
                }
            }
        }
    }
}

impl HookMeters {
    fn new(shop: &str, plugin: &str, hook: Hook) -> Self {
        let labels =
            [("shop", shop.to_owned()), ("plugin", plugin.to_owned()), ("hook", hook.name().to_owned())];
        let calls = |outcome: &'static str| {
            let [shop, plugin, hook] = labels.clone();
            counter!(CALLS, &[shop, plugin, hook, ("outcome", outcome.to_owned())])
        };
        Self {
            seconds: histogram!(SECONDS, &labels),
            ok: calls("ok"),
            faults: Fault::KINDS.map(|kind| (kind, calls(kind))),
        }
    }
}
