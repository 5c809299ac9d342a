//! The statements that stand in the store's sources.

use std::collections::BTreeSet;
use std::path::Path;

/// What a database is opened by, and its own words.
const OPENING: [&str; 3] = ["store/migrations.rs", "store/keys.rs", "store/dialect"];

const WORDS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

pub(crate) struct Sources {
    /// Each as the pieces between what is put in, and where it stands.
    statements: Vec<(Vec<String>, String)>,
}

impl Sources {
    pub(crate) fn read() -> Self {
        let mut statements = Vec::new();
        find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut statements);
        assert!(statements.len() > 150, "{}", statements.len());
        Self { statements }
    }

    /// Those of the store among what was sent; the rest is the tests' own.
    pub(crate) fn among(&self, sent: BTreeSet<String>) -> BTreeSet<String> {
        sent.into_iter()
            .filter(|text| self.statements.iter().any(|(pieces, _)| is_made_of(text, pieces)))
            .collect()
    }

    /// Those that nobody sent, but for those by which a database is opened.
    pub(crate) fn left_out(&self, sent: &BTreeSet<String>) -> Vec<String> {
        let left = self.statements.iter().filter(|(pieces, place)| {
            !OPENING.iter().any(|part| place.contains(part))
                && !sent.iter().any(|text| is_made_of(text, pieces))
        });
        left.map(|(pieces, place)| format!("{place}: {}", pieces.join("{…}"))).collect()
    }
}

fn find(folder: &Path, statements: &mut Vec<(Vec<String>, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "tests" || name == "gate" || name == "tests.rs" || name == "testing.rs" {
            continue;
        }
        if path.is_dir() {
            find(&path, statements);
        } else if name.ends_with(".rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for literal in source.split('"') {
                let text = plain(literal);
                if WORDS.iter().any(|word| text.starts_with(word)) {
                    let pieces = text.split(['{', '}']).step_by(2).map(|piece| piece.trim().to_owned());
                    statements.push((pieces.collect(), path.display().to_string()));
                }
            }
        }
    }
}

/// On one line, without what a source breaks lines with.
pub(super) fn plain(text: &str) -> String {
    text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_made_of(text: &str, pieces: &[String]) -> bool {
    let text = plain(text);
    let mut rest = text.as_str();
    pieces.iter().all(|piece| match rest.find(piece.as_str()) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}
