//! `blocks.<name>(…)`: the shared pieces of messages, each a template of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Kwargs, Object, ObjectRepr, Rest, Value, from_args};
use minijinja::{Error, ErrorKind, State};

/// Calls of pieces in one message.
const CALLS: usize = 1_000;

/// Pieces inside pieces.
const DEPTH: usize = 6;

/// Of one rendering.
#[derive(Debug)]
pub(super) struct Pieces {
    /// With the names of their arguments.
    known: Arc<BTreeMap<String, Vec<String>>>,
    calls: AtomicUsize,
    depth: AtomicUsize,
}

impl Pieces {
    pub fn new(known: &Arc<BTreeMap<String, Vec<String>>>) -> Self {
        Self { known: Arc::clone(known), calls: AtomicUsize::new(0), depth: AtomicUsize::new(0) }
    }

    fn arguments(&self, name: &str, args: &[Value]) -> Result<BTreeMap<String, Value>, Error> {
        let Some(names) = self.known.get(name) else {
            let known: Vec<&str> = self.known.keys().map(String::as_str).collect();
            return Err(Error::new(
                ErrorKind::UnknownMethod,
                format!("there is no shared piece `blocks.{name}`; there are {}", known.join(", ")),
            ));
        };
        let (positional, named): (Rest<Value>, Kwargs) = from_args(args)?;
        if positional.len() > names.len() {
            return Err(Error::new(
                ErrorKind::TooManyArguments,
                format!("blocks.{name}({}) takes no more arguments than these", names.join(", ")),
            ));
        }
        let mut all: BTreeMap<String, Value> =
            names.iter().cloned().zip(positional.iter().cloned()).collect();
        for name in named.args() {
            all.insert(name.to_owned(), named.peek::<Value>(name)?);
        }
        // What is absent must not hide what the piece falls back to.
        all.retain(|_, value| !value.is_undefined() && !value.is_none());
        Ok(all)
    }
}

impl Object for Pieces {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let arguments = self.arguments(name, args)?;
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        let depth = self.depth.fetch_add(1, Ordering::Relaxed);
        let rendered = if calls >= CALLS {
            Err(Error::new(ErrorKind::OutOfFuel, "too many shared pieces in one message"))
        } else if depth >= DEPTH {
            Err(Error::new(ErrorKind::InvalidOperation, "shared pieces call each other without end"))
        } else {
            state
                .env()
                .get_template(&format!("blocks/{name}.html"))
                .and_then(|template| template.render_captured(Value::from(arguments)))
        };
        self.depth.fetch_sub(1, Ordering::Relaxed);
        let captured = rendered?;
        // What the piece burned counts for the template that called it.
        if let Some((burned, _)) = captured.state().fuel_levels() {
            state.consume_fuel(burned)?;
        }
        Ok(Value::from_safe_string(captured.into_output()))
    }
}
