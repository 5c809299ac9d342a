//! The breaker of one plugin in one shop: after repeated failure it is left alone for a while, then tried with
//! a few calls. Pure: told the time, asked before a call, told its end.

use std::sync::Arc;

use crate::config::BreakerConfig;

/// Parts that the window is counted in: it moves by one of them.
const PARTS: i64 = 10;

/// What it does with calls.
#[derive(Debug)]
pub(super) struct Breaker {
    state: State,
    window: Window,
    /// Grows with each change: the end of a probe of an earlier time is none of this one's.
    era: u64,
}

#[derive(Debug)]
enum State {
    Closed,
    Open { until_ms: i64, tripped: Tripped },
    HalfOpen { under_way: u32, succeeded: u32, tripped: Tripped },
}

/// Since when it is not closed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tripped {
    pub since_ms: i64,
    pub why: Arc<str>,
}

/// Whether a call may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    Normal,
    /// One of those that try whether the plugin works again, of this era.
    Probe(u64),
    Refused {
        tripped: Tripped,
        until_ms: i64,
    },
}

/// How a call ended, as far as the plugin is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending<'a> {
    Good,
    Bad(&'a str),
    /// It says nothing about the plugin.
    Neither,
}

/// For logs, metrics and `GET /v1/plugins`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    Closed,
    Open,
    HalfOpen,
}

impl Position {
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// `closed`, `open`, `half-open`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: State::Closed, window: Window::default(), era: 0 }
    }
}

impl Breaker {
    pub(super) fn admit(&mut self, config: &BreakerConfig, now_ms: i64) -> Admission {
        if let State::Open { until_ms, tripped } = &self.state
            && over(config, *until_ms, now_ms)
        {
            let tripped = tripped.clone();
            self.become_(State::HalfOpen { under_way: 0, succeeded: 0, tripped });
        }
        match &mut self.state {
            State::Closed => Admission::Normal,
            State::Open { until_ms, tripped } => {
                Admission::Refused { tripped: tripped.clone(), until_ms: *until_ms }
            }
            State::HalfOpen { under_way, succeeded, tripped } => {
                if under_way.saturating_add(*succeeded) >= config.probes {
                    return Admission::Refused { tripped: tripped.clone(), until_ms: now_ms };
                }
                *under_way += 1;
                Admission::Probe(self.era)
            }
        }
    }

    /// Told of the end of each call that was admitted.
    pub(super) fn settle(
        &mut self,
        config: &BreakerConfig,
        now_ms: i64,
        admission: &Admission,
        ending: Ending<'_>,
    ) {
        match (admission, &mut self.state) {
            (Admission::Normal, State::Closed) => self.count(config, now_ms, ending),
            (Admission::Probe(era), State::HalfOpen { under_way, succeeded, tripped })
                if *era == self.era =>
            {
                *under_way = under_way.saturating_sub(1);
                match ending {
                    Ending::Neither => {}
                    Ending::Bad(fault) => {
                        let why = format!("it was tried again and failed: {fault}").into();
                        let tripped = Tripped { since_ms: tripped.since_ms, why };
                        self.become_(State::Open { until_ms: reopens(config, now_ms), tripped });
                    }
                    Ending::Good => {
                        *succeeded += 1;
                        if *succeeded >= config.probes {
                            self.window = Window::default();
                            self.become_(State::Closed);
                        }
                    }
                }
            }
            // A call that began before the last change.
            _ => {}
        }
    }

    fn count(&mut self, config: &BreakerConfig, now_ms: i64, ending: Ending<'_>) {
        let Ending::Bad(fault) = ending else {
            if ending == Ending::Good {
                self.window.add(config, now_ms, false);
            }
            return;
        };
        let (failed, calls) = self.window.add(config, now_ms, true);
        let often = u64::from(failed) * 100 >= u64::from(calls) * u64::from(config.failure_percent);
        if calls >= config.calls && often {
            let why = format!(
                "{failed} of {calls} calls within {} s failed, the last: {fault}",
                config.window_seconds
            )
            .into();
            let tripped = Tripped { since_ms: now_ms, why };
            self.become_(State::Open { until_ms: reopens(config, now_ms), tripped });
        }
    }

    fn become_(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }

    pub(super) fn position(&self) -> Position {
        match self.state {
            State::Closed => Position::Closed,
            State::Open { .. } => Position::Open,
            State::HalfOpen { .. } => Position::HalfOpen,
        }
    }

    pub(super) fn tripped(&self) -> Option<&Tripped> {
        match &self.state {
            State::Closed => None,
            State::Open { tripped, .. } | State::HalfOpen { tripped, .. } => Some(tripped),
        }
    }

    /// When an open one is tried.
    pub(super) fn tried_at(&self) -> Option<i64> {
        match self.state {
            State::Open { until_ms, .. } => Some(until_ms),
            State::Closed | State::HalfOpen { .. } => None,
        }
    }

    /// How many more calls it would admit now; `None`: as many as like.
    pub(super) fn room(&self, config: &BreakerConfig, now_ms: i64) -> Option<u32> {
        match &self.state {
            State::Closed => None,
            State::Open { until_ms, .. } if !over(config, *until_ms, now_ms) => Some(0),
            State::Open { .. } => Some(config.probes),
            State::HalfOpen { under_way, succeeded, .. } => {
                Some(config.probes.saturating_sub(under_way.saturating_add(*succeeded)))
            }
        }
    }
}

/// Whether the pause is over: also when more of it is left than it was long, because the clock was set back.
fn over(config: &BreakerConfig, until_ms: i64, now_ms: i64) -> bool {
    now_ms >= until_ms || until_ms > reopens(config, now_ms)
}

fn reopens(config: &BreakerConfig, now_ms: i64) -> i64 {
    now_ms.saturating_add(i64::from(config.pause_seconds) * 1_000)
}

/// Calls of the last while, in parts of it.
#[derive(Debug, Default)]
struct Window {
    parts: [Part; PARTS as usize],
}

#[derive(Debug, Default, Clone, Copy)]
struct Part {
    /// Which stretch of time it is about.
    number: i64,
    calls: u32,
    failed: u32,
}

impl Window {
    /// Counts a call; gives the failures and the calls of the window.
    fn add(&mut self, config: &BreakerConfig, now_ms: i64, failed: bool) -> (u32, u32) {
        let length = (i64::from(config.window_seconds) * 1_000 / PARTS).max(1);
        let number = now_ms.div_euclid(length);
        let place = usize::try_from(number.rem_euclid(PARTS)).unwrap_or(0);
        if let Some(part) = self.parts.get_mut(place) {
            if part.number != number {
                *part = Part { number, ..Part::default() };
            }
            part.calls = part.calls.saturating_add(1);
            part.failed = part.failed.saturating_add(u32::from(failed));
        }
        let fresh = self.parts.iter().filter(|part| (number - PARTS + 1..=number).contains(&part.number));
        fresh.fold((0, 0), |(failed, calls), part| {
            (failed.saturating_add(part.failed), calls.saturating_add(part.calls))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: BreakerConfig =
        BreakerConfig { failure_percent: 50, calls: 10, window_seconds: 30, pause_seconds: 20, probes: 2 };
    const NOW: i64 = 1_795_000_000_000;

    fn call(breaker: &mut Breaker, now_ms: i64, ending: Ending<'_>) -> Position {
        let admission = breaker.admit(&CONFIG, now_ms);
        breaker.settle(&CONFIG, now_ms, &admission, ending);
        breaker.position()
    }

    fn tripped() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            call(&mut breaker, NOW, Ending::Bad("a bug"));
        }
        assert_eq!(breaker.position(), Position::Open);
        breaker
    }

    #[test]
    fn it_opens_at_the_rate_and_not_before_there_are_enough_calls() {
        let mut breaker = Breaker::default();
        for _ in 0..9 {
            assert_eq!(call(&mut breaker, NOW, Ending::Bad("a bug")), Position::Closed);
        }
        assert_eq!(call(&mut breaker, NOW, Ending::Bad("a bug")), Position::Open);
        let Admission::Refused { tripped, until_ms } = breaker.admit(&CONFIG, NOW + 1) else { panic!() };
        assert_eq!((tripped.since_ms, until_ms), (NOW, NOW + 20_000));
        assert_eq!(&*tripped.why, "10 of 10 calls within 30 s failed, the last: a bug");

        let mut breaker = Breaker::default();
        for _ in 0..100 {
            assert_eq!(call(&mut breaker, NOW, Ending::Good), Position::Closed);
            assert_eq!(call(&mut breaker, NOW, Ending::Good), Position::Closed);
            assert_eq!(call(&mut breaker, NOW, Ending::Bad("now and then")), Position::Closed, "a third");
        }
    }

    #[test]
    fn failures_are_forgotten_with_the_window() {
        let mut breaker = Breaker::default();
        for second in 0..300 {
            // Nine in any thirty seconds.
            let now_ms = NOW + second * 3_400;
            assert_eq!(call(&mut breaker, now_ms, Ending::Bad("slow")), Position::Closed, "{second}");
        }
    }

    #[test]
    fn what_says_nothing_about_the_plugin_is_not_counted() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            assert_eq!(call(&mut breaker, NOW, Ending::Neither), Position::Closed);
        }
        assert_eq!(call(&mut breaker, NOW, Ending::Bad("once")), Position::Closed);
    }

    #[test]
    fn after_the_pause_a_few_calls_try_it_and_close_it() {
        let mut breaker = tripped();
        assert_eq!(breaker.room(&CONFIG, NOW + 19_999), Some(0));
        assert_eq!(breaker.room(&CONFIG, NOW + 20_000), Some(2));
        let (one, two) = (breaker.admit(&CONFIG, NOW + 20_000), breaker.admit(&CONFIG, NOW + 20_000));
        assert_eq!(breaker.position(), Position::HalfOpen);
        assert!(matches!((&one, &two), (Admission::Probe(_), Admission::Probe(_))));
        assert!(matches!(breaker.admit(&CONFIG, NOW + 20_000), Admission::Refused { .. }), "no third");
        assert_eq!(breaker.room(&CONFIG, NOW + 20_000), Some(0));
        // One that said nothing makes room for another.
        breaker.settle(&CONFIG, NOW, &one, Ending::Neither);
        let three = breaker.admit(&CONFIG, NOW + 20_000);
        breaker.settle(&CONFIG, NOW, &two, Ending::Good);
        assert_eq!(breaker.position(), Position::HalfOpen);
        breaker.settle(&CONFIG, NOW, &three, Ending::Good);
        assert_eq!((breaker.position(), breaker.room(&CONFIG, NOW)), (Position::Closed, None));
        assert_eq!(call(&mut breaker, NOW, Ending::Bad("once")), Position::Closed, "a new window");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_pause_longer() {
        let mut breaker = tripped();
        assert_eq!(breaker.room(&CONFIG, NOW - 3_600_000), Some(2));
        assert!(matches!(breaker.admit(&CONFIG, NOW - 3_600_000), Admission::Probe(_)));
        assert_eq!(tripped().room(&CONFIG, NOW), Some(0));
    }

    #[test]
    fn a_probe_that_fails_opens_it_again_and_it_is_still_the_same_trouble() {
        let mut breaker = tripped();
        let (one, two) = (breaker.admit(&CONFIG, NOW + 20_000), breaker.admit(&CONFIG, NOW + 20_000));
        breaker.settle(&CONFIG, NOW + 20_000, &one, Ending::Bad("still"));
        assert_eq!(breaker.position(), Position::Open);
        assert_eq!(breaker.tried_at(), Some(NOW + 40_000));
        assert_eq!(breaker.tripped().unwrap().since_ms, NOW);
        assert_eq!(&*breaker.tripped().unwrap().why, "it was tried again and failed: still");
        // The other probe ends when it is tried once more: it is of another time.
        let later = breaker.admit(&CONFIG, NOW + 40_000);
        breaker.settle(&CONFIG, NOW + 40_000, &two, Ending::Bad("old news"));
        assert_eq!(breaker.position(), Position::HalfOpen);
        assert!(matches!(later, Admission::Probe(_)));
    }

    #[test]
    fn calls_that_began_before_it_opened_change_nothing() {
        let mut breaker = Breaker::default();
        let early = breaker.admit(&CONFIG, NOW);
        for _ in 0..10 {
            call(&mut breaker, NOW, Ending::Bad("a bug"));
        }
        breaker.settle(&CONFIG, NOW, &early, Ending::Good);
        assert_eq!(breaker.position(), Position::Open);
    }
}
