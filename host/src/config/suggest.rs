//! The right word for a wrong one.

/// The closest of the candidates, when it is close enough to be what was meant.
#[must_use]
pub fn closest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let begins_alike = candidates
        .iter()
        .copied()
        .filter(|candidate| candidate.len() >= 4 && wrong.len() >= 4)
        .find(|candidate| wrong.starts_with(*candidate) || candidate.starts_with(&wrong));
    candidates
        .into_iter()
        .map(|candidate| {
            let right = candidate.to_lowercase();
            (strsim::damerau_levenshtein(&wrong, &right), candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).clamp(1, 4))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
        .or(begins_alike)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn only_what_is_close_is_suggested() {
        let keys = ["listen", "log", "limits", "data_dir"];
        assert_eq!(closest("lisetn", keys), Some("listen"));
        assert_eq!(closest("datadir", keys), Some("data_dir"));
        assert_eq!(closest("LOG", keys), Some("log"));
        assert_eq!(closest("limits_of_calls", keys), Some("limits"));
        assert_eq!(closest("colour", keys), None);
        assert_eq!(closest("Europe/Warsow", ["Europe/Warsaw", "Europe/Moscow"]), Some("Europe/Warsaw"));
    }
}
