//! A code that anyone may enter, and whether it holds for this cart.

use cartwright_sdk::prelude::*;

/// One code. All conditions that are set must hold.
#[derive(Settings)]
pub struct Campaign {
    /// What the shopper enters; capitals or not.
    #[setting(pattern = "^[A-Za-z0-9_-]{2,40}$")]
    pub code: String,
    /// What the shopper reads, unless there is a text `campaign-<code in small letters>`.
    pub title: Option<String>,
    /// Off the order, or off the lines that `products` or `tags` name.
    pub percent: Option<Percent>,
    /// Off the order, but no more than the lines that `products` or `tags` name.
    pub amount: Option<Money>,
    /// Delivery costs nothing.
    #[setting(default = false)]
    pub free_delivery: bool,
    /// The cart holds at least so much before discounts, without gift cards; without an amount in the cart's currency the
    /// code does not hold.
    pub min_subtotal: Option<Money>,
    /// First day, YYYY-MM-DD, by the shop's clock.
    #[setting(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub starts: Option<String>,
    /// Last day.
    #[setting(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    pub ends: Option<String>,
    /// Ids of products of which one must be in the cart.
    #[setting(default = [])]
    pub products: Vec<String>,
    /// Tags of which a product in the cart must have one.
    #[setting(default = [])]
    pub tags: Vec<String>,
    /// Groups of customers of which the shopper must be in one.
    #[setting(default = [])]
    pub segments: Vec<String>,
    /// For customers without an order so far.
    #[setting(default = false)]
    pub first_order: bool,
    /// Each customer once.
    #[setting(default = false)]
    pub once_per_customer: bool,
    /// Shoppers whom we do not know may use it, though the two conditions above cannot be checked.
    #[setting(default = false)]
    pub guests: bool,
    /// What the shop's stacking rules call it.
    #[setting(default = "campaign")]
    pub class: String,
}

/// Why a code does not hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    NotStarted(String),
    Ended(String),
    /// Minor units.
    Minimum(i64),
    Currency,
    Products,
    Segment,
    SignIn,
    FirstOrder,
    Used,
}

impl Campaign {
    pub fn is(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code.trim())
    }

    /// `today` is the shop's date; `used`: the customer has had it.
    pub fn judge(
        &self,
        cart: &Cart,
        customer: Option<&Customer>,
        today: &str,
        used: bool,
    ) -> Result<(), Refused> {
        if let Some(starts) = self.starts.as_ref().filter(|starts| today < starts.as_str()) {
            return Err(Refused::NotStarted(starts.clone()));
        }
        if let Some(ends) = self.ends.as_ref().filter(|ends| today > ends.as_str()) {
            return Err(Refused::Ended(ends.clone()));
        }
        if !self.segments.is_empty() && !cart.buyer.segments.iter().any(|own| self.segments.contains(own)) {
            return Err(Refused::Segment);
        }
        if self.lines(cart).next().is_none() {
            return Err(Refused::Products);
        }
        if let Some(amount) = &self.amount
            && amount.of(cart).is_none()
        {
            return Err(Refused::Currency);
        }
        if let Some(minimum) = &self.min_subtotal {
            let missing = minimum.of(cart).ok_or(Refused::Currency)?.saturating_sub(goods(cart));
            if missing > 0 {
                return Err(Refused::Minimum(missing));
            }
        }
        match customer {
            None if !self.guests && (self.first_order || self.once_per_customer) => Err(Refused::SignIn),
            _ if used => Err(Refused::Used),
            Some(customer) if self.first_order && customer.orders_count > 0 => Err(Refused::FirstOrder),
            _ => Ok(()),
        }
    }

    /// Proposes what the code gives; `entered` is the code as the shopper wrote it.
    pub fn discount(&self, cart: &Cart, entered: &str) {
        let key = format!("campaign-{}", self.code.to_ascii_lowercase());
        let title = || text(&key).arg("code", &self.code).or(self.title.as_deref().unwrap_or(&self.code));
        let propose = |discount: Discount| {
            discount.for_code(entered).class(&self.class).add();
        };
        if let Some(percent) = self.percent {
            let points = percent.basis_points();
            if self.is_for_some() {
                for line in self.lines(cart) {
                    let id = format!("{}/{}", self.code, line.id);
                    propose(Discount::basis_points(&id, points, title()).on_line(&line.id));
                }
            } else {
                propose(Discount::basis_points(&self.code, points, title()));
            }
        }
        if let Some(amount) = self.amount.as_ref().and_then(|amount| amount.of(cart)) {
            let most = self.lines(cart).map(Line::total).fold(0, i64::saturating_add);
            propose(Discount::amount(&format!("{}/amount", self.code), amount.min(most), title()));
        }
        if self.free_delivery {
            propose(Discount::free_delivery(&format!("{}/delivery", self.code), title()));
        }
    }

    fn is_for_some(&self) -> bool {
        !self.products.is_empty() || !self.tags.is_empty()
    }

    /// The lines it is for: never gift cards, which are money.
    fn lines<'a>(&'a self, cart: &'a Cart) -> impl Iterator<Item = &'a Line> {
        cart.lines.iter().filter(|line| {
            !line.gift_card
                && (!self.is_for_some()
                    || self.products.contains(&line.product)
                    || self.tags.iter().any(|tag| line.has_tag(tag)))
        })
    }
}

/// Minor units. A gift card is money: it brings no cart to a minimum.
fn goods(cart: &Cart) -> i64 {
    let lines = cart.lines.iter().filter(|line| !line.gift_card);
    lines.map(Line::total).fold(0, i64::saturating_add)
}

impl Refused {
    /// For the shopper.
    pub fn notice(&self, code: &str) -> Notice {
        let (key, fallback) = match self {
            Self::NotStarted(_) => ("code-not-started", "is not valid yet."),
            Self::Ended(_) => ("code-ended", "is no longer valid."),
            Self::Minimum(_) => ("code-minimum", "needs a larger cart."),
            Self::Currency => ("code-currency", "cannot be used in this currency."),
            Self::Products => ("code-products", "is for other products."),
            Self::Segment => ("code-segment", "is for another group of customers."),
            Self::SignIn => ("code-sign-in", "needs you to sign in."),
            Self::FirstOrder => ("code-first-order", "is for the first order."),
            Self::Used => ("code-used", "has been used already."),
        };
        let text = text(key).arg("code", code).or(&format!("{code} {fallback}"));
        let text = match self {
            Self::NotStarted(date) | Self::Ended(date) => text.arg("date", value::date(date)),
            Self::Minimum(missing) => text.arg("missing", value::money(*missing)),
            _ => text,
        };
        Notice::new(&format!("code/{code}"), text).warning()
    }
}
