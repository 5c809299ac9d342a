//! An answer of a decision hook as a person wants to read it. Pure.

use serde_json::Value;

use crate::cli::terminal::Table;

/// Sums of an answer, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) subtotal: i64,
    pub(super) discount: i64,
}

/// The rows of an answer: what there is of delivery, discounts, sums, recommendations, notices, refusals.
pub(super) fn rows(answer: &Value) -> Table {
    let mut table = Table::default();
    section(&mut table, "Delivery", list(answer, "delivery_options").iter().map(delivery));
    section(&mut table, "Discounts", list(answer, "discounts").iter().map(discount));
    section(&mut table, "Codes", list(answer, "codes").iter().filter_map(code));
    section(&mut table, "Total", total(answer).into_iter());
    section(&mut table, "Recommended", list(answer, "recommendations").iter().map(recommendation));
    section(&mut table, "Notices", list(answer, "notices").iter().map(|notice| vec![text(notice, "text")]));
    section(&mut table, "Blocks", list(answer, "blocks").iter().map(block));
    section(
        &mut table,
        "Refused",
        list(answer, "refusals").iter().map(|refusal| vec![text(refusal, "text")]),
    );
    section(&mut table, "Left out", list(answer, "warnings").iter().map(warning));
    table
}

/// The name of the section on its first row. Rows say something in their last cell.
fn section(table: &mut Table, name: &str, rows: impl Iterator<Item = Vec<String>>) {
    for (index, mut row) in rows.enumerate() {
        while row.last().is_some_and(String::is_empty) {
            row.pop();
        }
        row.insert(0, if index == 0 { name.to_owned() } else { String::new() });
        table.cells(row);
    }
}

fn delivery(option: &Value) -> Vec<String> {
    let price = text_of(option, "/price/text");
    let full = text_of(option, "/full_price/text");
    let cost = if price == full { price } else { format!("{price} (else {full})") };
    vec![text(option, "title"), cost, text(option, "arrival_text"), text(option, "description")]
}

fn discount(discount: &Value) -> Vec<String> {
    let code = text(discount, "code");
    let code = if code.is_empty() { code } else { format!("for {code}") };
    vec![text(discount, "title"), format!("−{}", text_of(discount, "/amount/text")), code]
}

/// Only codes that do not count: the others show as discounts.
fn code(code: &Value) -> Option<Vec<String>> {
    let status = text(code, "status");
    (status != "applied").then(|| vec![text(code, "code"), status])
}

fn total(answer: &Value) -> Option<Vec<String>> {
    let total = text_of(answer, "/totals/total_text");
    (!total.is_empty()).then(|| vec![format!("{total} with the cheapest delivery")])
}

fn recommendation(item: &Value) -> Vec<String> {
    vec![text(item, "title"), text_of(item, "/price/text"), text(item, "reason")]
}

fn block(block: &Value) -> Vec<String> {
    let title = text(block, "title");
    let body = text(block, "body");
    vec![if title.is_empty() { body } else { format!("{title}: {body}") }]
}

fn warning(warning: &Value) -> Vec<String> {
    vec![format!("{}: {}", text(warning, "plugin"), text(warning, "message"))]
}

/// An array of the answer; none is empty.
pub(super) fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn text_of(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn amount(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

pub(super) fn sums(answer: &Value) -> Option<Sums> {
    Some(Sums {
        subtotal: amount(answer, "/totals/subtotal")?,
        discount: amount(answer, "/totals/discount")?,
    })
}

/// What discounts take off a line.
pub(super) fn taken_off(answer: &Value, line: &str) -> i64 {
    list(answer, "discounts")
        .iter()
        .flat_map(|discount| list(discount, "allocations"))
        .filter(|part| part.get("target").and_then(Value::as_str) == Some(line))
        .filter_map(|part| amount(part, "/amount"))
        .sum()
}

/// Whether every discount is the sum of its parts, and all are the total's discount and what they
/// take off delivery.
pub(super) fn adds_up(answer: &Value) -> bool {
    let Some(sums) = sums(answer) else { return false };
    let mut goods = 0;
    for discount in list(answer, "discounts") {
        let parts = |delivery: bool| {
            list(discount, "allocations")
                .iter()
                .filter(|part| (part.get("target").and_then(Value::as_str) == Some("delivery")) == delivery)
                .filter_map(|part| amount(part, "/amount"))
                .sum::<i64>()
        };
        if Some(parts(true) + parts(false)) != amount(discount, "/amount/amount") {
            return false;
        }
        goods += parts(false);
    }
    goods == sums.discount && sums.discount <= sums.subtotal
}

/// Names of the sections that are not `complete`.
pub(super) fn incomplete(answer: &Value) -> Vec<String> {
    let Some(sections) = answer.get("sections").and_then(Value::as_object) else {
        return vec!["sections".to_owned()];
    };
    sections
        .iter()
        .filter(|(_, state)| state.as_str() != Some("complete"))
        .map(|(name, state)| format!("{name} is {}", state.as_str().unwrap_or("missing")))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({
            "delivery_options": [
                { "title": "Parcel locker", "price": { "amount": 0, "text": "0.00 zł" },
                  "full_price": { "amount": 999, "text": "9.99 zł" }, "arrival_text": "Thu 3 December",
                  "description": null },
            ],
            "discounts": [
                { "title": "10% off", "code": "WELCOME10", "amount": { "amount": 2970, "text": "29.70 zł" },
                  "allocations": [{ "target": "1", "amount": 1990 }, { "target": "2", "amount": 980 }] },
                { "title": "Free delivery", "code": null, "amount": { "amount": 999, "text": "9.99 zł" },
                  "allocations": [{ "target": "delivery", "amount": 999 }] },
            ],
            "codes": [{ "code": "WELCOME10", "status": "applied" }, { "code": "OLD", "status": "expired" }],
            "totals": { "subtotal": 29700, "discount": 2970, "total_text": "267.30 zł" },
            "notices": [{ "text": "33 points to Silver" }],
            "sections": { "delivery_options": "complete", "discounts": "partial" },
        })
    }

    #[test]
    fn an_answer_reads_in_rows() {
        insta::assert_snapshot!(rows(&answer()).lines("", |_, cell| cell.to_owned()), @r"
        Delivery   Parcel locker  0.00 zł (else 9.99 zł)  Thu 3 December
        Discounts  10% off        −29.70 zł               for WELCOME10
                   Free delivery  −9.99 zł
        Codes      OLD            expired
        Total      267.30 zł with the cheapest delivery
        Notices    33 points to Silver
        ");
    }

    #[test]
    fn sums_are_checked_with_a_pencil() {
        assert!(adds_up(&answer()));
        assert_eq!(taken_off(&answer(), "1"), 1990);
        let mut wrong = answer();
        wrong["discounts"][0]["allocations"][0]["amount"] = json!(1991);
        assert!(!adds_up(&wrong));
        let mut more = answer();
        more["totals"]["discount"] = json!(2971);
        assert!(!adds_up(&more));
    }

    #[test]
    fn what_is_not_complete_is_named() {
        assert_eq!(incomplete(&answer()), ["discounts is partial"]);
        assert_eq!(incomplete(&json!({})), ["sections"]);
    }
}
