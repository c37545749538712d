//! The client's half of the live feed (实时推送): what a screen holds of its topics, and whether it is right.
//!
//! One state machine for every client: the screens, the load generator and the tests follow the hall by the same code,
//! so that what is proved by simulation is what hangs in the hall. What should be here: what to say and to fetch, what a
//! message changes, where to resume, how long to wait. What should not: sockets, timers, drawing. Positions come packed
//! and are held in `position::CellView`.

mod rows;
mod held;
mod stand;
mod follower;
mod heartbeat;
mod focus;
mod course;
#[cfg(test)]
mod tests;

pub use course::Course;
pub use focus::focus;
pub use follower::Follower;
pub use held::{EVENTS_KEPT, Held};
pub use rows::Rows;
pub use stand::{Act, Counts};

/// Lines of the log asked for before the present, so that a log strip and an alarm rate start filled; after a longer
/// absence too, with the gap before them declared.
pub const EVENTS_BACK: u64 = 1_500;

const RETRY_MIN_MS: f64 = 250.0;
/// However long the server was away, every screen has everything again within two seconds. Five hundred screens that
/// knock twice a second cost a server that is down nothing, and one that is up less than their frames.
const RETRY_MAX_MS: f64 = 1_000.0;

/// How long a client that lost its server waits before attempt `attempt`; `random` is within 0 to 1. Full jitter:
/// anything between the shortest wait and a limit that doubles, so that 500 screens do not return at once.
#[must_use]
pub fn retry_ms(attempt: u32, random: f64) -> u32 {
    let limit = (RETRY_MIN_MS * f64::from(1u32 << attempt.min(8))).clamp(2.0 * RETRY_MIN_MS, RETRY_MAX_MS);
    (RETRY_MIN_MS + random * (limit - RETRY_MIN_MS)) as u32
}

/// However often a server that is there has refused a snapshot, it is asked again within this.
const SNAPSHOT_RETRY_MAX_MS: f64 = 15_000.0;

/// How long a client waits before it asks again for a snapshot that it did not get, after `misses` failures one after
/// another; `random` is within 0 to 1. At first like [`retry_ms`]; then ever longer, because the server is there and
/// hard pressed.
#[must_use]
pub fn snapshot_retry_ms(misses: u8, random: f64) -> u32 {
    let limit = (RETRY_MAX_MS * f64::from(1u32 << misses.min(8))).min(SNAPSHOT_RETRY_MAX_MS);
    (limit / 4.0 + random * limit * 0.75) as u32
}
