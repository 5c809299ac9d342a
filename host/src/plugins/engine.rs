//! The engine: one compiler and one pool of instances for all plugins, two queues of calls.
//!
//! Compiled code is bound to its engine, so decisions and events share one and a plugin is compiled
//! once. What keeps a burst of events from starving checkouts is the queue in front: each class of
//! calls has as many slots as the file says, and the pool holds the slots of both.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::Linker;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, UpdateDeadline,
};

use crate::config::Limits;
use crate::domain::Hook;
use crate::plugins::call::Fault;
use crate::plugins::imports::{self, CallState};
use crate::plugins::limits::{CORE_INSTANCES, MEMORIES, TABLE_ELEMENTS, TABLES};

/// The epoch's step: how long a guest may compute before it yields its thread.
const TICK: Duration = Duration::from_millis(5);
/// Pages that stay in memory between calls, of each slot: a small guest then causes few page faults.
const KEEP_RESIDENT: usize = 512 << 10;
/// What host functions may use of the stack that they share with the guest.
const HOST_STACK: usize = 1536 << 10;
/// Slots for trials of plugins that are being loaded.
const TRIALS: u32 = 2;

/// Where plugins are compiled and called.
pub(super) struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<CallState>,
    decisions: Semaphore,
    events: Semaphore,
    trials: Semaphore,
    /// What is built into the pool and holds until the host is started again.
    pub(super) built: Built,
}

/// The limits that the pool is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) memory_mib: u32,
    pub(super) stack_kib: u32,
    concurrent_decisions: u32,
    concurrent_events: u32,
}

impl Built {
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            memory_mib: limits.memory_mib.max(1),
            stack_kib: limits.stack_kib.max(64),
            concurrent_decisions: limits.concurrent_decisions.max(1),
            concurrent_events: limits.concurrent_events.max(1),
        }
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
            decisions: Semaphore::new(built.concurrent_decisions as usize),
            events: Semaphore::new(built.concurrent_events as usize),
            trials: Semaphore::new(TRIALS as usize),
            engine,
            built,
        })
    }

    /// Waits for a slot of the hook's class.
    pub(super) async fn slot(&self, hook: Hook) -> Result<SemaphorePermit<'_>, Fault> {
        let class = if hook.is_stage() { &self.decisions } else { &self.events };
        class.acquire().await.map_err(|_| Fault::Host("the sandbox is closed".to_owned()))
    }

    /// Waits for a slot to try a plugin that is being loaded.
    pub(super) async fn trial_slot(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.trials.acquire().await.map_err(|_| Fault::Host("the sandbox is closed".to_owned()))
    }

    /// The file's memory limit, as far as the pool was built for it.
    pub(super) fn memory_mib(&self, limits: &Limits) -> u32 {
        limits.memory_mib.clamp(1, self.built.memory_mib)
    }

    /// A store for one call that computes no longer than `deadline`; waiting is not counted here.
    pub(super) fn store(&self, state: CallState, limits: &Limits, deadline: Duration) -> Store<CallState> {
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.output_bytes as usize);
        store.set_epoch_deadline(1);
        let late = Fault::Late(deadline.as_millis() as u64);
        let most = deadline.as_millis().div_ceil(TICK.as_millis()) + 1;
        let mut ticks = 0;
        store.epoch_deadline_callback(move |_| {
            ticks += 1;
            if ticks > most { Err(late.clone().into()) } else { Ok(UpdateDeadline::Yield(1)) }
        });
        store
    }
}

fn configure(built: &Built) -> Config {
    let calls = built.concurrent_decisions + built.concurrent_events + TRIALS;
    let stack = (built.stack_kib as usize) << 10;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * CORE_INSTANCES)
        .total_memories(calls * MEMORIES)
        .total_tables(calls * TABLES)
        .total_stacks(calls)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
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
