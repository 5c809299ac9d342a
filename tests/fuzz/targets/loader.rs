//! The file of a plugin, as `plugin inspect` reads it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cartwright::fuzzing::loader(data));
