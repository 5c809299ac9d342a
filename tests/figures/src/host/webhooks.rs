//! The reference logic behind HTTP: a service for each stage, connections kept alive, JSON in and out.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use cartwright::decide::stages::Caller;
use cartwright::domain::{Cart, Customer, Effect};
use cartwright::plugins::call::{Fault, Input, Invocation, Outcome};
use serde::Serialize;

use super::effects;
use crate::peers::Services;

pub struct Webhooks(Services);

/// All that a plugin is told of the cart and the customer.
#[derive(Serialize)]
struct Sent<'a> {
    cart: &'a Cart,
    customer: Option<&'a Customer>,
}

impl Webhooks {
    /// Addresses in the order of the stages, with commas between.
    pub fn new(services: &str) -> anyhow::Result<Self> {
        let addresses: Result<Vec<SocketAddr>, _> = services.split(',').map(str::parse).collect();
        Ok(Self(Services::new(&addresses?)?))
    }

    async fn ask(&self, invocation: &Invocation) -> anyhow::Result<Vec<Effect>> {
        let stage = effects::stage(invocation.hook).context("there are webhooks for stages only")?;
        let answer = self.0.ask(stage, sent(invocation)?).await?;
        Ok(effects::effects(&serde_json::from_slice(&answer)?))
    }
}

/// The body of a webhook.
pub fn sent(invocation: &Invocation) -> anyhow::Result<Bytes> {
    let (Input::Cart(cart) | Input::Content { cart: Some(cart), .. }) = &invocation.input else {
        anyhow::bail!("there is no cart")
    };
    let customer = invocation.surroundings.customer.as_deref();
    Ok(serde_json::to_vec(&Sent { cart, customer })?.into())
}

#[async_trait]
impl Caller for Webhooks {
    async fn call(&self, invocation: Invocation) -> Outcome {
        let began = Instant::now();
        let result = self.ask(&invocation).await.map_err(|error| Fault::Host(format!("{error:#}")));
        Outcome { result, reads: Vec::new(), elapsed: began.elapsed() }
    }
}
