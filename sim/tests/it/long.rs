//! Whether a run is a long one, as `cargo xtask test --long` asks for. What should not be here: what is long about a test.

pub fn is_long() -> bool {
    std::env::var_os("GRIDHALL_LONG").is_some()
}
