//! What platforms and mail providers send, and what is signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cartwright::fuzzing::webhooks(data));
