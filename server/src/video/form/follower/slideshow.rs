//! Key frames as JPEG pictures, not more often than configured.

use super::Follower;
use crate::clock::{self, Instant};
use crate::video::form::{thread, transcode};
use crate::video::meters;
use crate::video::relay::frame::{Codec, Configuration, Frame};
use crate::video::relay::ring::{Next, Picture};
use crate::video::relay::status::{Cause, Status};
use std::sync::Arc;
use std::time::Duration;

/// So many key frames in a row without a picture are a state and not an accident.
const FAILED_MAX: u32 = 3;

impl Follower {
    /// Makes a picture of the newest key frame as often as allowed.
    pub(super) async fn stills(mut self) {
        let between = Duration::from_millis(self.switchboard.config.still_interval_ms);
        let width_max = u32::from(self.switchboard.config.still_width_max);
        let configuration = Arc::new(Configuration {
            id: Configuration::next_id(),
            codec: Codec::Jpeg,
            codec_string: String::new(),
            width: self.switchboard.config.still_width_max,
            height: 0,
            record: bytes::Bytes::new(),
            parameter_sets: bytes::Bytes::new(),
        });
        let mut last: Option<Instant> = None;
        let mut failed = 0;
        while self.news().await {
            let newest = self.newest_key();
            let Some(frame) = newest.filter(|_| last.is_none_or(|last| last.elapsed() >= between)) else {
                continue;
            };
            last = Some(clock::instant());
            let Ok(place) = self.switchboard.decoding.acquire().await else { return };
            let source = Arc::clone(&frame);
            let made = thread::run("still", move || transcode::jpeg(&source, width_max)).await;
            drop(place);
            let reason = match made {
                Ok(Ok(payload)) => {
                    self.held.feed().push(still(&configuration, &frame, payload));
                    failed = 0;
                    self.succeed();
                    continue;
                }
                Ok(Err(error)) => crate::cause::chain(&error),
                Err(_) => "the decoder panicked".to_owned(),
            };
            meters::undecodable();
            tracing::debug!(camera = %self.held.key().code, %reason, "no still from a key frame");
            failed += 1;
            if failed >= FAILED_MAX {
                self.fail(Status::caused(Cause::Undecodable, reason, self.switchboard.clock.now().0));
            }
        }
    }

    fn newest_key(&mut self) -> Option<Arc<Frame>> {
        let mut newest = None;
        loop {
            match self.upstream.next(self.switchboard.clock.monotonic()) {
                Next::Frame { frame, .. } if frame.key => newest = Some(frame),
                Next::Frame { .. } | Next::Configuration(_) | Next::Skipped(_) => {}
                Next::Wait => return newest,
            }
        }
    }
}

fn still(configuration: &Arc<Configuration>, frame: &Frame, payload: bytes::Bytes) -> Picture {
    Picture {
        configuration: Arc::clone(configuration),
        pts_us: frame.pts_us,
        dts_us: frame.dts_us,
        duration_us: frame.duration_us,
        arrived: frame.arrived,
        key: true,
        discontinuity: false,
        payload,
    }
}
