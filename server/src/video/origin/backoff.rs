//! How long to wait before dialling a camera again. Pure: time and chance are arguments.

use crate::video::config::Config;
use crate::video::relay::status::Cause;
use std::time::Duration;

/// The pause after the `failures`-th failure in a row (counted from 1); `jitter` is from −1 to 1.
#[must_use]
pub fn pause(config: &Config, failures: u32, cause: Cause, watched: bool, jitter: f64) -> Duration {
    let base_ms = if is_final(cause) {
        config.retry_refused_ms
    } else {
        let longest = if watched { config.retry_watched_max_ms } else { config.retry_max_ms };
        let doubled = 1u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
        config.retry_min_ms.saturating_mul(doubled).min(longest)
    };
    Duration::from_millis(base_ms).mul_f64(1.0 + 0.25 * jitter.clamp(-1.0, 1.0))
}

/// What is left of `pause` after a dial that took `dialled` and came to nothing: a camera that is back must not be kept
/// waiting for a time-out and then for a whole pause.
#[must_use]
pub fn after_dial(config: &Config, pause: Duration, dialled: Duration) -> Duration {
    let shortest = Duration::from_millis(config.retry_min_ms).min(pause);
    pause.saturating_sub(dialled).max(shortest)
}

/// Trying again soon does harm: accounts get locked, logs fill, and only a person can change the answer.
#[must_use]
pub fn is_final(cause: Cause) -> bool {
    match cause {
        Cause::Credentials | Cause::NotFound | Cause::Codec | Cause::NoVideo | Cause::NoDecoder => true,
        Cause::NoAnswer
        | Cause::ConnectionRefused
        | Cause::SessionLimit
        | Cause::HostLimit
        | Cause::Stalled
        | Cause::Closed
        | Cause::NoKeyFrame
        | Cause::Protocol
        | Cause::TranscodeBudget
        | Cause::Undecodable
        | Cause::UnknownCamera
        | Cause::ShuttingDown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(cause: Cause, watched: bool) -> Vec<u128> {
        let config = Config::default();
        (1..=8).map(|n| pause(&config, n, cause, watched, 0.0).as_millis()).collect()
    }

    #[test]
    fn pauses_double_to_the_longest_for_who_watches() {
        assert_eq!(pauses(Cause::Stalled, true), [500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000]);
        assert_eq!(pauses(Cause::Stalled, false), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    }

    #[test]
    fn the_time_a_dial_took_counts_towards_the_pause_down_to_the_shortest() {
        let config = Config::default();
        let left = |pause, dialled| {
            let left = after_dial(&config, Duration::from_millis(pause), Duration::from_millis(dialled));
            left.as_millis()
        };
        assert_eq!([left(2_000, 3_000), left(2_000, 200), left(400, 3_000)], [500, 1_800, 400]);
        assert_eq!(left(60_000, 5), 59_995);
    }

    #[test]
    fn a_refusal_is_not_repeated_for_a_minute() {
        assert_eq!(pauses(Cause::Credentials, true)[0], 60_000);
        assert_eq!(pauses(Cause::NotFound, false)[7], 60_000);
    }

    #[test]
    fn chance_spreads_a_pause_by_a_quarter_each_way() {
        let config = Config::default();
        let at = |jitter| pause(&config, 1, Cause::Closed, true, jitter).as_millis();
        assert_eq!((at(-1.0), at(1.0), at(9.0)), (375, 625, 625));
        assert!(pause(&config, u32::MAX, Cause::Closed, false, 0.0) == Duration::from_secs(30));
    }
}
