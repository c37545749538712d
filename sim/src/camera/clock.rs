//! The one place of the simulator that asks for the time of day, and how people read it.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// Milliseconds since 1970-01-01 UTC.
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// China's one zone; the drawn streets are in China.
fn local(unix_ms: u64) -> jiff::Zoned {
    let instant = Timestamp::from_millisecond(unix_ms as i64).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.to_zoned(TimeZone::fixed(Offset::constant(8)))
}

/// Hour of the day with its fraction.
pub fn local_hour(unix_ms: u64) -> f32 {
    let now = local(unix_ms);
    f32::from(now.hour()) + f32::from(now.minute()) / 60.0
}

/// `2026-11-21 10:02:33.123`.
pub fn local_text(unix_ms: u64) -> String {
    let now = local(unix_ms);
    format!("{}.{:03}", now.strftime("%Y-%m-%d %H:%M:%S"), unix_ms % 1_000)
}
