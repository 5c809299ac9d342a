//! One template with sample data, to look at.

use crate::plugins::registry::LiveShop;

/// A rendered message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub subject: String,
    pub html: String,
    pub text: String,
    /// What was taken out or not found: links that are not allowed, texts without a translation.
    pub remarks: Vec<String>,
}

/// Renders `plugin`'s `template` (its file name without `.html`) with a sample order and customer, in
/// `locale` or the shop's default. The error is a sentence with file and line.
pub fn preview(
    shop: &LiveShop,
    plugin: &str,
    template: &str,
    locale: Option<&str>,
    now_ms: i64,
) -> Result<Preview, String> {
    let _ = (shop, plugin, template, locale, now_ms);
    todo!()
}
