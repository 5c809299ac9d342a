//! Telling the customer something, in events and timers. Needs the grant `messages`.
//!
//! ```no_run
//! # use cartwright_sdk::prelude::*;
//! # fn thanks(order: &Order) {
//! Message::new("confirmation")
//!     .data("number", &order.number)
//!     .data("total", value::money(order.total))
//!     .dedupe(&order.id)
//!     .send();
//! # }
//! ```

use crate::raw::messages as raw;
use crate::types::{Message, Value};

impl Message {
    /// From a template of the plugin's, by its file name without the extension. It is transactional
    /// and goes out now by e-mail, until said otherwise.
    pub fn new(template: &str) -> Self {
        Self {
            template: template.to_owned(),
            data: Vec::new(),
            category: "transactional".to_owned(),
            channels: Vec::new(),
            when: None,
            not_after: None,
            dedupe_key: None,
            cancel_on: Vec::new(),
        }
    }

    /// A value for the template.
    pub fn data(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.push((name.to_owned(), value.into()));
        self
    }

    /// `transactional`, `updates` or `marketing`: the customer may have refused the last two.
    pub fn category(mut self, category: &str) -> Self {
        category.clone_into(&mut self.category);
        self
    }

    /// News of an order that the customer may have refused.
    pub fn updates(self) -> Self {
        self.category("updates")
    }

    /// Sent only to a customer who agreed to it.
    pub fn marketing(self) -> Self {
        self.category("marketing")
    }

    /// Another channel, after those named before: `email`, `sms`, `push`.
    pub fn channel(mut self, channel: &str) -> Self {
        self.channels.push(channel.to_owned());
        self
    }

    /// Not before this instant (UTC milliseconds).
    pub fn at(mut self, at_ms: i64) -> Self {
        self.when = Some(at_ms);
        self
    }

    /// Dropped, with a reason, when it could not be sent by then (UTC milliseconds).
    pub fn not_after(mut self, at_ms: i64) -> Self {
        self.not_after = Some(at_ms);
        self
    }

    /// A second message of this plugin to this customer with the same key is not sent.
    pub fn dedupe(mut self, key: &str) -> Self {
        self.dedupe_key = Some(key.to_owned());
        self
    }

    /// An event of the same order that cancels it while it waits, e.g. `order-cancelled`.
    pub fn cancel_on(mut self, hook: &str) -> Self {
        self.cancel_on.push(hook.to_owned());
        self
    }

    /// Hands it to the host. Gives the effect's index in this call.
    pub fn send(&self) -> u32 {
        raw::send(self)
    }
}

/// Takes back this plugin's messages to this customer that still wait, by their key.
pub fn cancel(dedupe_key: &str) {
    raw::cancel(dedupe_key);
}
