//! The registry for the worker, but that somebody else answers for the plugins.

use std::sync::Arc;

use async_trait::async_trait;

use crate::decide::stages::Caller;
use crate::lifecycle::Plugins;
use crate::plugins::call::{Invocation, Outcome};
use crate::plugins::registry::{Registry, Snapshot};

pub(super) struct Instead {
    /// What is live.
    pub(super) registry: Arc<Registry>,
    pub(super) caller: Arc<dyn Caller>,
}

#[async_trait]
impl Plugins for Instead {
    fn current(&self) -> Arc<Snapshot> {
        self.registry.current()
    }

    async fn call(&self, invocation: Invocation) -> Outcome {
        self.caller.call(invocation).await
    }
}
