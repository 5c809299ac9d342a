//! Compiled plugins: ready to be instantiated, tried once before they are live.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use wasmtime::component::{Component, InstancePre};

use crate::config::Limits;
use crate::config::calendar::Calendar;
use crate::domain::{Hook, Product, ReadError, Reads, Shop, ShopContact, StateOwner, Versioned};
use crate::plugins::cache::Cache;
use crate::plugins::call::{self, Handler, Surroundings};
use crate::plugins::engine::Sandbox;
use crate::plugins::imports::CallState;
use crate::plugins::pace::{Habit, Pace, paced};
use crate::plugins::permissions;
use crate::threads;

/// Wall time of the one instance that is made when a plugin is loaded.
const TRIAL: Duration = Duration::from_secs(2);

/// So long a plugin may be compiled; large interpreters take some seconds.
const COMPILATION: Duration = Duration::from_secs(120);

/// Functions of a plugin that are compiled at the same time.
const AT_ONCE: usize = 8;

/// A plugin's compiled code. The default has none: every call is a fault.
#[derive(Clone, Default)]
pub struct Code(Option<Arc<Compiled>>);

struct Compiled {
    pre: InstancePre<CallState>,
    handlers: BTreeMap<Hook, Handler>,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Code(compiled)" } else { "Code(none)" })
    }
}

impl Code {
    /// Compiles, or takes what was compiled before; long work, to be done off the runtime. The
    /// error is a sentence about the plugin.
    pub(super) fn compile(
        sandbox: &Sandbox,
        cache: Option<&Cache>,
        bytes: &[u8],
        sha256: &str,
        hooks: impl IntoIterator<Item = Hook>,
    ) -> Result<Self, String> {
        let component = match cache.and_then(|cache| cache.load(&sandbox.engine, sha256)) {
            Some(component) => component,
            None => {
                let component = compiled(sandbox, bytes)?;
                if let Some(cache) = cache {
                    cache.keep(&component, sha256);
                }
                component
            }
        };
        let mut handlers = BTreeMap::new();
        for hook in hooks {
            let interface = permissions::export_name(hook);
            let handler = component
                .get_export_index(None, &interface)
                .and_then(|instance| component.get_export_index(Some(&instance), hook.function()))
                .ok_or_else(|| unfit(&format!("`{interface}` has no function `{}`", hook.function())))?;
            handlers.insert(hook, Handler::new(hook, handler));
        }
        let pre = sandbox.linker.instantiate_pre(&component).map_err(|error| unfit(&format!("{error:#}")))?;
        Ok(Self(Some(Arc::new(Compiled { pre, handlers }))))
    }

    /// Makes one instance and compares the signatures of its handlers: a mismatch with the contract
    /// shows nowhere earlier.
    pub(super) async fn try_out(&self, sandbox: &Sandbox, limits: &Limits) -> Result<(), String> {
        let Some(compiled) = &self.0 else { return Ok(()) };
        let _slot = sandbox.trial_slot().await.map_err(|fault| fault.to_string())?;
        // A shop may give a plugin as much as the host allows; how much it has, its calls will tell.
        let (limits, _) = limits.of_plugin(&limits.maximum);
        let state = CallState::trial(Arc::new(nowhere()), Arc::new(Nothing), &sandbox.within(&limits));
        let mut store = sandbox.store(state, &limits);
        let pre = compiled.pre.clone();
        let start = async move {
            let started = pre.instantiate_async(&mut store).await;
            (store, started)
        };
        let (habit, shop) = (Habit::default(), "".into());
        let start = paced(start, Pace { turns: &sandbox.turns, shop: &shop, habit: &habit, most: TRIAL });
        let (mut store, started) =
            tokio::time::timeout(TRIAL, start).await.ok().and_then(Result::ok).ok_or_else(|| {
                format!("takes longer than {} s to start; let it compute in its hooks", TRIAL.as_secs())
            })?;
        let instance = started.map_err(|error| match store.data().memory.overrun() {
            Some(fault) => format!("{fault} while it starts; give it more, or let it begin smaller"),
            None if call::is_the_guests(&error) => {
                let fault = call::of_error(&error, &limits);
                format!("{fault} while it starts; let it do its work in its hooks")
            }
            None => unfit(&format!("{error:#}")),
        })?;
        for (hook, handler) in &compiled.handlers {
            call::fits(&mut store, instance, handler)
                .map_err(|error| unfit(&format!("`{}`: {error:#}", hook.name())))?;
        }
        Ok(())
    }

    pub(super) fn handler(&self, hook: Hook) -> Option<(&InstancePre<CallState>, &Handler)> {
        let compiled = self.0.as_deref()?;
        Some((&compiled.pre, compiled.handlers.get(&hook)?))
    }
}

/// Compiles on threads of its own, which give way to the shoppers, and are left behind when it takes too long: nothing
/// else can stop them.
fn compiled(sandbox: &Sandbox, bytes: &[u8]) -> Result<Component, String> {
    let (engine, bytes) = (sandbox.engine.clone(), bytes.to_vec());
    // Those that were left behind keep theirs.
    let compiler = sandbox.compilers.clone().try_acquire_owned().map_err(|_| {
        "cannot be compiled now: other files have taken too long to compile, and are not done with; restart the host"
            .to_owned()
    })?;
    let all = rayon::ThreadPoolBuilder::new()
        .num_threads(threads::processors().min(AT_ONCE))
        .thread_name(|_| "plugin-compiler".to_owned())
        .start_handler(|_| threads::give_way())
        .build()
        .map_err(|error| format!("cannot be compiled now: {error}"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::Builder::new()
        .name("plugin-compiler".to_owned())
        .spawn(move || {
            let compiled = all.install(|| Component::from_binary(&engine, &bytes));
            drop(compiler);
            sender.send(compiled)
        })
        .map_err(|error| format!("cannot be compiled now: {error}"))?;
    match receiver.recv_timeout(COMPILATION) {
        Ok(compiled) => compiled.map_err(|error| {
            let error = format!("{error:#}");
            match beyond_pool(&error).and_then(|setting| sandbox.built.limit(setting)) {
                Some(fault) => format!("{fault} before it starts; give it more, or let it begin smaller"),
                None => format!("cannot be compiled: {error}; build it again"),
            }
        }),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err("breaks the compiler; tell its author, and ours".to_owned())
        }
        Err(_) => Err(format!(
            "takes longer than {} s to compile; build it optimised, or make it smaller",
            COMPILATION.as_secs()
        )),
    }
}

/// The limit that a component cannot be held to, by what wasmtime says; its error has no public type.
fn beyond_pool(error: &str) -> Option<&'static str> {
    [
        ("core module instances", "instances"),
        ("memory has a minimum byte size", "memory_mib"),
        ("minimum element size", "table_elements"),
    ]
    .into_iter()
    .find_map(|(words, setting)| error.contains(words).then_some(setting))
}

fn unfit(what: &str) -> String {
    let (major, minor, patch) = permissions::VERSION;
    format!(
        "does not fit version {major}.{minor}.{patch} of {}: {what}; build it with the SDK of that version",
        permissions::PACKAGE
    )
}

pub(super) fn nowhere() -> Surroundings {
    Surroundings {
        hook_name: "start".to_owned(),
        now_ms: 0,
        zone: "UTC".to_owned(),
        seed: 0,
        locale: "en".to_owned(),
        viewed: Vec::new(),
        late: false,
        shop: Arc::new(Shop {
            id: String::new(),
            name: String::new(),
            url: String::new(),
            currency: "EUR".to_owned(),
            exponent: 2,
            locales: vec!["en".to_owned()],
            zone: "UTC".to_owned(),
            country: String::new(),
            contact: ShopContact { email: None, phone: None, url: None },
        }),
        calendar: Arc::new(Calendar::new(TimeZone::UTC, Vec::new(), Vec::new())),
        customer: None,
        order: None,
        shipments: Arc::default(),
        offers: Arc::default(),
        request_id: String::new(),
    }
}

/// Nothing can be read while a plugin starts.
pub(super) struct Nothing;

fn nothing<T>() -> Result<T, ReadError> {
    Err(ReadError("a plugin may read only in its hooks, not while it starts".to_owned()))
}

#[async_trait]
impl Reads for Nothing {
    async fn products(&self, _: &str, _: &[String]) -> Result<Vec<Option<Arc<Product>>>, ReadError> {
        nothing()
    }

    async fn related(&self, _: &str, _: &str, _: u32) -> Result<Vec<String>, ReadError> {
        nothing()
    }

    async fn field(&self, _: &str, _: &str, _: &str) -> Result<Option<String>, ReadError> {
        nothing()
    }

    async fn state(&self, _: &StateOwner, _: &[String]) -> Result<Vec<Versioned>, ReadError> {
        nothing()
    }

    async fn state_list(
        &self,
        _: &StateOwner,
        _: &str,
        _: u32,
    ) -> Result<Vec<(String, Versioned)>, ReadError> {
        nothing()
    }
}
