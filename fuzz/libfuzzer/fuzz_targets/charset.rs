//! The target `charset` of the fuzz crate under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::targets::run("charset", input));
