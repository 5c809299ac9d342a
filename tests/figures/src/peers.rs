//! What one would use instead: webhook services, and a server that asks them.

pub mod merger;
pub mod node;
pub mod service;

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use figures_logic::{Stage, decide};
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::requests;
use crate::sides::LINES;

/// A service for each stage, asked over connections that are kept alive.
#[derive(Debug, Clone)]
pub struct Services {
    client: Client<HttpConnector, Full<Bytes>>,
    /// In the order of the stages.
    addresses: Vec<Uri>,
}

impl Services {
    pub fn new(addresses: &[SocketAddr]) -> anyhow::Result<Self> {
        let addresses = addresses.iter().zip(Stage::ALL);
        let addresses =
            addresses.map(|(address, stage)| format!("http://{address}/{}", stage.name()).parse());
        let addresses = addresses.collect::<Result<Vec<Uri>, _>>()?;
        ensure!(addresses.len() == Stage::ALL.len(), "a service for each stage");
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, addresses })
    }

    /// They decide as the reference logic does, or nothing is compared.
    pub async fn agree(&self) -> anyhow::Result<()> {
        let question = json!({ "cart": requests::cart(LINES), "customer": requests::customer() }).to_string();
        let decision = decide(&serde_json::from_str(&question)?);
        for stage in Stage::ALL {
            let answer: Value = serde_json::from_slice(&self.ask(stage, question.clone().into()).await?)?;
            let own = serde_json::to_value(decision.clone().of(stage))?;
            ensure!(answer == own, "a service decides otherwise in {}: {answer} is not {own}", stage.name());
        }
        Ok(())
    }

    pub async fn ask(&self, stage: Stage, body: Bytes) -> anyhow::Result<Bytes> {
        let address = self.addresses.get(stage as usize).context("a service for each stage")?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(address)
            .header("content-type", "application/json")
            .body(Full::new(body))?;
        let answer = self.client.request(request).await?;
        ensure!(answer.status().is_success(), "{address} answers {}", answer.status());
        Ok(answer.into_body().collect().await?.to_bytes())
    }
}
