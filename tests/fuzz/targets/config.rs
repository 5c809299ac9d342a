//! The text of a shop's file and of the host's.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cartwright::fuzzing::config(data));
