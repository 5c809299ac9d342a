//! The doors by which `tests/fuzz` comes in: bytes that nobody chose go where those of strangers go. Each panics
//! when a promise is broken. The seeds of `tests/fuzz` come in by them in each run of the tests.

use std::path::Path;

use crate::config::{ConfigError, parse_host, parse_shop};
use crate::{decide, http, lifecycle, plugins};

/// Whatever plugins say, an answer keeps the host's promises.
pub fn merge(bytes: &[u8]) {
    match bytes.split_first() {
        Some((which, rest)) if which % 4 == 3 => lifecycle::trials::run(rest),
        Some((_, rest)) => drop(decide::trials::run(rest)),
        None => {}
    }
}

/// The text of a shop's file, or (behind a `!`) of the host's: taken, or refused with its place.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let read = match text.strip_prefix('!') {
        Some(host) => parse_host(Path::new("cartwright.toml"), host).map(|_| ()),
        None => parse_shop(Path::new("shops/test.toml"), text.as_ref().into()).map(|_| ()),
    };
    if let Err(error) = read {
        placed(&error, text.lines().count());
    }
}

fn placed(error: &ConfigError, lines: usize) {
    assert!(!error.to_string().trim().is_empty() && !error.report().is_empty());
    let line = error.line();
    assert!(line.is_some_and(|line| (1..=lines + 1).contains(&line)), "no place: {error}");
}

/// What a shop, a platform or a browser sends to a hook.
pub fn requests(bytes: &[u8]) {
    http::doors::request(bytes);
}

/// What platforms and mail providers report, and what is signed.
pub fn webhooks(bytes: &[u8]) {
    http::doors::webhook(bytes);
}

/// The file of a plugin, as far as `plugin inspect` reads it.
pub fn loader(bytes: &[u8]) {
    plugins::doors::file(bytes);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What each run of the tests does to a seed: bytes changed, cut, put in. The fuzzer does more.
    fn changed(seed: &[u8], round: u32) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        let mut chance = round.wrapping_mul(2_654_435_761) | 1;
        let mut below = |most: usize| {
            chance ^= chance << 13;
            chance ^= chance >> 17;
            chance ^= chance << 5;
            chance as usize % most.max(1)
        };
        for _ in 0..=below(3) {
            let at = below(bytes.len());
            let put_in: Vec<u8> = match below(5) {
                0 => {
                    bytes.truncate(at);
                    Vec::new()
                }
                1 => seed.iter().copied().skip(below(seed.len())).take(below(40)).collect(),
                2 => "\u{202e}\0".into(),
                3 => vec![b"\"[]{}0-9"[below(8)]],
                _ => {
                    let byte = below(256) as u8;
                    bytes.iter_mut().skip(at).take(1).for_each(|changed| *changed = byte);
                    Vec::new()
                }
            };
            bytes.splice(at..at, put_in);
        }
        bytes
    }

    fn seeds(target: &str, door: fn(&[u8]), rounds: u32) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
        let mut found = 0;
        for seed in std::fs::read_dir(folder).unwrap() {
            let seed = std::fs::read(seed.unwrap().path()).unwrap();
            door(&seed);
            for round in 1..=rounds {
                door(&changed(&seed, round));
            }
            found += 1;
        }
        assert!(found > 2, "the seeds of {target} are gone");
    }

    #[test]
    fn files_of_settings() {
        seeds("config", super::config, 150);
    }

    #[test]
    fn files_of_plugins() {
        seeds("loader", super::loader, 60);
    }

    #[test]
    fn what_plugins_say() {
        seeds("merge", super::merge, 2);
    }

    #[test]
    fn bodies_of_hooks() {
        seeds("requests", super::requests, 80);
    }

    #[test]
    fn what_platforms_report() {
        seeds("webhooks", super::webhooks, 80);
    }
}
