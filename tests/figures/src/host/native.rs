//! The reference logic in the host's own process.

use std::time::Instant;

use async_trait::async_trait;
use cartwright::decide::stages::Caller;
use cartwright::domain::{Effect, Hook};
use cartwright::plugins::call::{Fault, Input, Invocation, Outcome};
use figures_logic::decide;

use super::effects;

/// Answers as the reference plugins do.
pub struct Native;

#[async_trait]
impl Caller for Native {
    async fn call(&self, invocation: Invocation) -> Outcome {
        let began = Instant::now();
        let result = answer(&invocation);
        Outcome { result, reads: Vec::new(), elapsed: began.elapsed() }
    }
}

pub fn answer(invocation: &Invocation) -> Result<Vec<Effect>, Fault> {
    let question = effects::question(invocation);
    let question = question.ok_or_else(|| Fault::Host("the reference logic asks about goods".to_owned()))?;
    match (invocation.hook, &invocation.input) {
        (Hook::OrderPlaced, Input::Order(order)) => {
            Ok(effects::thanks(&order.number, order.total, &decide(&question)))
        }
        (hook, _) => match effects::stage(hook) {
            Some(stage) => Ok(effects::effects(&decide(&question).of(stage))),
            None => Err(Fault::Host(format!("the reference logic has no `{}`", hook.name()))),
        },
    }
}
