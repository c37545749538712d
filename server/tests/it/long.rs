//! The one place of these tests that asks whether this is a long run (`cargo xtask test --long`).

use std::time::Duration;

pub fn is_long() -> bool {
    std::env::var_os("GRIDHALL_LONG").is_some()
}

/// What a long run, on an idle machine, holds the server to; the everyday run shares its cores with compilers and asserts
/// three times as much.
pub fn bound(promised: Duration) -> Duration {
    if is_long() { promised } else { 3 * promised }
}
