//! What one call may use: memory, host calls, effects, bytes handed over, bytes logged.

use wasmtime::ResourceLimiter;

use crate::config::Limits;
use crate::plugins::call::Fault;

/// Core instances of a component: the plugin's own module, and the small ones that adapt it.
pub(super) const CORE_INSTANCES: u32 = 16;
/// JavaScript and Python bring a second memory for their adapter.
pub(super) const MEMORIES: u32 = 2;
pub(super) const TABLES: u32 = 8;
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// Caps of a guest's memory and tables, and whether it ran into the first.
#[derive(Debug)]
pub(super) struct Memory {
    bytes: usize,
    mib: u32,
    refused: bool,
}

impl Memory {
    pub(super) fn new(mib: u32) -> Self {
        Self { bytes: (mib as usize) << 20, mib, refused: false }
    }

    /// The guest asked for more than it may have; what it did then was most likely to trap.
    pub(super) fn overrun(&self) -> Option<Fault> {
        self.refused.then(|| Fault::Limit { setting: "memory_mib", value: u64::from(self.mib) })
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.bytes;
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

/// Counts what a call uses of the host.
#[derive(Debug)]
pub(super) struct Meter {
    host_calls: Count,
    effects: Count,
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
            output_bytes: Count::new("output_bytes", limits.output_bytes),
            log_bytes: Count::new("log_bytes", limits.log_bytes),
        }
    }

    pub(super) fn host_call(&mut self) -> Result<(), Fault> {
        self.host_calls.add(1)
    }

    pub(super) fn effect(&mut self) -> Result<(), Fault> {
        self.effects.add(1)
    }

    /// What the guest handed over.
    pub(super) fn output(&mut self, bytes: usize) -> Result<(), Fault> {
        self.output_bytes.add(bytes)
    }

    pub(super) fn log(&mut self, bytes: usize) -> Result<(), Fault> {
        self.log_bytes.add(bytes)
    }
}
