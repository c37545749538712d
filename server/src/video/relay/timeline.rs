//! From a camera's clock to times a decoder and a recorder can live with. Pure.
//!
//! Cameras set their clock while they stream, restart it, or send pictures in decoding order. Presentation times keep
//! going through jumps; decoding times always rise.

/// A camera's clock may run this much ahead of the arrival of its pictures before it counts as a jump.
const FORWARD_JUMP_US: i64 = 5_000_000;
/// Reordered pictures go back less than this.
const BACKWARD_JUMP_US: i64 = 2_000_000;
const INTERVAL_US: std::ops::RangeInclusive<i64> = 1_000..=10_000_000;

/// The times of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub pts_us: i64,
    pub dts_us: i64,
    pub duration_us: u32,
    /// The camera's clock jumped before this picture.
    pub jumped: bool,
}

/// What is known from the pictures so far.
#[derive(Debug, Clone)]
pub struct Timeline {
    offset_us: i64,
    last: Option<(i64, i64)>,
    highest_pts_us: i64,
    since_highest: i64,
    last_dts_us: i64,
    interval_us: i64,
    reordered: bool,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            offset_us: 0,
            last: None,
            highest_pts_us: 0,
            since_highest: 0,
            last_dts_us: -1,
            interval_us: 40_000,
            reordered: false,
        }
    }
}

impl Timeline {
    /// Takes the next picture in decoding order: the camera's time and when it arrived.
    pub fn next(&mut self, camera_us: i64, arrival_us: i64) -> Times {
        let mut jumped = false;
        let pts_us = match self.last {
            None => {
                self.offset_us = -camera_us;
                0
            }
            Some((last_pts_us, last_arrival_us)) => {
                let elapsed_us = (arrival_us - last_arrival_us).max(0);
                let forward_us = camera_us.saturating_add(self.offset_us) - last_pts_us;
                jumped = forward_us > elapsed_us + FORWARD_JUMP_US || forward_us < -BACKWARD_JUMP_US;
                if jumped {
                    let believable = elapsed_us.clamp(*INTERVAL_US.start(), *INTERVAL_US.end());
                    self.offset_us = last_pts_us.max(self.highest_pts_us) + believable - camera_us;
                }
                camera_us + self.offset_us
            }
        };
        self.learn_interval(pts_us);
        self.last = Some((pts_us, arrival_us));
        let dts_us = self.decoding_time(pts_us);
        Times { pts_us, dts_us, duration_us: u32::try_from(self.interval_us).unwrap_or(40_000), jumped }
    }

    /// The usual time between two pictures.
    #[must_use]
    pub fn interval_us(&self) -> i64 {
        self.interval_us
    }

    fn learn_interval(&mut self, pts_us: i64) {
        let Some((last_pts_us, _)) = self.last else { return };
        self.since_highest += 1;
        if pts_us <= last_pts_us {
            self.reordered = self.reordered || pts_us < last_pts_us;
        }
        if pts_us > self.highest_pts_us {
            let step = (pts_us - self.highest_pts_us) / self.since_highest;
            if INTERVAL_US.contains(&step) {
                self.interval_us += (step - self.interval_us) / 4;
            }
            self.highest_pts_us = pts_us;
            self.since_highest = 0;
        }
    }

    fn decoding_time(&mut self, pts_us: i64) -> i64 {
        let wanted = if self.reordered {
            // Runs at the picture rate, pulled along when the camera skips time.
            (self.last_dts_us + self.interval_us).max(self.highest_pts_us - 8 * self.interval_us)
        } else {
            pts_us
        };
        self.last_dts_us = wanted.max(self.last_dts_us + 1);
        self.last_dts_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(camera_ms: &[(i64, i64)]) -> Vec<(i64, i64, bool)> {
        let mut timeline = Timeline::default();
        camera_ms
            .iter()
            .map(|(camera, arrival)| {
                let times = timeline.next(camera * 1_000, arrival * 1_000);
                (times.pts_us / 1_000, times.dts_us / 1_000, times.jumped)
            })
            .collect()
    }

    #[test]
    fn a_steady_camera_starts_at_zero_and_decodes_when_it_shows() {
        assert_eq!(
            run(&[(5_000, 0), (5_040, 40), (5_080, 85)]),
            [(0, 0, false), (40, 40, false), (80, 80, false)]
        );
    }

    #[test]
    fn a_clock_set_forward_by_an_hour_or_back_keeps_the_pace_of_arrival() {
        assert_eq!(
            run(&[(0, 0), (40, 40), (3_600_080, 80), (3_600_120, 120), (0, 160), (40, 200)]),
            [
                (0, 0, false),
                (40, 40, false),
                (80, 80, true),
                (120, 120, false),
                (160, 160, true),
                (200, 200, false)
            ]
        );
    }

    #[test]
    fn pictures_held_up_by_the_network_keep_their_own_times() {
        assert_eq!(run(&[(0, 0), (40, 4_000), (80, 4_001)])[1..], [(40, 40, false), (80, 80, false)]);
    }

    #[test]
    fn pictures_in_decoding_order_keep_their_show_times_and_their_decoding_times_rise() {
        let out = run(&[(0, 0), (120, 40), (40, 80), (80, 120), (240, 160), (160, 200), (200, 240)]);
        let pts: Vec<i64> = out.iter().map(|o| o.0).collect();
        assert_eq!(pts, [0, 120, 40, 80, 240, 160, 200]);
        assert!(out.iter().all(|o| !o.2));
        assert!(out.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{out:?}");
    }

    proptest! {
        #[test]
        fn decoding_times_rise_whatever_the_camera_says(steps in prop::collection::vec((-10_000_000_000i64..10_000_000_000, 0i64..5_000_000), 1..200)) {
            let mut timeline = Timeline::default();
            let (mut arrival, mut last) = (0, -1);
            for (camera, pause) in steps {
                arrival += pause;
                let times = timeline.next(camera, arrival);
                prop_assert!(times.dts_us > last);
                prop_assert!(INTERVAL_US.contains(&i64::from(times.duration_us)));
                last = times.dts_us;
            }
        }
    }
}
