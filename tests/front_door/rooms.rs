//! The invariants of the README: which room may know which, read off the source.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms and their floors: a room may use rooms of lower floors, and, on its own floor, only those named.
const FLOORS: [(&str, u8, &[&str]); 17] = [
    ("main", 5, &["cli"]),
    ("cli", 5, &["serve"]),
    ("serve", 5, &[]),
    // Only in tests, and in the builds of `tests/fuzz`.
    ("fuzzing", 5, &[]),
    ("http", 4, &["adapters"]),
    ("adapters", 4, &[]),
    // Verifying a quote is the decision's, rendering a mail asks for content.
    ("lifecycle", 3, &["decide"]),
    ("messages", 3, &["decide"]),
    ("webhooks", 3, &[]),
    ("decide", 3, &[]),
    ("store", 2, &[]),
    ("fetch", 2, &[]),
    ("plugins", 2, &["wording"]),
    ("wording", 2, &[]),
    ("config", 1, &[]),
    ("threads", 1, &[]),
    // Its faults are in the builds of `tests/chaos` alone.
    ("sabotage", 1, &[]),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
}

/// Room → (file, line without comments), for all code of the host that is not a test.
fn code() -> BTreeMap<String, Vec<(String, String)>> {
    let root = source();
    let mut found = Vec::new();
    files(&root, &mut found);
    let mut rooms: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for path in found {
        let inside = path.strip_prefix(&root).unwrap();
        let name = inside.to_string_lossy().into_owned();
        if name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        let room = name.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = rooms.entry(room).or_default();
        for line in text.lines() {
            if line.starts_with("#[cfg(test)]") {
                break;
            }
            let code = line.split("//").next().unwrap().trim();
            if !code.is_empty() {
                lines.push((name.clone(), code.to_owned()));
            }
        }
    }
    rooms
}

fn offenders(rooms: &BTreeMap<String, Vec<(String, String)>>, room: &str, what: &str) -> Vec<String> {
    rooms[room]
        .iter()
        .filter(|(_, line)| line.contains(what))
        .map(|(file, line)| format!("{file}: {line}"))
        .collect()
}

#[test]
fn a_room_uses_only_rooms_below_it() {
    let rooms = code();
    let mut wrong = Vec::new();
    for (room, floor, beside) in FLOORS {
        assert!(rooms.contains_key(room), "the room `{room}` is gone: correct this table and the README");
        for (other, other_floor, _) in FLOORS {
            if other == room || other_floor < floor || beside.contains(&other) {
                continue;
            }
            wrong.extend(offenders(&rooms, room, &format!("crate::{other}")));
        }
    }
    wrong.retain(|line| !line.starts_with("main.rs"));
    assert!(wrong.is_empty(), "these lines look up: {wrong:#?}");
    let vocabulary = rooms["domain"].iter().filter(|(_, line)| line.contains("crate::")).collect::<Vec<_>>();
    assert!(vocabulary.is_empty(), "the vocabulary knows no room: {vocabulary:#?}");
}

#[test]
fn each_large_dependency_lives_in_one_room() {
    let rooms = code();
    let homes: [(&str, &[&str]); 3] =
        [("wasmtime", &["plugins", "domain"]), ("sqlx", &["store"]), ("axum", &["http"])];
    for (dependency, homes) in homes {
        let used = rooms
            .keys()
            .filter(|room| {
                !offenders(&rooms, room, &format!("{dependency}::")).is_empty()
                    || !offenders(&rooms, room, &format!("use {dependency};")).is_empty()
            })
            .filter(|room| !homes.contains(&room.as_str()))
            .collect::<Vec<_>>();
        assert!(used.is_empty(), "`{dependency}` belongs to {homes:?}, but is used in {used:?}");
        assert!(homes.iter().any(|home| !offenders(&rooms, home, &format!("{dependency}::")).is_empty()));
    }
    let sql = rooms
        .iter()
        .filter(|(room, _)| room.as_str() != "store")
        .flat_map(|(_, lines)| lines)
        .filter(|(_, line)| {
            ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "].iter().any(|word| line.contains(word))
        })
        .collect::<Vec<_>>();
    assert!(sql.is_empty(), "SQL outside the store: {sql:#?}");
}

#[test]
fn the_pure_files_do_no_input_and_read_no_clock() {
    let rooms = code();
    for pure in [
        "decide/merge.rs",
        "decide/totals.rs",
        "domain/host.rs",
        "fetch/address.rs",
        "fetch/policy.rs",
        "plugins/permissions.rs",
        "plugins/schema.rs",
        "plugins/upgrade.rs",
        "messages/policy.rs",
        "webhooks/request.rs",
        "webhooks/schedule.rs",
    ] {
        let lines = rooms.values().flatten().filter(|(file, _)| file == pure).collect::<Vec<_>>();
        assert!(!lines.is_empty(), "{pure} is gone: correct this list and the README");
        for forbidden in [
            "async ",
            ".await",
            "std::fs",
            "std::net",
            "tokio::",
            "Timestamp::now",
            "SystemTime",
            "Instant::now",
        ] {
            let found = lines.iter().filter(|(_, line)| line.contains(forbidden)).collect::<Vec<_>>();
            assert!(found.is_empty(), "{pure} is pure, but has `{forbidden}`: {found:#?}");
        }
    }
}

#[test]
fn only_the_clock_reads_the_time_of_day() {
    let rooms = code();
    let found = rooms
        .values()
        .flatten()
        .filter(|(file, line)| {
            (line.contains("Timestamp::now") || line.contains("SystemTime::now")) && file != "domain/clock.rs"
        })
        .filter(|(file, _)| !file.starts_with("cli"))
        .collect::<Vec<_>>();
    assert!(found.is_empty(), "everything below `cli` is told the time: {found:#?}");
}
