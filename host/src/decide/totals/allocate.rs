//! Sharing an amount out so that the shares sum to it exactly: largest remainder. Pure.

/// Shares of `amount`, in proportion to `weights`; `None` when one is negative, or nothing has weight and
/// there is something to share. Equal remainders go to the smaller `key` first, so the order of the
/// weights does not matter. When `amount` is no more than all weights together, no share is more than its weight.
#[must_use]
pub fn allocate<'a>(amount: i64, weights: &[i64], key: impl Fn(usize) -> &'a str) -> Option<Vec<i64>> {
    if amount < 0 || weights.iter().any(|weight| *weight < 0) {
        return None;
    }
    if amount == 0 {
        return Some(vec![0; weights.len()]);
    }
    let whole = weights.iter().try_fold(0_i128, |sum, weight| sum.checked_add(i128::from(*weight)))?;
    let mut shares = Vec::with_capacity(weights.len());
    let mut remainders = Vec::new();
    let mut left = amount;
    for (at, weight) in weights.iter().enumerate() {
        let product = i128::from(amount).checked_mul(i128::from(*weight))?;
        let share = i64::try_from(product.checked_div_euclid(whole)?).ok()?;
        let remainder = product.checked_rem_euclid(whole)?;
        if remainder > 0 {
            remainders.push((remainder, at));
        }
        left = left.checked_sub(share)?;
        shares.push(share);
    }
    // What rounding down left over is less than the number of remainders: one unit each is enough.
    remainders.sort_by(|(one, at), (other, next)| other.cmp(one).then_with(|| key(*at).cmp(key(*next))));
    for (_, at) in remainders {
        if left == 0 {
            break;
        }
        if let Some(share) = shares.get_mut(at) {
            *share = share.checked_add(1)?;
            left = left.checked_sub(1)?;
        }
    }
    (left == 0).then_some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(amount: i64, weights: &[i64]) -> Option<Vec<i64>> {
        let keys: Vec<String> = (0..weights.len()).map(|at| format!("{at:04}")).collect();
        allocate(amount, weights, |at| &keys[at])
    }

    #[test]
    fn golden_table() {
        type Row<'a> = (i64, &'a [i64], Option<&'a [i64]>);
        let table: &[Row<'_>] = &[
            (100, &[1, 1, 1], Some(&[34, 33, 33])),
            (200, &[1, 1, 1], Some(&[67, 67, 66])),
            (10, &[999, 1], Some(&[10, 0])),
            (1, &[1, 1], Some(&[1, 0])),
            (5, &[0, 7], Some(&[0, 5])),
            (0, &[0, 0], Some(&[0, 0])),
            (0, &[], Some(&[])),
            (1, &[], None),
            (1, &[0], None),
            (-1, &[1], None),
            (1, &[-1, 3], None),
            (9_007_199_254_740_991, &[1, 2], Some(&[3_002_399_751_580_330, 6_004_799_503_160_661])),
            (7, &[3, 3, 1], Some(&[3, 3, 1])),
        ];
        for (amount, weights, expected) in table {
            assert_eq!(shared(*amount, weights).as_deref(), *expected, "{amount} over {weights:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn shares_sum_exactly_and_stay_within_their_weights(
            weights in proptest::collection::vec(0_i64..1_000_000_000_000, 1..40),
            of in 0_u32..=10_000,
        ) {
            let whole: i64 = weights.iter().sum();
            let amount = super::super::percent_of(whole, of);
            let shares = shared(amount, &weights).unwrap();
            proptest::prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            for (share, weight) in shares.iter().zip(&weights) {
                proptest::prop_assert!(share <= weight, "{} of {}", share, weight);
            }
        }
    }
}
