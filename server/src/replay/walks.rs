//! People as they walked then: read from the tracks a stretch at a time, shown as the clock of the past reaches it.
//!
//! What should not be here: how tracks are kept (`position`).

use std::time::Duration;

use domain::moment::{MINUTE_MS, SECOND_MS, UtcMillis};
use domain::world::PACE_REAL;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::position::Positions;
use crate::position::past::Seen;
use crate::position::track::TrackError;

/// What is read at one time, of the time of then: a minute of the viewers' time, within these.
const STRETCH_MS: std::ops::RangeInclusive<i64> = MINUTE_MS..=15 * MINUTE_MS;
/// Pause after tracks could not be read.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Shows in `then` what `going_on` has on its tracks, from an instant on, until stopped.
pub(super) async fn walk(
    (going_on, then): (Positions, Positions),
    (clock, from): (Clock, UtcMillis),
    stop: CancellationToken,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = shown(&going_on, &then, &clock, from) => {}
    }
}

async fn shown(going_on: &Positions, then: &Positions, clock: &Clock, from: UtcMillis) {
    let standing = going_on.clone();
    then.show(&read(move || standing.stood(from)).await);
    let mut through = from;
    loop {
        let pace = i64::from(clock.course().1).max(i64::from(PACE_REAL));
        let stretch = (MINUTE_MS * pace / i64::from(PACE_REAL)).clamp(*STRETCH_MS.start(), *STRETCH_MS.end());
        // A tick shows the newest of everybody: what lies closer is not read.
        let every = (i64::from(then.settings().tick_ms) * pace / i64::from(PACE_REAL)).max(SECOND_MS);
        let (moving, upto) = (going_on.clone(), through.plus(stretch));
        let moved = read(move || moving.moved(through, upto, every)).await;
        for together in moved.chunk_by(|a, b| a.1.fixed.0.div_euclid(every) == b.1.fixed.0.div_euclid(every))
        {
            if let Some((_, last)) = together.last() {
                clock.reached(last.fixed).await;
                then.show(together);
            }
        }
        clock.reached(upto).await;
        through = upto;
    }
}

/// Reads on a thread that may wait for the disk. What cannot be read is said and tried again: who walks is a picture beside the
/// cases, which go on.
async fn read<F>(ask: F) -> Vec<Seen>
where
    F: Fn() -> Result<Vec<Seen>, TrackError> + Clone + Send + 'static,
{
    loop {
        let ask = ask.clone();
        match tokio::task::spawn_blocking(ask).await {
            Ok(Ok(seen)) => return seen,
            Ok(Err(error)) => tracing::warn!(%error, "tracks of the past cannot be read"),
            Err(error) => tracing::error!(%error, "tracks of the past cannot be read"),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}
