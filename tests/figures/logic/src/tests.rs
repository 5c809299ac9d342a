use super::*;

fn question<'a>(orders: usize) -> Question<'a> {
    let line =
        |id, product, quantity, unit_price| Line { id, product, quantity, unit_price, weight_grams: 300 };
    let past = PastOrder { total: 20_000, products: vec!["mug", "bowl"] };
    Question {
        cart: Cart {
            lines: vec![
                line("1", "bowl", 1, 9_900),
                line("2", "mug", 4, 4_900),
                line("3", "candle", 3, 1_900),
            ],
            destination: Some(Place { country: "PL" }),
        },
        customer: (orders > 0).then(|| Customer { orders: vec![past; orders] }),
    }
}

#[test]
fn a_returning_customer_gets_two_discounts_three_ways_of_delivery_and_four_recommendations() {
    let decision = decide(&question(10));
    let of_line: Vec<_> = decision.discounts.iter().map(|each| (each.line, each.basis_points)).collect();
    assert_eq!(of_line, [(Some("1"), 1_000), (None, 500)]);
    // 35 200 less 990 and 1 760: more than they usually spend.
    let prices: Vec<_> = decision.delivery.iter().map(|option| option.price).collect();
    assert_eq!(prices, [0, 1_490 + 3 * 150, 2_990 + 3 * 250]);
    let products: Vec<_> = decision.recommendations.iter().map(|each| each.product).collect();
    assert_eq!(products, ["spoon", "coffee-grinder", "coffee-pot", "milk-jug"]);
    assert_eq!(decision.hidden_payments.len(), 1);
}

#[test]
fn a_stage_hands_over_its_part() {
    let decision = decide(&question(0));
    assert!(decision.discounts.is_empty());
    assert_eq!(decision.delivery.len(), 3);
    let content = decision.clone().of(Stage::Content);
    assert_eq!((content.delivery.len(), content.recommendations.len()), (0, 4));
}
