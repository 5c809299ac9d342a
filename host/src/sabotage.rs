//! Faults put in on purpose: `tests/chaos` shows with them that it would find such a fault. Only in its own builds
//! (feature `sabotage`); in every other build each is off, and the compiler leaves its code out.

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A job commits under an older lease too, and nothing looks whether its effects were committed before.
    NoFence,
    /// The same event twice is two events.
    NoDedup,
    /// Effects are durable before their job is done.
    EffectsBeforeCommit,
    /// An event is answered before it is stored.
    AckBeforeCommit,
    /// A call commits though what it read has changed.
    NoCompare,
}

/// So long a crash may come between the two halves of what a sabotage takes apart.
pub const GAP: std::time::Duration = std::time::Duration::from_millis(30);

/// Whether the build has it and `CARTWRIGHT_SABOTAGE` names it, e.g. `no-fence`.
#[cfg(feature = "sabotage")]
#[must_use]
pub fn on(sabotage: Sabotage) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    let name = match sabotage {
        Sabotage::NoFence => "no-fence",
        Sabotage::NoDedup => "no-dedup",
        Sabotage::EffectsBeforeCommit => "effects-before-commit",
        Sabotage::AckBeforeCommit => "ack-before-commit",
        Sabotage::NoCompare => "no-compare",
    };
    CHOSEN.get_or_init(|| std::env::var("CARTWRIGHT_SABOTAGE").ok()).as_deref() == Some(name)
}

#[cfg(not(feature = "sabotage"))]
#[must_use]
pub const fn on(_: Sabotage) -> bool {
    false
}
