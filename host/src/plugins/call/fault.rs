//! Why a call gave nothing, in words for the plugin's author.

use wasmtime::{Trap, WasmBacktrace};

use crate::config::Limits;

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The handler returned `err`.
    #[error("{0}")]
    Refused(String),
    /// A trap: unreachable, out of bounds, stack overflow, an import in a hook where it is not allowed.
    #[error("{0}")]
    Trapped(String),
    #[error(
        "took longer than {0} ms (limits.decision_ms, limits.event_ms, or what was left of the hook's budget)"
    )]
    Late(u64),
    /// A cap: its setting, its value.
    #[error("passed limits.{setting} = {value}")]
    Limit { setting: &'static str, value: u64 },
    #[error("the host could not read what the plugin asked for: {0}")]
    Host(String),
}

impl Fault {
    /// `err`, `trap`, `late`, `limit`, `host`: for metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "err",
            Self::Trapped(_) => "trap",
            Self::Late(_) => "late",
            Self::Limit { .. } => "limit",
            Self::Host(_) => "host",
        }
    }
}

pub(super) fn is_trap(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<Trap>().is_some()
}

/// What stopped a call, as a sentence.
pub(super) fn of_error(error: &wasmtime::Error, limits: &Limits) -> Fault {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.clone();
    }
    let Some(trap) = error.downcast_ref::<Trap>() else {
        let text = format!("{error:#}");
        // The error that wasmtime gives when a single call hands over too much has no public type.
        if text.contains("fuel allocated for hostcalls") {
            return Fault::Limit { setting: "output_bytes", value: u64::from(limits.output_bytes) };
        }
        return Fault::Trapped(shortened(&text));
    };
    let what = match trap {
        Trap::StackOverflow => {
            format!(
                "used up its stack (limits.stack_kib = {}); a recursion that does not end?",
                limits.stack_kib
            )
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

/// What a guest says goes into logs and answers: no longer than a screen.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 1_000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
