//! cargo-fuzz target; what it does is in `src/targets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gridhall_fuzz::targets::class_table(bytes));
