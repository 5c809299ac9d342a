//! What is to be reached: a name in `figures.json`, what it is, and the target.

use crate::figure::Measured;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

#[derive(Debug)]
pub struct Named {
    pub name: &'static str,
    pub what: &'static str,
    pub target: Target,
}

const fn named(name: &'static str, what: &'static str, target: Target) -> Named {
    Named { name, what, target }
}

use Target::{AtLeast, AtMost};

pub const TARGETS: [Named; 15] = [
    named("fresh_call_over_native", "a call in a fresh instance ÷ the same logic native", AtMost(3.5)),
    named("checkout4_over_native", "checkouts/s, 4 plugins ÷ the same logic native", AtLeast(0.45)),
    named("extism_fresh_over_ours", "Extism's call in a fresh instance ÷ ours", AtLeast(9.0)),
    named("extism_reused_over_ours", "Extism's call in a kept instance ÷ ours in a fresh one", AtLeast(2.0)),
    named("checkout4_over_webhooks_axum", "checkouts/s, 4 plugins ÷ 4 webhooks in axum", AtLeast(2.5)),
    named("checkout4_over_webhooks_node", "checkouts/s, 4 plugins ÷ 4 webhooks in Node", AtLeast(8.0)),
    named("p99_over_webhooks_axum", "p99 at the same load, 4 plugins ÷ 4 webhooks in axum", AtMost(0.5)),
    named("reload_ms", "a plugin's file saved → its new behaviour served", AtMost(300.0)),
    named("reload_failed", "checkouts that failed in 100 reloads under load", AtMost(0.0)),
    named("start_20_cached_ms", "process started → ready, 20 cached plugins", AtMost(300.0)),
    named("intake_over_raw_sqlite", "durable events/s through HTTP ÷ raw inserts, SQLite", AtLeast(0.6)),
    named(
        "intake_over_raw_postgres",
        "durable events/s through HTTP ÷ raw inserts, PostgreSQL",
        AtLeast(0.6),
    ),
    named("lifecycle_over_native", "orders worked off/s, 2 plugins ÷ the same logic native", AtLeast(0.7)),
    named("shops_1000_kib_each", "memory of a shop, 1,000 shops sharing 10 plugins", AtMost(100.0)),
    named("plugins_32_over_1", "a checkout's latency, 32 plugins ÷ 1", AtMost(32.0)),
];

/// None: a figure that is told beside.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|named| named.name == name).map(|named| named.target)
}

impl Target {
    pub fn is_met_by(self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= least,
            AtMost(most) => value <= most,
        }
    }

    /// The best of the rounds.
    pub fn best(self, measured: &Measured) -> f64 {
        match self {
            AtLeast(_) => measured.max,
            AtMost(_) => measured.min,
        }
    }

    /// By more than a third.
    pub fn fell(self, before: f64, now: f64) -> bool {
        match self {
            AtLeast(_) => now < before * 2.0 / 3.0,
            AtMost(_) => now > before * 1.5,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AtLeast(least) => write!(f, "≥ {least}"),
            AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}
