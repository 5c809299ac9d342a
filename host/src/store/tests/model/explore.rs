//! All states that can be reached, breadth first: a counterexample is as short as there is one.

use std::collections::HashMap;
use std::fmt;

use super::{Action, Invariant, Rules, State};

pub(super) struct Explored {
    pub states: usize,
    pub broken: Option<Broken>,
}

/// How an invariant is broken: the actions from the beginning, and the state that they lead to.
pub(super) struct Broken {
    pub invariant: Invariant,
    actions: Vec<Action>,
    state: State,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:?} is broken after {:?}", self.invariant, self.actions)?;
        writeln!(formatter, "  {:?}", self.state)
    }
}

/// Until any invariant is broken, or there are no more states.
pub(super) fn explore(rules: Rules, first: State) -> Explored {
    until(rules, first, None)
}

/// The same until this invariant is broken; a state beyond one that breaks another is not looked at.
pub(super) fn until(rules: Rules, first: State, sought: Option<Invariant>) -> Explored {
    let wanted = |invariant: Invariant| sought.is_none_or(|sought| sought == invariant);
    let mut places = HashMap::from([(first.clone(), 0)]);
    let mut states = vec![first];
    // How each state was reached first, and from where each can be.
    let mut reached: Vec<Option<(usize, Action)>> = vec![None];
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut place = 0;
    while place < states.len() {
        for action in states[place].actions(rules) {
            let next = states[place].next(rules, action);
            if let Some(invariant) = next.broken {
                if wanted(invariant) {
                    let mut actions = path(&reached, place);
                    actions.push(action);
                    let broken = Broken { invariant, actions, state: next.state };
                    return Explored { states: states.len(), broken: Some(broken) };
                }
                // The fault that is sought may lie behind it.
                if sought != Some(Invariant::Once) {
                    continue;
                }
            }
            let mut state = next.state;
            // Workers are alike.
            state.workers.sort_unstable();
            let found = *places.entry(state).or_insert_with_key(|state| {
                states.push(state.clone());
                reached.push(Some((place, action)));
                before.push(Vec::new());
                states.len() - 1
            });
            // Another event is nothing to wait for.
            if !matches!(action, Action::TakeIn(_)) {
                before[found].push(place);
            }
        }
        place += 1;
    }
    let broken = never_ends(&states, &before).filter(|_| wanted(Invariant::NothingWaitsForEver));
    let broken = broken.map(|place| Broken {
        invariant: Invariant::NothingWaitsForEver,
        actions: path(&reached, place),
        state: states[place].clone(),
    });
    Explored { states: states.len(), broken }
}

fn path(reached: &[Option<(usize, Action)>], mut place: usize) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some((from, action)) = reached[place] {
        actions.push(action);
        place = from;
    }
    actions.reverse();
    actions
}

/// The first state from which no end can be reached.
fn never_ends(states: &[State], before: &[Vec<usize>]) -> Option<usize> {
    let mut ends: Vec<bool> = states.iter().map(State::is_end).collect();
    let mut look: Vec<usize> = (0..states.len()).filter(|place| ends[*place]).collect();
    while let Some(place) = look.pop() {
        for &earlier in &before[place] {
            if !std::mem::replace(&mut ends[earlier], true) {
                look.push(earlier);
            }
        }
    }
    ends.iter().position(|ends| !ends)
}
