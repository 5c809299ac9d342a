//! What a plugin's imports do: they answer from what the call knows, and keep what the handler asks for.

mod asks;
mod checks;
pub(super) mod http;
mod links;
mod reads;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::config::Limits;
use crate::domain::{Effect, Hook, Reads, Scope, Shipment, StateRead};
use crate::plugins::call::{Fault, Input, Invocation, Surroundings};
use crate::plugins::contract::cartwright::plugin as contract;
use crate::plugins::limits::{Memory, Meter};
use crate::plugins::permissions;
use crate::plugins::registry::LivePlugin;

use checks::Check;
use http::Outside;
use links::Links;
use state::Pending;

/// A store's data: one call.
pub(super) struct CallState {
    pub(super) memory: Memory,
    meter: Meter,
    /// None while a plugin that is being loaded is tried.
    plugin: Option<Arc<LivePlugin>>,
    hook: Hook,
    around: Arc<Surroundings>,
    /// Of the call itself.
    shipment: Option<Arc<Shipment>>,
    customer_id: Option<String>,
    order_id: Option<String>,
    source: Arc<dyn Reads>,
    effects: Vec<Effect>,
    read: Vec<StateRead>,
    written: BTreeMap<(Scope, String), Pending>,
    /// None where nobody goes outside: a plugin that is being loaded is tried, files are only looked at.
    pub(super) outside: Option<Outside>,
}

impl CallState {
    pub(super) fn new(invocation: Invocation, limits: &Limits) -> Self {
        let shipment = match &invocation.input {
            Input::Shipped(_, shipment) | Input::Updated(_, shipment, _) => Some(shipment.clone()),
            _ => None,
        };
        Self {
            memory: Memory::new(limits),
            meter: Meter::new(limits),
            plugin: Some(invocation.plugin),
            hook: invocation.hook,
            around: invocation.surroundings,
            shipment,
            customer_id: invocation.customer_id,
            order_id: invocation.order_id,
            source: invocation.reads,
            effects: Vec::new(),
            read: Vec::new(),
            written: BTreeMap::new(),
            outside: None,
        }
    }

    /// For the instance that is made when a plugin is loaded; no hook is called in it.
    pub(super) fn trial(around: Arc<Surroundings>, source: Arc<dyn Reads>, limits: &Limits) -> Self {
        Self {
            memory: Memory::new(limits),
            meter: Meter::new(limits),
            plugin: None,
            hook: Hook::Content,
            around,
            shipment: None,
            customer_id: None,
            order_id: None,
            source,
            effects: Vec::new(),
            read: Vec::new(),
            written: BTreeMap::new(),
            outside: None,
        }
    }

    /// What the handler asked for, and what it read that others may change meanwhile.
    pub(super) fn finish(self) -> (Vec<Effect>, Vec<StateRead>) {
        (self.effects, self.read)
    }

    /// Begins every import: counts the call, and stops it where it may not be.
    fn enter(&mut self, interface: &'static str, function: &'static str) -> Result<(), Fault> {
        self.meter.host_call()?;
        if permissions::allowed(interface, function, self.hook) {
            Ok(())
        } else {
            Err(Fault::Trapped(permissions::misplaced(interface, function, self.hook)))
        }
    }

    /// The position of the effect among those of this call.
    fn keep(&mut self, effect: Effect) -> Result<u32, Fault> {
        self.meter.effect()?;
        if matches!(effect, Effect::SendMessage { .. }) {
            self.meter.message()?;
        }
        self.effects.push(effect);
        Ok((self.effects.len() - 1) as u32)
    }

    /// For what the guest hands over with a call of `import`.
    fn check(&mut self, import: &'static str) -> Check<'_> {
        let granted = self.plugin.as_ref().map_or(&[][..], |plugin| plugin.entry.hosts.as_slice());
        Check {
            import,
            meter: &mut self.meter,
            effects: &self.effects,
            links: Links {
                shop: &self.around.shop.url,
                contact: self.around.shop.contact.url.as_deref(),
                granted,
                shipments: &self.around.shipments,
                shipment: self.shipment.as_deref(),
            },
        }
    }

    fn plugin_name(&self) -> &str {
        self.plugin.as_ref().map_or("", |plugin| &plugin.entry.name)
    }

    fn granted(&self, permission: &str) -> bool {
        self.plugin.as_ref().is_some_and(|plugin| plugin.entry.grants.iter().any(|grant| grant == permission))
    }
}

/// Every import of the contract.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<CallState>> {
    type Data = HasSelf<CallState>;
    let mut linker = Linker::new(engine);
    contract::context::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::calendar::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::offers::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::customers::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::customers_if_granted::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::orders::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::catalog::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::state::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::http::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::discounts::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::delivery_options::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::payments::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::blocks::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::refusal::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::messages::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::coupons::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::points::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::timers::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::labels::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::webhooks::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    contract::state_write::add_to_linker::<_, Data>(&mut linker, |state| state)?;
    Ok(linker)
}

#[cfg(test)]
mod tests;
