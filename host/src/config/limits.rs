//! `[limits]`, `limits = { … }` of a plugin, and `[breaker]`: what plugins may use, and when a failing one rests.

use serde::Deserialize;

/// What plugins may use. `[limits]` says it for all; a plugin's own `limits` may lower each, and raise it up
/// to `[limits.maximum]`. What is not in [`PluginLimits`] is the host's alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Linear memory of a call, MiB. Default 32.
    pub memory_mib: u32,
    /// Elements of a call's tables. Default 20 000.
    pub table_elements: u32,
    /// Core instances of a component. Default 16.
    pub instances: u32,
    /// Guest stack, KiB; built into the pool, so the same for all. Default 512.
    pub stack_kib: u32,
    /// Wall time of a call of a decision stage, ms, from its begin on. Default 200.
    pub decision_ms: u32,
    /// Wall time of a call of an event hook, ms. Default 5000.
    pub event_ms: u32,
    /// Time that a call of a decision stage computes, ms; waiting is not counted. Default 150.
    pub decision_cpu_ms: u32,
    /// Time that a call of an event hook computes, ms. Default 2000.
    pub event_cpu_ms: u32,
    /// Calls of imports; each item of a list that is read counts. Default 10 000.
    pub host_calls: u32,
    /// Effects of a call. Default 1 000.
    pub effects: u32,
    /// Bytes that a call may hand to the host, at once and in sum. Default 1 MiB.
    pub output_bytes: u32,
    /// Bytes of a call's log lines. Default 16 KiB.
    pub log_bytes: u32,
    /// Log lines of a plugin, over all its calls. Default 50.
    pub log_lines_per_second: u32,
    /// Messages that a plugin sends for one event. Default 20.
    pub messages_per_event: u32,
    /// Messages that a plugin sends in a shop on one day (UTC). Default 10 000.
    pub messages_per_day: u32,
    /// Timers of a plugin in a shop that wait. Default 100 000.
    pub timers: u32,
    /// Keys of a plugin's state in a shop. Default 1 000 000.
    pub state_keys: u32,
    /// Keys and values of a plugin's state in a shop, MiB. Default 256.
    pub state_mib: u32,
    /// Part of a class's slots that one plugin of one shop may have at once, %. Default 50.
    pub share_percent: u32,
    /// Part of a class's slots that one shop may have at once, %. Default 75.
    pub shop_share_percent: u32,
    /// Calls of decision stages at once, over all shops. Default 64.
    pub concurrent_decisions: u32,
    /// Calls of event hooks at once. Default 16.
    pub concurrent_events: u32,
    /// Messages that are handed over at once; half of them for one shop at most. Default 8.
    pub concurrent_messages: u32,
    /// Jobs of one shop that are not done yet; beyond it API clients are told to come back. Default 50 000.
    pub open_jobs_per_shop: u32,
    /// The same for all shops together. Default 500 000.
    pub open_jobs: u32,
    /// Seconds that a job belongs to a host that has begun it; while that host lives they begin anew. After a crash
    /// other hosts wait for their end. Default 30.
    pub lease_seconds: u32,
    /// What a shop's file may raise a limit to. Without a key: no further than the limit itself.
    pub maximum: PluginLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mib: 32,
            table_elements: 20_000,
            instances: 16,
            stack_kib: 512,
            decision_ms: 200,
            event_ms: 5_000,
            decision_cpu_ms: 150,
            event_cpu_ms: 2_000,
            host_calls: 10_000,
            effects: 1_000,
            output_bytes: 1 << 20,
            log_bytes: 16 << 10,
            log_lines_per_second: 50,
            messages_per_event: 20,
            messages_per_day: 10_000,
            timers: 100_000,
            state_keys: 1_000_000,
            state_mib: 256,
            share_percent: 50,
            shop_share_percent: 75,
            concurrent_decisions: 64,
            concurrent_events: 16,
            concurrent_messages: 8,
            open_jobs_per_shop: 50_000,
            open_jobs: 500_000,
            lease_seconds: 30,
            maximum: PluginLimits::default(),
        }
    }
}

/// A plugin asks for more than this host lets a shop give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{limit}` = {value} is more than this host allows; {most} is the most, unless its `[limits.maximum]` is raised"
)]
pub struct Beyond {
    pub limit: &'static str,
    pub value: u32,
    pub most: u32,
}

/// The limits that a plugin's entry may set: one line each.
macro_rules! of_plugins {
    ($($name:ident: $least:literal ..= $most:literal,)*) => {
        /// `limits = { … }` of a plugin's entry, and `[limits.maximum]`.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct PluginLimits { $(pub $name: Option<u32>,)* }

        impl PluginLimits {
            /// Key, value, and the range that makes sense, of those that are set.
            pub(in crate::config) fn set(&self) -> impl Iterator<Item = (&'static str, u32, (u32, u32))> {
                [$((stringify!($name), self.$name, ($least, $most)),)*]
                    .into_iter()
                    .filter_map(|(name, value, range)| Some((name, value?, range)))
            }
        }

        impl Limits {
            /// The same of `[limits]` itself.
            pub(in crate::config) fn set(&self) -> impl Iterator<Item = (&'static str, u32, (u32, u32))> {
                [$((stringify!($name), self.$name, ($least, $most)),)*].into_iter()
            }

            /// What holds for a plugin, and the first of its own limits that is too high: that one is cut
            /// to the most that is allowed.
            #[must_use]
            pub fn of_plugin(&self, own: &PluginLimits) -> (Self, Option<Beyond>) {
                let (mut limits, mut beyond) = (self.clone(), None);
                $(if let Some(value) = own.$name {
                    let most = self.maximum.$name.unwrap_or(0).max(self.$name);
                    if value > most && beyond.is_none() {
                        beyond = Some(Beyond { limit: stringify!($name), value, most });
                    }
                    limits.$name = value.min(most);
                })*
                (limits, beyond)
            }
        }
    };
}

of_plugins! {
    memory_mib: 1..=4_096,
    table_elements: 1..=10_000_000,
    instances: 1..=1_000,
    decision_ms: 1..=60_000,
    event_ms: 1..=600_000,
    decision_cpu_ms: 1..=60_000,
    event_cpu_ms: 1..=600_000,
    host_calls: 1..=10_000_000,
    effects: 1..=1_000_000,
    output_bytes: 1_024..=1_073_741_824,
    log_bytes: 0..=1_073_741_824,
    log_lines_per_second: 1..=100_000,
    messages_per_event: 0..=10_000,
    messages_per_day: 0..=1_000_000_000,
    timers: 0..=1_000_000_000,
    state_keys: 0..=1_000_000_000,
    state_mib: 0..=1_048_576,
    share_percent: 1..=100,
}

/// When a plugin that fails too often is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Of the calls in the window. Default 50.
    pub failure_percent: u32,
    /// Fewer calls in the window prove nothing. Default 10.
    pub calls: u32,
    /// Default 30.
    pub window_seconds: u32,
    /// It is left alone so long, then tried. Default 30.
    pub pause_seconds: u32,
    /// Calls that try it; all must succeed. Default 3.
    pub probes: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failure_percent: 50, calls: 10, window_seconds: 30, pause_seconds: 30, probes: 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_may_have_less_and_more_only_up_to_the_hosts_maximum() {
        let host: Limits = toml::from_str("event_ms = 3000\n[maximum]\nevent_ms = 9000\n").unwrap();
        let own = |text: &str| host.of_plugin(&toml::from_str(text).unwrap());
        let (limits, beyond) = own("event_ms = 9000\ndecision_ms = 50");
        assert_eq!((limits.event_ms, limits.decision_ms, beyond), (9_000, 50, None));
        let (limits, beyond) = own("event_ms = 9001\nmemory_mib = 33");
        assert_eq!((limits.event_ms, limits.memory_mib), (9_000, 32), "cut to what is allowed");
        let beyond = beyond.unwrap();
        assert_eq!(beyond, Beyond { limit: "memory_mib", value: 33, most: 32 });
        assert!(beyond.to_string().contains("`memory_mib` = 33"), "{beyond}");
        assert!(toml::from_str::<PluginLimits>("stack_kib = 100").is_err(), "the host's alone");
    }
}
