//! From points to tiers.

use cartwright_sdk::prelude::*;

/// A step of the programme.
#[derive(Settings)]
pub struct Tier {
    /// What systems call it: the customer's label `tier`.
    #[setting(pattern = "^[a-z][a-z0-9-]*$")]
    pub id: String,
    /// What people call it, in all languages; without it the text `tier-<id>`.
    pub title: Option<String>,
    /// From so many points on.
    pub points: u32,
}

impl Tier {
    /// To be mentioned in a text.
    pub fn name(&self) -> Value {
        match &self.title {
            Some(title) => Value::String(title.clone()),
            None => Value::Text(format!("tier-{}", self.id)),
        }
    }
}

/// The highest tier that so many points reach.
pub fn tier_at(tiers: &[Tier], points: i64) -> Option<&Tier> {
    tiers.iter().filter(|tier| i64::from(tier.points) <= points).max_by_key(|tier| tier.points)
}

/// The next tier above.
pub fn next_tier(tiers: &[Tier], points: i64) -> Option<&Tier> {
    tiers.iter().filter(|tier| i64::from(tier.points) > points).min_by_key(|tier| tier.points)
}
