//! What one call may use: memory, tables, host calls, effects, bytes handed over, bytes logged.

use wasmtime::ResourceLimiter;

use crate::config::Limits;
use crate::plugins::call::Fault;

/// JavaScript and Python bring a second memory for their adapter.
pub(super) const MEMORIES: u32 = 2;
pub(super) const TABLES: u32 = 8;

/// Caps of a guest's memories and tables, each over all of them, and the one that it ran into first.
#[derive(Debug)]
pub(super) struct Memory {
    mib: u32,
    elements: u32,
    instances: u32,
    bytes_taken: usize,
    elements_taken: usize,
    refused: Option<(&'static str, u32)>,
}

impl Memory {
    /// `limits` are within what the pool was built for.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            mib: limits.memory_mib.max(1),
            elements: limits.table_elements,
            instances: limits.instances,
            bytes_taken: 0,
            elements_taken: 0,
            refused: None,
        }
    }

    /// The guest asked for more than it may have; what it did then was most likely to trap.
    pub(super) fn overrun(&self) -> Option<Fault> {
        self.refused.map(|(setting, value)| Fault::Limit { setting, value: u64::from(value) })
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        own_most: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let most = (self.mib as usize) << 20;
        let sum = grown(self.bytes_taken, current, desired);
        let allowed = sum <= most;
        if !allowed {
            self.refused.get_or_insert(("memory_mib", self.mib));
        } else if own_most.is_none_or(|own_most| desired <= own_most) {
            self.bytes_taken = sum;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        own_most: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = grown(self.elements_taken, current, desired);
        let allowed = sum <= self.elements as usize;
        if !allowed {
            self.refused.get_or_insert(("table_elements", self.elements));
        } else if own_most.is_none_or(|own_most| desired <= own_most) {
            self.elements_taken = sum;
        }
        Ok(allowed)
    }

    fn instances(&self) -> usize {
        self.instances as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

/// What is taken of all, after one of them has grown.
fn grown(taken: usize, current: usize, desired: usize) -> usize {
    taken.saturating_add(desired.saturating_sub(current))
}

/// Counts what a call uses of the host.
#[derive(Debug)]
pub(super) struct Meter {
    host_calls: Count,
    effects: Count,
    messages: Count,
    output_bytes: Count,
    log_bytes: Count,
}

#[derive(Debug)]
struct Count {
    setting: &'static str,
    most: u32,
    used: u64,
}

impl Count {
    fn new(setting: &'static str, most: u32) -> Self {
        Self { setting, most, used: 0 }
    }

    fn add(&mut self, amount: usize) -> Result<(), Fault> {
        self.used = self.used.saturating_add(amount as u64);
        if self.used > u64::from(self.most) {
            return Err(Fault::Limit { setting: self.setting, value: u64::from(self.most) });
        }
        Ok(())
    }
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            host_calls: Count::new("host_calls", limits.host_calls),
            effects: Count::new("effects", limits.effects),
            messages: Count::new("messages_per_event", limits.messages_per_event),
            output_bytes: Count::new("output_bytes", limits.output_bytes),
            log_bytes: Count::new("log_bytes", limits.log_bytes),
        }
    }

    pub(super) fn host_call(&mut self) -> Result<(), Fault> {
        self.host_calls.add(1)
    }

    /// Items of a list that the host looks up in one call: each is work for it.
    pub(super) fn items(&mut self, items: usize) -> Result<(), Fault> {
        self.host_calls.add(items)
    }

    pub(super) fn effect(&mut self) -> Result<(), Fault> {
        self.effects.add(1)
    }

    pub(super) fn message(&mut self) -> Result<(), Fault> {
        self.messages.add(1)
    }

    /// What the guest handed over.
    pub(super) fn output(&mut self, bytes: usize) -> Result<(), Fault> {
        self.output_bytes.add(bytes)
    }

    pub(super) fn log(&mut self, bytes: usize) -> Result<(), Fault> {
        self.log_bytes.add(bytes)
    }
}
