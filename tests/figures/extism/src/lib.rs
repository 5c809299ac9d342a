//! The reference logic as a plugin of Extism: a function for each stage, JSON in and out.

use extism_pdk::{FnResult, plugin_fn};
use figures_logic::{Question, Stage, decide};

fn answer(stage: Stage, question: &[u8]) -> FnResult<Vec<u8>> {
    let question: Question<'_> = serde_json::from_slice(question)?;
    Ok(serde_json::to_vec(&decide(&question).of(stage))?)
}

#[plugin_fn]
pub fn pricing(question: Vec<u8>) -> FnResult<Vec<u8>> {
    answer(Stage::Pricing, &question)
}

#[plugin_fn]
pub fn delivery(question: Vec<u8>) -> FnResult<Vec<u8>> {
    answer(Stage::Delivery, &question)
}

#[plugin_fn]
pub fn content(question: Vec<u8>) -> FnResult<Vec<u8>> {
    answer(Stage::Content, &question)
}
