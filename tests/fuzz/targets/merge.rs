//! What plugins say, in decisions and in events.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cartwright::fuzzing::merge(data));
