//! Why a call gave nothing, in words for the plugin's author.

use wasmtime::{Trap, WasmBacktrace};

use crate::config::Limits;
use crate::domain::instant;
use crate::domain::scrub::scrub;

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The handler returned `err`.
    #[error("{0}")]
    Refused(String),
    /// A trap: unreachable, out of bounds, an import in a hook where it is not allowed.
    #[error("{0}")]
    Trapped(String),
    #[error("took longer than {ms} ms ({within})")]
    Late { ms: u64, within: Within },
    /// A cap: its setting, its value.
    #[error("passed limits.{setting} = {value}; {}", remedy(.setting))]
    Limit { setting: &'static str, value: u64 },
    /// No slot was free while there was time: the plugin was not called.
    #[error("waited {waited_ms} ms for a slot and got none: limits.{setting} = {value} are in use")]
    Busy { setting: &'static str, value: u64, waited_ms: u64 },
    /// It failed too often: the plugin was not called.
    #[error(
        "its breaker is open since {}: {why}; it is tried again at {}",
        instant::to_rfc3339(*.since_ms),
        instant::to_rfc3339(*.until_ms)
    )]
    BreakerOpen { since_ms: i64, until_ms: i64, why: String },
    #[error("the host could not read what the plugin asked for: {0}")]
    Host(String),
}

/// Which time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// A plugin's own for a decision stage.
    Decision,
    /// A plugin's own for an event hook.
    Event,
    /// What was left of the hook's budget.
    Budget,
}

impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Decision => "limits.decision_ms",
            Self::Event => "limits.event_ms",
            Self::Budget => "what was left of the hook's time in [budgets]",
        })
    }
}

/// Where a limit is changed.
fn remedy(setting: &str) -> String {
    match setting {
        "stack_kib" => "set it under [limits] of cartwright.toml; it is the same for all plugins".to_owned(),
        _ => format!(
            "set it with `limits = {{ {setting} = … }}` in the plugin's entry, or for all under [limits] of cartwright.toml"
        ),
    }
}

impl Fault {
    /// The kinds, for metrics.
    pub const KINDS: [&'static str; 7] = ["err", "trap", "late", "limit", "busy", "breaker-open", "host"];

    /// `err`, `trap`, `late`, `limit`, `busy`, `breaker-open`, `host`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "err",
            Self::Trapped(_) => "trap",
            Self::Late { .. } => "late",
            Self::Limit { .. } => "limit",
            Self::Busy { .. } => "busy",
            Self::BreakerOpen { .. } => "breaker-open",
            Self::Host(_) => "host",
        }
    }

    /// As it is kept and shown: in a plugin's own words may be what it knows of a customer.
    pub(in crate::plugins) fn told(&self) -> String {
        match self {
            Self::Limit { .. } | Self::Late { .. } => self.to_string(),
            _ => shown(&scrub(&self.to_string())),
        }
    }

    /// The plugin's own doing; not the host's, nor that it was not called at all.
    #[must_use]
    pub fn is_the_plugins(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Trapped(_) | Self::Late { .. } | Self::Limit { .. } => true,
            Self::Busy { .. } | Self::BreakerOpen { .. } | Self::Host(_) => false,
        }
    }
}

pub(super) fn is_trap(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<Trap>().is_some()
}

/// Whether what ran in the plugin ended so, and not what surrounds it.
pub(in crate::plugins) fn is_the_guests(error: &wasmtime::Error) -> bool {
    is_trap(error)
        || error.downcast_ref::<Fault>().is_some()
        || error.downcast_ref::<WasmBacktrace>().is_some()
}

/// What stopped a call, as a sentence.
pub(in crate::plugins) fn of_error(error: &wasmtime::Error, limits: &Limits) -> Fault {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.clone();
    }
    let Some(trap) = error.downcast_ref::<Trap>() else {
        let text = format!("{error:#}");
        // The error that wasmtime gives when a single call hands over too much has no public type.
        if text.contains("fuel allocated for hostcalls") {
            return Fault::Limit { setting: "output_bytes", value: u64::from(limits.output_bytes) };
        }
        // So has the one for a component of more instances than its limiter allows.
        if text.contains("instance count too high") {
            return Fault::Limit { setting: "instances", value: u64::from(limits.instances) };
        }
        // Where the guest was is not what a person wants to know first.
        return Fault::Trapped(match error.downcast_ref::<WasmBacktrace>() {
            Some(_) => format!("{}{}", shown(&error.root_cause().to_string()), place(error)),
            None => shown(&text),
        });
    };
    let what = match trap {
        Trap::StackOverflow => {
            return Fault::Limit { setting: "stack_kib", value: u64::from(limits.stack_kib) };
        }
        Trap::UnreachableCodeReached => {
            "stopped itself: a panic, a failed assertion or an exception; its log may say more".to_owned()
        }
        Trap::MemoryOutOfBounds => {
            "reached outside its memory; a stack of its own that is too small, or unsafe code".to_owned()
        }
        Trap::IntegerDivisionByZero => "divided by zero".to_owned(),
        Trap::IntegerOverflow | Trap::BadConversionToInteger => {
            "computed a number that does not fit".to_owned()
        }
        other => other.to_string(),
    };
    Fault::Trapped(format!("{what}{}", place(error)))
}

/// The innermost function with a name, when the plugin kept its names.
fn place(error: &wasmtime::Error) -> String {
    error
        .downcast_ref::<WasmBacktrace>()
        .and_then(|trace| trace.frames().iter().find_map(|frame| frame.func_name()))
        .map(|name| format!(" (in `{}`)", shortened(name)))
        .unwrap_or_default()
}

/// The same for what is no text for people: without control characters, which a terminal would obey.
pub(in crate::plugins) fn shown(text: &str) -> String {
    let clean =
        |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    shortened(text).chars().map(clean).collect()
}

/// What a guest says goes into logs and answers: no longer than a screen.
fn shortened(text: &str) -> String {
    const MOST: usize = 1_000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
