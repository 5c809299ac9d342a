//! The sums of a cart. Pure, exact, and never negative.
//!
//! The rules, chosen once:
//! - A percentage is taken of what earlier discounts left, not of the list price: two of 50 % make 75 %.
//! - Shares of a minor unit are rounded half up, tax and discounts alike.
//! - A discount of the order is spread over the lines by what is left of each (largest remainder; equal
//!   remainders in the order of the lines' ids), so the shares sum to it exactly.
//! - A gift card is money: nothing is taken off it, and it does not count for caps and minimum sums.
//! - Tax shrinks with its line, in proportion. When prices include tax it is contained in the total,
//!   else it is added. The price of delivery is what the shopper pays: the host computes no tax on it.
//! - `total = subtotal - discount + tax (when prices exclude it) + delivery`; discounts on delivery are
//!   in `delivery` already, not in `discount`.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::cast_possible_truncation)]

mod allocate;
mod delivery;

pub use allocate::allocate;
pub use delivery::{DeliveryDiscount, DeliveryPrice, DeliveryPrices, PricedOption, price_delivery};

use super::answer::LineTotals;
use crate::domain::money::MAX_AMOUNT;
use crate::domain::{Cart, DiscountValue, Totals};

/// One hundred percent.
pub const WHOLE: u32 = 10_000;

/// The running sums of a cart while discounts are taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    lines: Vec<SheetLine>,
    prices_include_tax: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SheetLine {
    id: String,
    subtotal: i64,
    /// After the discounts so far; never negative.
    left: i64,
    /// Before discounts.
    tax: i64,
    gift_card: bool,
}

/// What a discount takes off one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Position of the line in the cart.
    pub line: usize,
    /// More than zero.
    pub amount: i64,
}

/// What a discount is taken off, within goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goods<'a> {
    Line(&'a str),
    /// All lines but gift cards.
    Order,
}

/// `basis_points` of `base`, half up; never more than `base`.
#[must_use]
pub fn percent_of(base: i64, basis_points: u32) -> i64 {
    let share = i128::from(base)
        .saturating_mul(i128::from(basis_points))
        .saturating_add(i128::from(WHOLE.div_euclid(2)))
        .div_euclid(i128::from(WHOLE));
    i64::try_from(share).unwrap_or(base).min(base).max(0)
}

/// `basis_points` of `base`, rounded down: a cap that holds.
#[must_use]
pub fn cap_of(base: i64, basis_points: u32) -> i64 {
    let share = i128::from(base).saturating_mul(i128::from(basis_points)).div_euclid(i128::from(WHOLE));
    i64::try_from(share).unwrap_or(base).clamp(0, base.max(0))
}

impl Sheet {
    /// `None` when a line, the subtotal, or the subtotal with its tax passes 2^53-1, when something in the
    /// cart is negative, or when it has tax but no line that costs something.
    #[must_use]
    pub fn new(cart: &Cart) -> Option<Self> {
        let mut lines = Vec::with_capacity(cart.lines.len());
        let mut subtotal: i64 = 0;
        for line in &cart.lines {
            let of_line = line.total().filter(|total| *total >= 0 && line.tax >= 0)?;
            subtotal = subtotal.checked_add(of_line).filter(|sum| *sum <= MAX_AMOUNT)?;
            lines.push(SheetLine {
                id: line.id.clone(),
                subtotal: of_line,
                left: of_line,
                tax: line.tax,
                gift_card: line.gift_card,
            });
        }
        let mut sheet = Self { lines, prices_include_tax: cart.prices_include_tax };
        sheet.settle_tax(cart)?;
        let tax = sheet.tax();
        (tax <= MAX_AMOUNT && subtotal.checked_add(tax)? <= MAX_AMOUNT).then_some(sheet)
    }

    /// The cart's tax is what the shop charges; the lines' taxes say where it comes from. When they
    /// differ (tax rounded for the whole cart, or known only for it), it is spread over the lines.
    fn settle_tax(&mut self, cart: &Cart) -> Option<()> {
        let of_lines = self.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.tax))?;
        if cart.tax == 0 || cart.tax == of_lines {
            return Some(());
        }
        if cart.tax < 0 {
            return None;
        }
        let taxable = |(line, of_cart): (&SheetLine, &crate::domain::Line)| {
            if of_cart.taxable && !of_cart.gift_card { line.subtotal } else { 0 }
        };
        let weights: Vec<Vec<i64>> = vec![
            self.lines.iter().map(|line| line.tax).collect(),
            self.lines.iter().zip(&cart.lines).map(taxable).collect(),
            self.lines.iter().map(|line| line.subtotal).collect(),
        ];
        let shares = weights.iter().find_map(|weights| allocate(cart.tax, weights, |at| self.id_of(at)))?;
        for (line, tax) in self.lines.iter_mut().zip(shares) {
            line.tax = tax;
        }
        Some(())
    }

    fn id_of(&self, at: usize) -> &str {
        self.lines.get(at).map_or("", |line| line.id.as_str())
    }

    /// Before discounts, gift cards included.
    #[must_use]
    pub fn subtotal(&self) -> i64 {
        sum(self.lines.iter().map(|line| line.subtotal))
    }

    /// Before discounts, without gift cards: the base of caps and minimum sums.
    #[must_use]
    pub fn discountable(&self) -> i64 {
        sum(self.lines.iter().filter(|line| !line.gift_card).map(|line| line.subtotal))
    }

    /// What is taken off goods so far.
    #[must_use]
    pub fn discount(&self) -> i64 {
        self.subtotal().saturating_sub(sum(self.lines.iter().map(|line| line.left)))
    }

    /// What is left of a target.
    #[must_use]
    pub fn left(&self, target: Goods<'_>) -> i64 {
        sum(self.lines.iter().filter(|line| line.is_of(target)).map(|line| line.left))
    }

    /// What a discount would take off its target now, were there no caps.
    #[must_use]
    pub fn worth(&self, target: Goods<'_>, value: &DiscountValue) -> i64 {
        let left = self.left(target);
        match value {
            DiscountValue::Percent(basis_points) => percent_of(left, *basis_points),
            DiscountValue::Amount(amount) => (*amount).clamp(0, left),
        }
    }

    /// Takes `amount` off, or what is left of the target when that is less. The cuts sum to what was taken.
    pub fn take(&mut self, target: Goods<'_>, amount: i64) -> Vec<Cut> {
        let amount = amount.clamp(0, self.left(target));
        if amount == 0 {
            return Vec::new();
        }
        let weights: Vec<i64> =
            self.lines.iter().map(|line| if line.is_of(target) { line.left } else { 0 }).collect();
        let Some(shares) = allocate(amount, &weights, |at| self.id_of(at)) else { return Vec::new() };
        let mut cuts = Vec::new();
        for (at, (line, share)) in self.lines.iter_mut().zip(shares).enumerate() {
            if share > 0 {
                line.left = line.left.saturating_sub(share);
                cuts.push(Cut { line: at, amount: share });
            }
        }
        cuts
    }

    /// After the discounts so far.
    #[must_use]
    pub fn tax(&self) -> i64 {
        sum(self.lines.iter().map(SheetLine::tax_now))
    }

    /// How much delivery may cost before the total passes 2^53-1.
    #[must_use]
    pub fn room(&self) -> i64 {
        MAX_AMOUNT.saturating_sub(self.subtotal()).saturating_sub(self.tax()).max(0)
    }

    /// `delivery` is after discounts on it, at most [`Self::room`].
    #[must_use]
    pub fn totals(&self, delivery: Option<i64>) -> Totals {
        let subtotal = self.subtotal();
        let discount = self.discount();
        let tax = self.tax();
        let added = if self.prices_include_tax { 0 } else { tax };
        let total = subtotal
            .saturating_sub(discount)
            .saturating_add(added)
            .saturating_add(delivery.unwrap_or(0))
            .clamp(0, MAX_AMOUNT);
        Totals { subtotal, discount, delivery, tax, total }
    }

    #[must_use]
    pub fn lines(&self) -> Vec<LineTotals> {
        self.lines
            .iter()
            .map(|line| LineTotals {
                id: line.id.clone(),
                subtotal: line.subtotal,
                discount: line.subtotal.saturating_sub(line.left),
                tax: line.tax_now(),
                total: line.left,
            })
            .collect()
    }
}

impl SheetLine {
    fn is_of(&self, target: Goods<'_>) -> bool {
        match target {
            Goods::Line(id) => self.id == id && !self.gift_card,
            Goods::Order => !self.gift_card,
        }
    }

    fn tax_now(&self) -> i64 {
        if self.left == self.subtotal {
            return self.tax;
        }
        // subtotal > left >= 0, so it is not zero.
        let subtotal = i128::from(self.subtotal);
        let share = i128::from(self.tax)
            .saturating_mul(i128::from(self.left))
            .saturating_mul(2)
            .saturating_add(subtotal)
            .checked_div_euclid(subtotal.saturating_mul(2))
            .unwrap_or(0);
        i64::try_from(share).unwrap_or(self.tax)
    }
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
mod tests;
