//! Proposing discounts, in `pricing`. Needs the grant `discounts`.

use crate::types::{Discount, DiscountTarget, DiscountValue, Text};

impl Discount {
    fn new(id: &str, title: Text, value: DiscountValue) -> Self {
        Self {
            id: id.to_owned(),
            title,
            target: DiscountTarget::Order,
            value,
            class: "order".to_owned(),
            code: None,
        }
    }

    /// So many percent off the order, unless [`on_line`](Self::on_line) or
    /// [`on_delivery`](Self::on_delivery) says otherwise. `id` is the same for the same reason.
    pub fn percent(id: &str, percent: u32, title: Text) -> Self {
        Self::basis_points(id, percent.saturating_mul(100), title)
    }

    /// The same in basis points: 1250 is 12.5 %.
    pub fn basis_points(id: &str, basis_points: u32, title: Text) -> Self {
        Self::new(id, title, DiscountValue::Percent(basis_points))
    }

    /// So many minor units off the order, unless said otherwise.
    pub fn amount(id: &str, amount: i64, title: Text) -> Self {
        Self::new(id, title, DiscountValue::Amount(amount))
    }

    /// Delivery costs nothing.
    pub fn free_delivery(id: &str, title: Text) -> Self {
        Self::basis_points(id, 10_000, title).on_delivery()
    }

    /// Off one line, by its id; the class becomes `product`.
    pub fn on_line(mut self, line: &str) -> Self {
        self.target = DiscountTarget::Line(line.to_owned());
        self.class("product")
    }

    /// Off the delivery; the class becomes `delivery`.
    pub fn on_delivery(mut self) -> Self {
        self.target = DiscountTarget::Delivery;
        self.class("delivery")
    }

    /// What the shop's stacking rules speak of: `product`, `order`, `delivery`, `loyalty`,
    /// `campaign`, or a class of the shop's own. Say it after the target.
    pub fn class(mut self, class: &str) -> Self {
        class.clone_into(&mut self.class);
        self
    }

    /// The entered code that earned it; the class becomes `campaign`.
    pub fn for_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self.class("campaign")
    }

    /// Proposes it; the host decides what holds. Gives the effect's index in this call.
    pub fn add(&self) -> u32 {
        crate::raw::discounts::add(self)
    }
}
