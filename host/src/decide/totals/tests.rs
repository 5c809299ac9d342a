//! Totals to the last minor unit: golden cases, and laws that hold for any cart.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{Buyer, Line};

fn line(id: &str, quantity: u32, unit_price: i64, tax: i64) -> Line {
    Line {
        id: id.to_owned(),
        product: format!("product-{id}"),
        variant: None,
        title: id.to_owned(),
        quantity,
        unit_price,
        tags: Vec::new(),
        weight_grams: 0,
        requires_shipping: true,
        gift_card: false,
        taxable: true,
        tax,
        parent_line: None,
        attributes: Vec::new(),
    }
}

fn cart(lines: Vec<Line>, tax: i64, prices_include_tax: bool) -> Cart {
    Cart {
        id: "cart".to_owned(),
        currency: "EUR".to_owned(),
        exponent: 2,
        lines,
        destination: None,
        groups: Vec::new(),
        buyer: Buyer::default(),
        prices_include_tax,
        tax,
        payment_methods: Vec::new(),
        codes: Vec::new(),
        attributes: Vec::new(),
    }
}

fn percent(basis_points: u32) -> DiscountValue {
    DiscountValue::Percent(basis_points)
}

#[test]
fn percentages_round_half_up_and_never_pass_their_base() {
    let table = [
        (1_000, 1_000, 100),
        (5, 1_000, 1),
        (4, 1_000, 0),
        (15, 1_000, 2),
        (333, 3_333, 111),
        (1, 5_000, 1),
        (1, 4_999, 0),
        (100, 10_000, 100),
        (100, 20_000, 100),
        (100, u32::MAX, 100),
        (0, 5_000, 0),
        (MAX_AMOUNT, 10_000, MAX_AMOUNT),
        (MAX_AMOUNT, 5_000, 4_503_599_627_370_496),
    ];
    for (base, basis_points, expected) in table {
        assert_eq!(percent_of(base, basis_points), expected, "{basis_points} of {base}");
    }
    assert_eq!(cap_of(999, 5_000), 499, "a cap is rounded down");
}

#[test]
fn an_order_discount_is_spread_exactly() {
    let three = cart(vec![line("a", 1, 999, 0), line("b", 1, 999, 0), line("c", 1, 999, 0)], 0, true);
    let mut sheet = Sheet::new(&three).unwrap();
    let worth = sheet.worth(Goods::Order, &percent(1_000));
    assert_eq!(worth, 300);
    let cuts = sheet.take(Goods::Order, worth);
    assert_eq!(cuts.iter().map(|cut| cut.amount).collect::<Vec<_>>(), [100, 100, 100]);
    let cuts = sheet.take(Goods::Order, 100);
    assert_eq!(cuts.iter().map(|cut| cut.amount).collect::<Vec<_>>(), [34, 33, 33]);
    assert_eq!(sheet.discount(), 400);
}

#[test]
fn a_percentage_is_of_what_is_left() {
    let mut sheet = Sheet::new(&cart(vec![line("a", 1, 1_000, 0)], 0, true)).unwrap();
    for left in [500, 250, 125] {
        let worth = sheet.worth(Goods::Line("a"), &percent(5_000));
        sheet.take(Goods::Line("a"), worth);
        assert_eq!(sheet.left(Goods::Order), left);
    }
}

#[test]
fn gift_cards_are_not_discounted() {
    let mut gift = line("gift", 1, 5_000, 0);
    gift.gift_card = true;
    let mut sheet = Sheet::new(&cart(vec![line("a", 1, 1_000, 0), gift], 0, true)).unwrap();
    assert_eq!(sheet.subtotal(), 6_000);
    assert_eq!(sheet.discountable(), 1_000);
    assert_eq!(sheet.take(Goods::Line("gift"), 100), []);
    assert_eq!(sheet.take(Goods::Order, 9_999), [Cut { line: 0, amount: 1_000 }]);
    assert_eq!(sheet.totals(None).total, 5_000);
}

/// (lines' taxes, cart's tax, prices include tax, discount of the order, expected tax, expected total)
#[test]
fn tax_shrinks_with_the_discount() {
    type Row = ([i64; 2], i64, bool, i64, i64, i64);
    let table: &[Row] = &[
        // 23 % contained: of 12.30 and 6.15.
        ([230, 115], 345, true, 0, 345, 1_845),
        ([230, 115], 345, true, 615, 230, 1_230),
        ([230, 115], 345, true, 1_845, 0, 0),
        // On top.
        ([230, 115], 345, false, 0, 345, 2_190),
        ([230, 115], 345, false, 615, 230, 1_460),
        ([230, 115], 345, false, 1_845, 0, 0),
        // Known only for the cart.
        ([0, 0], 345, false, 615, 230, 1_460),
        // Rounded for the cart: its tax is what counts.
        ([230, 116], 345, false, 0, 345, 2_190),
        // Known only for the lines.
        ([230, 115], 0, false, 0, 345, 2_190),
    ];
    for (taxes, of_cart, include, discount, tax, total) in table {
        let lines = vec![line("a", 1, 1_230, taxes[0]), line("b", 1, 615, taxes[1])];
        let mut sheet = Sheet::new(&cart(lines, *of_cart, *include)).unwrap();
        sheet.take(Goods::Order, *discount);
        let totals = sheet.totals(None);
        assert_eq!((totals.tax, totals.total), (*tax, *total), "{taxes:?} {of_cart} {include} {discount}");
        assert_eq!(sheet.lines().iter().map(|line| line.tax).sum::<i64>(), totals.tax);
    }
}

#[test]
fn what_cannot_be_summed_is_refused() {
    let refused = [
        cart(vec![line("a", 2, MAX_AMOUNT, 0)], 0, true),
        cart(vec![line("a", 1, MAX_AMOUNT, 0), line("b", 1, 1, 0)], 0, true),
        cart(vec![line("a", 1, MAX_AMOUNT, 1)], 1, false),
        cart(vec![line("a", 1, -1, 0)], 0, true),
        cart(vec![line("a", 1, 1, -1)], 0, true),
        cart(vec![line("a", 1, 1, 0)], -1, true),
        cart(vec![line("a", u32::MAX, i64::MAX, 0)], 0, true),
        cart(vec![line("a", 1, 0, 0)], 1, false),
    ];
    for cart in refused {
        assert_eq!(Sheet::new(&cart), None, "{cart:?}");
    }
    assert!(Sheet::new(&cart(vec![line("a", 1, MAX_AMOUNT, 0)], 0, true)).is_some());
}

fn option(price: i64, group: Option<&str>) -> PricedOption<'_> {
    PricedOption { price, group }
}

#[test]
fn delivery_prices_golden_table() {
    let (half, all, five, seven) =
        (percent(5_000), percent(10_000), DiscountValue::Amount(500), DiscountValue::Amount(700));
    let discount = |value, best_of| DeliveryDiscount { value, class: "delivery", best_of };
    type Row<'a> =
        (&'a str, Vec<PricedOption<'a>>, Vec<DeliveryDiscount<'a>>, Vec<&'a str>, Vec<i64>, Option<i64>);
    let table: Vec<Row<'_>> = vec![
        ("nothing to deliver", vec![], vec![discount(&half, false)], vec![], vec![], None),
        (
            "half",
            vec![option(999, None), option(0, None)],
            vec![discount(&half, false)],
            vec![],
            vec![499, 0],
            Some(0),
        ),
        (
            "free",
            vec![option(999, None), option(1_999, None)],
            vec![discount(&all, false)],
            vec![],
            vec![0, 0],
            Some(0),
        ),
        (
            "more than the price",
            vec![option(300, None)],
            vec![discount(&five, false)],
            vec![],
            vec![0],
            Some(0),
        ),
        (
            "one after the other",
            vec![option(2_000, None)],
            vec![discount(&five, false), discount(&half, false)],
            vec![],
            vec![750],
            Some(750),
        ),
        (
            "the best only",
            vec![option(2_000, None), option(1_200, None)],
            vec![discount(&half, true), discount(&seven, true)],
            vec![],
            vec![1_000, 500],
            Some(500),
        ),
        (
            "split, an amount is shared",
            vec![option(900, Some("n")), option(800, Some("s")), option(700, Some("s"))],
            vec![discount(&five, false)],
            vec!["n", "s"],
            vec![650, 550, 450],
            Some(1_100),
        ),
        ("a group without options", vec![option(900, Some("n"))], vec![], vec!["n", "s"], vec![900], None),
        (
            "whole beside split",
            vec![option(900, Some("n")), option(800, Some("s")), option(1_500, None)],
            vec![],
            vec!["n", "s"],
            vec![900, 800, 1_500],
            Some(1_500),
        ),
    ];
    for (name, options, discounts, groups, prices, total) in table {
        let priced = price_delivery(&options, &discounts, &BTreeMap::new(), &groups);
        assert_eq!(priced.options.iter().map(|option| option.price).collect::<Vec<_>>(), prices, "{name}");
        assert_eq!(priced.total, total, "{name}");
        for (option, priced) in options.iter().zip(&priced.options) {
            assert_eq!(option.price, priced.price + priced.cuts.iter().sum::<i64>(), "{name}");
        }
    }
    let capped = price_delivery(
        &[option(2_000, None)],
        &[discount(&all, false)],
        &BTreeMap::from([("delivery", 800)]),
        &[],
    );
    assert_eq!(capped.options[0].price, 1_200);
}

prop_compose! {
    fn carts()(
        parts in prop::collection::vec((0_i64..100_000_000, 1_u32..1_000, 0_i64..100_000_000, any::<bool>()), 0..12),
        tax in 0_i64..1_000_000_000,
        include in any::<bool>(),
    ) -> Cart {
        let lines = parts.into_iter().enumerate().map(|(at, (price, quantity, tax, gift_card))| {
            Line { gift_card, ..line(&format!("line-{at}"), quantity, price, tax) }
        });
        let mut cart = cart(lines.collect(), tax, include);
        if cart.lines.iter().all(|line| line.unit_price == 0 && line.tax == 0) {
            cart.tax = 0;
        }
        cart
    }
}

fn takes() -> impl Strategy<Value = Vec<(Option<usize>, DiscountValue)>> {
    let value = prop_oneof![
        (0_u32..30_000).prop_map(DiscountValue::Percent),
        (i64::MIN..i64::MAX).prop_map(DiscountValue::Amount),
        (0_i64..1_000_000_000).prop_map(DiscountValue::Amount),
    ];
    prop::collection::vec((prop::option::of(0_usize..14), value), 0..10)
}

proptest! {
    #[test]
    fn nothing_goes_below_zero_and_everything_sums(
        cart in carts(),
        takes in takes(),
        delivery in prop::option::of(0_i64..1_000_000),
    ) {
        let mut sheet = Sheet::new(&cart).unwrap();
        let mut taken = 0;
        for (line, value) in takes {
            let id = line.map(|at| format!("line-{at}"));
            let target = id.as_deref().map_or(Goods::Order, Goods::Line);
            let worth = sheet.worth(target, &value);
            prop_assert!(worth >= 0 && worth <= sheet.left(target));
            let cuts = sheet.take(target, worth);
            prop_assert_eq!(cuts.iter().map(|cut| cut.amount).sum::<i64>(), worth);
            taken += worth;
        }
        let totals = sheet.totals(delivery);
        prop_assert_eq!(totals.discount, taken);
        prop_assert!(totals.total >= 0 && totals.tax >= 0);
        let tax = if cart.prices_include_tax { 0 } else { totals.tax };
        prop_assert_eq!(totals.total, totals.subtotal - totals.discount + tax + delivery.unwrap_or(0));
        let lines = sheet.lines();
        for line in &lines {
            prop_assert!(line.total >= 0 && line.discount >= 0 && line.tax >= 0);
            prop_assert_eq!(line.total, line.subtotal - line.discount);
        }
        prop_assert_eq!(lines.iter().map(|line| line.subtotal).sum::<i64>(), totals.subtotal);
        prop_assert_eq!(lines.iter().map(|line| line.discount).sum::<i64>(), totals.discount);
        prop_assert_eq!(lines.iter().map(|line| line.tax).sum::<i64>(), totals.tax);
    }

    #[test]
    fn the_order_of_the_lines_does_not_matter(cart in carts(), amount in 0_i64..1_000_000_000) {
        let mut turned = cart.clone();
        turned.lines.reverse();
        let (mut one, mut other) = (Sheet::new(&cart).unwrap(), Sheet::new(&turned).unwrap());
        one.take(Goods::Order, amount);
        other.take(Goods::Order, amount);
        prop_assert_eq!(one.totals(None), other.totals(None));
        let mut lines = other.lines();
        lines.reverse();
        prop_assert_eq!(one.lines(), lines);
    }

    #[test]
    fn delivery_is_never_below_zero(
        prices in prop::collection::vec((0_i64..1_000_000, 0_usize..3), 0..8),
        values in takes(),
        best_of in any::<bool>(),
        cap in prop::option::of(0_i64..1_000_000),
    ) {
        let names = ["north", "south"];
        let options: Vec<_> =
            prices.iter().map(|(price, group)| option(*price, names.get(*group).copied())).collect();
        let discounts: Vec<_> = values
            .iter()
            .map(|(_, value)| DeliveryDiscount { value, class: "delivery", best_of })
            .collect();
        let caps = cap.map(|cap| ("delivery", cap)).into_iter().collect();
        let priced = price_delivery(&options, &discounts, &caps, &names);
        for (option, priced) in options.iter().zip(&priced.options) {
            prop_assert!(priced.price >= 0);
            prop_assert!(priced.cuts.iter().all(|cut| *cut >= 0));
            prop_assert_eq!(option.price, priced.price + priced.cuts.iter().sum::<i64>());
        }
        if let (Some(cap), Some(total)) = (cap, priced.total) {
            let full: i64 = priced.cheapest.iter().map(|at| options[*at].price).sum();
            prop_assert!(full - total <= cap);
        }
    }
}
