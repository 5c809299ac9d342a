//! Carts as a storefront may send them: most can be summed, many by a hair's breadth.

use super::super::{
    Attribute, Buyer, Cart, DeliveryGroup, EnteredCode, Line, PaymentMethod, Place, money::MAX_AMOUNT,
};
use super::Anything;

impl Anything<'_> {
    pub fn cart(&mut self) -> Cart {
        let prices_include_tax = self.flag();
        let mut lines: Vec<Line> = Vec::new();
        for (id, product) in [("1", "shirt"), ("2", "mug"), ("gift", "card"), ("a", "cap"), ("b", "poster")] {
            if lines.is_empty() || !self.byte().is_multiple_of(3) {
                lines.push(self.line(id, product));
            }
        }
        let of_lines = lines.iter().map(|line| line.tax).fold(0, i64::saturating_add);
        let tax = match self.byte() % 4 {
            0 => 0,
            1 => i64::from(self.byte()),
            2 if self.byte() < 16 => self.amount(),
            _ => of_lines,
        };
        let groups = if self.flag() { self.groups(&lines) } else { Vec::new() };
        Cart {
            id: if self.byte() < 8 { self.id() } else { "cart-1".to_owned() },
            currency: self.pick(&["EUR", "EUR", "JPY", "KWD"]).to_owned(),
            exponent: self.byte(),
            lines,
            destination: self.maybe(|_| Place {
                country: "PL".to_owned(),
                region: None,
                city: None,
                postcode: Some("00-001".to_owned()),
            }),
            groups,
            buyer: Buyer::default(),
            prices_include_tax,
            tax,
            payment_methods: ["card", "cash", "transfer"]
                .into_iter()
                .take(usize::from(self.byte() % 4))
                .map(|id| PaymentMethod { id: id.to_owned(), name: id.to_uppercase() })
                .collect(),
            codes: self.list(3, |any| EnteredCode {
                code: any.pick(&["GOOD", "good", "OLD", "AMOUNT", "SHIP", "campaign", "{{ x }}"]).to_owned(),
                status: "own".to_owned(),
            }),
            attributes: self.list(2, |any| Attribute { key: "gift-wrap".to_owned(), value: any.id() }),
        }
    }

    fn line(&mut self, id: &str, product: &str) -> Line {
        let unit_price = match self.byte() % 8 {
            0 => 0,
            1 => MAX_AMOUNT - self.amount().clamp(0, 100_000),
            2 => MAX_AMOUNT / 4,
            3 if self.byte() < 16 => self.amount(),
            _ => i64::from(u16::from_le_bytes(self.bytes())),
        };
        let quantity = if self.byte() < 8 { self.unsigned() } else { u32::from(self.byte() % 4) + 1 };
        let total = unit_price.saturating_mul(i64::from(quantity));
        let tax = match self.byte() % 4 {
            0 => 0,
            1 => total / 5,
            2 if self.byte() < 16 => self.amount(),
            _ => total.min(1),
        };
        Line {
            id: id.to_owned(),
            product: product.to_owned(),
            variant: None,
            title: product.to_uppercase(),
            quantity,
            unit_price,
            tags: Vec::new(),
            weight_grams: self.unsigned(),
            requires_shipping: !self.byte().is_multiple_of(8),
            gift_card: id == "gift",
            taxable: !self.byte().is_multiple_of(4),
            tax,
            parent_line: None,
            attributes: Vec::new(),
        }
    }

    /// The first line goes north, the others south.
    fn groups(&mut self, lines: &[Line]) -> Vec<DeliveryGroup> {
        let ids: Vec<String> = lines.iter().map(|line| line.id.clone()).collect();
        let (north, south) = ids.split_at(1.min(ids.len()));
        let group = |id: &str, lines: &[String]| DeliveryGroup {
            id: id.to_owned(),
            lines: lines.to_vec(),
            origin: None,
            destination: None,
        };
        let mut groups = vec![group("north", north)];
        if self.flag() {
            groups.push(group("south", south));
        }
        groups
    }
}
