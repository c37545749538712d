//! The only file of the server that reads the time.

use domain::moment::UtcMillis;

/// The present.
#[must_use]
pub fn now() -> UtcMillis {
    UtcMillis(now_us() / 1_000)
}

/// The present in microseconds since 1970-01-01 UTC.
#[must_use]
#[allow(clippy::disallowed_methods)]
pub fn now_us() -> i64 {
    // A clock before 1970 is a broken machine; counting from zero is then as good as any answer.
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Time since some fixed moment of this process, unmoved by anyone setting the clock.
#[must_use]
#[allow(clippy::disallowed_methods)]
pub fn monotonic() -> std::time::Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
