//! The engine: one compiler and one pool of instances for all plugins, and the queues of calls before it.
//!
//! Compiled code is bound to its engine, so decisions and events share one and a plugin is compiled
//! once. What keeps a burst of events from starving checkouts is the queue in front: each class of
//! calls has as many slots as the file says, and the pool holds the slots of both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout_at;
use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::config::Limits;
use crate::domain::{Fetch, Hook};
use crate::plugins::call::{Fault, Invocation};
use crate::plugins::imports::http::Outside;
use crate::plugins::imports::{self, CallState};
use crate::plugins::limits::{MEMORIES, TABLES};
use crate::plugins::registry::LivePlugin;
use crate::plugins::slots::{Full, Shares, Slot, Slots};
use crate::plugins::standing::part;
use crate::threads;

/// The epoch's step: how long a guest may compute before it yields its thread.
const TICK: Duration = Duration::from_millis(2);
/// Pages that stay in memory between calls, of each slot: a small guest then causes few page faults.
const KEEP_RESIDENT: usize = 256 << 10;
/// What host functions may use of the stack that they share with the guest.
const HOST_STACK: usize = 1536 << 10;
/// Slots for trials of plugins that are being loaded.
const TRIALS: u32 = 2;
/// Threads that compile: one that takes too long is left behind.
const COMPILERS: usize = 3;

/// Where plugins are compiled and called.
pub(super) struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<CallState>,
    decisions: Slots,
    events: Slots,
    trials: Semaphore,
    /// One compiles; another may have been left behind.
    pub(super) compilers: Arc<Semaphore>,
    /// Of calls that compute for long.
    pub(super) turns: Arc<Slots>,
    /// Where plugins ask other servers; none where files are only looked at.
    pub(super) fetch: Option<Arc<dyn Fetch>>,
    /// What is built into the pool and holds until the host is started again.
    pub(super) built: Built,
}

/// The limits that the pool is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Built {
    memory_mib: u32,
    table_elements: u32,
    instances: u32,
    pub(super) stack_kib: u32,
    concurrent_decisions: u32,
    concurrent_events: u32,
}

impl Built {
    /// The most that any plugin may have.
    pub(super) fn of(limits: &Limits) -> Self {
        let most = |all: u32, maximum: Option<u32>| maximum.unwrap_or(0).max(all).max(1);
        Self {
            memory_mib: most(limits.memory_mib, limits.maximum.memory_mib),
            table_elements: most(limits.table_elements, limits.maximum.table_elements),
            instances: most(limits.instances, limits.maximum.instances),
            stack_kib: limits.stack_kib.max(64),
            concurrent_decisions: limits.concurrent_decisions.max(1),
            concurrent_events: limits.concurrent_events.max(1),
        }
    }

    /// Passing one of those that a component shows before it is instantiated.
    pub(super) fn limit(self, setting: &'static str) -> Option<Fault> {
        let value = match setting {
            "memory_mib" => self.memory_mib,
            "table_elements" => self.table_elements,
            "instances" => self.instances,
            _ => return None,
        };
        Some(Fault::Limit { setting, value: u64::from(value) })
    }

    /// Whether a pool that was built so holds what is wanted now. Less memory is kept to by each call.
    pub(super) fn holds(self, wanted: Self) -> bool {
        let most = Self {
            memory_mib: self.memory_mib.max(wanted.memory_mib),
            table_elements: self.table_elements.max(wanted.table_elements),
            instances: self.instances.max(wanted.instances),
            ..wanted
        };
        self == most
    }
}

impl Sandbox {
    pub(super) fn new(limits: &Limits) -> wasmtime::Result<Self> {
        let built = Built::of(limits);
        let engine = Engine::new(&configure(&built))?;
        tick(&engine)?;
        let linker = imports::linker(&engine)?;
        Ok(Self {
            linker,
            decisions: Slots::new(built.concurrent_decisions),
            events: Slots::new(built.concurrent_events),
            trials: Semaphore::new(TRIALS as usize),
            compilers: Arc::new(Semaphore::new(COMPILERS)),
            turns: Arc::new(Slots::new(u32::try_from(threads::long_calls_at_once()).unwrap_or(1))),
            engine,
            fetch: None,
            built,
        })
    }

    /// Waits until `until` for a slot of the hook's class, within the shares of the plugin and its shop;
    /// a shop that is the host's only one (`alone`) shares with nobody.
    pub(super) async fn slot<'a>(
        &'a self,
        plugin: &'a LivePlugin,
        hook: Hook,
        until: tokio::time::Instant,
        alone: bool,
    ) -> Result<Slot<'a>, Fault> {
        let (slots, lane, class) = if hook.is_stage() {
            (&self.decisions, &plugin.standing.decisions, "concurrent_decisions")
        } else {
            (&self.events, &plugin.standing.events, "concurrent_events")
        };
        let limits = &plugin.limits;
        let of_shop = if alone { 100 } else { limits.shop_share_percent };
        let shares =
            Shares { plugin: part(slots.all(), limits.share_percent), shop: part(slots.all(), of_shop) };
        let began = Instant::now();
        let taken = timeout_at(until, slots.take(&plugin.shop, lane, shares)).await;
        // A slot that comes too late goes to the next: nothing could be done in it.
        if let Ok(slot) = taken
            && tokio::time::Instant::now() < until
        {
            return Ok(slot);
        }
        let (setting, value) = match slots.full(&plugin.shop, lane, shares) {
            Some(Full::Plugin) => ("share_percent", limits.share_percent),
            Some(Full::Shop) => ("shop_share_percent", limits.shop_share_percent),
            // It may have become free just now.
            Some(Full::All) | None => (class, slots.all()),
        };
        let waited_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Err(Fault::Busy { setting, value: u64::from(value), waited_ms })
    }

    /// Waits for a slot to try a plugin that is being loaded.
    pub(super) async fn trial_slot(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.trials.acquire().await.map_err(|_| Fault::Host("the sandbox is closed".to_owned()))
    }

    /// The way outside of one call.
    pub(super) fn outside(&self, invocation: &Invocation) -> Option<Outside> {
        let fetch = self.fetch.clone()?;
        Some(Outside::new(fetch, invocation.journal.clone(), invocation.until.into_std()))
    }

    /// As far as the pool was built for them.
    pub(super) fn within(&self, limits: &Limits) -> Limits {
        Limits {
            memory_mib: limits.memory_mib.min(self.built.memory_mib),
            table_elements: limits.table_elements.min(self.built.table_elements),
            instances: limits.instances.min(self.built.instances),
            ..limits.clone()
        }
    }

    /// A store for one call. It yields its thread at each tick; who polls it bounds its time.
    pub(super) fn store(&self, state: CallState, limits: &Limits) -> Store<CallState> {
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.output_bytes as usize);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

fn configure(built: &Built) -> Config {
    let calls = built.concurrent_decisions + built.concurrent_events + TRIALS;
    let stack = (built.stack_kib as usize) << 10;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * built.instances)
        .total_memories(calls * MEMORIES)
        .total_tables(calls * TABLES)
        .total_stacks(calls)
        .max_core_instances_per_component(built.instances)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .table_elements(built.table_elements as usize)
        .max_memory_size((built.memory_mib as usize) << 20)
        .max_unused_warm_slots(calls)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(stack)
        .async_stack_size(stack + HOST_STACK)
        // On by default, and costs 40 % of a call in a fresh instance.
        .concurrency_support(false)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Moves the epoch for as long as the engine lives.
fn tick(engine: &Engine) -> std::io::Result<()> {
    let weak = engine.weak();
    std::thread::Builder::new().name("plugin-epoch".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
