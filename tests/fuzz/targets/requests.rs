//! The bodies of hooks.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cartwright::fuzzing::requests(data));
