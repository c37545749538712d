//! How single streams do, as Prometheus reads it: written when it is asked for, from what is open.
//!
//! What should not be here: figures over all cameras (`meters.rs`).

use super::relay::feed::{Feed, Figures};
use super::relay::stream::Key;
use std::fmt::Write;
use std::sync::Arc;

type Read = fn(&Figures) -> Option<f64>;

/// Name, kind and meaning of each series, and where its value stands.
const SERIES: [(&str, &str, &str, Read); 6] = [
    ("gridhall_stream_fps", "gauge", "pictures a second", |figures| Some(f64::from(figures.fps))),
    ("gridhall_stream_kbps", "gauge", "kilobits a second", |figures| Some(f64::from(figures.kbps))),
    ("gridhall_stream_key_interval_seconds", "gauge", "between the last two key frames", |figures| {
        figures.key_interval_ms.map(|ms| f64::from(ms) / 1_000.0)
    }),
    ("gridhall_stream_first_frame_seconds", "gauge", "from the dial to the first key frame", |figures| {
        figures.first_frame_ms.map(|ms| f64::from(ms) / 1_000.0)
    }),
    ("gridhall_stream_reconnects_total", "counter", "sessions after the first", |figures| {
        Some(f64::from(figures.reconnects))
    }),
    ("gridhall_stream_lost_packets_total", "counter", "packets missed in this session", |figures| {
        #[expect(clippy::cast_precision_loss, reason = "exact far beyond any session")]
        Some(figures.lost_packets as f64)
    }),
];

/// The series of these streams. Codes hold nothing that would have to be escaped (`CameraCode`).
pub fn render(open: &[(Key, Arc<Feed>)]) -> String {
    let mut page = String::new();
    let mut write = |line: std::fmt::Arguments<'_>| {
        page.write_fmt(line).expect("writing to memory does not fail");
    };
    for (name, kind, meaning, read) in SERIES {
        write(format_args!("# HELP {name} {meaning}\n# TYPE {name} {kind}\n"));
        for (key, feed) in open {
            if let Some(value) = read(&feed.figures()) {
                let (code, profile) = (&key.code, key.profile.name());
                write(format_args!("{name}{{camera=\"{code}\",profile=\"{profile}\"}} {value}\n"));
            }
        }
    }
    write(format_args!("# HELP gridhall_stream_viewers who watches, in the present state\n"));
    write(format_args!("# TYPE gridhall_stream_viewers gauge\n"));
    for (key, feed) in open {
        let (code, profile, state) = (&key.code, key.profile.name(), feed.status().state.name());
        let labels = format_args!("camera=\"{code}\",profile=\"{profile}\",state=\"{state}\"").to_string();
        write(format_args!("gridhall_stream_viewers{{{labels}}} {}\n", feed.viewers()));
    }
    page
}
