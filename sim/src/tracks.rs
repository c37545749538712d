//! Recorded walks (GPX) replayed as phones on the street, through the door that OsmAnd and Traccar's app use.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::client::Client;

/// One recorded walk: seconds since its start, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    pub file: PathBuf,
    pub points: Vec<(f64, f64, f64)>,
}

/// Reads every GPX file of a folder; a file without times is refused by name, the others go on.
pub fn read(dir: &Path) -> anyhow::Result<(Vec<Track>, Vec<anyhow::Error>)> {
    let entries =
        std::fs::read_dir(dir).with_context(|| format!("cannot read the folder `{}`", dir.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gpx")));
    files.sort();
    let (mut tracks, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        match read_one(&file) {
            Ok(track) => tracks.push(track),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((tracks, problems))
}

fn read_one(file: &Path) -> anyhow::Result<Track> {
    let open = std::fs::File::open(file).with_context(|| format!("cannot open `{}`", file.display()))?;
    let gpx = gpx::read(std::io::BufReader::new(open))
        .with_context(|| format!("`{}` is not a GPX file", file.display()))?;
    let fixes = gpx.tracks.iter().flat_map(|track| &track.segments).flat_map(|segment| &segment.points);
    let timed = fixes.filter_map(|fix| {
        let at = time::OffsetDateTime::from(fix.time?);
        Some((at.unix_timestamp_nanos() as f64 / 1e9, fix.point().y(), fix.point().x()))
    });
    let mut points: Vec<(f64, f64, f64)> = timed.collect();
    anyhow::ensure!(points.len() >= 2, "`{}` has fewer than two fixes with a time", file.display());
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let start = points[0].0;
    points.iter_mut().for_each(|point| point.0 -= start);
    Ok(Track { file: file.to_owned(), points })
}

/// How a walk is replayed.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Times the recorded pace.
    pub speed: f64,
    /// Moves the walk so that it starts here instead of where it was recorded (degrees).
    pub start_at: Option<(f64, f64)>,
    pub lasts: Option<Duration>,
}

/// Sends one walk fix by fix, each of the moment it comes in by the hall's clock, and starts over at its end. Returns the fixes taken.
pub fn replay(
    client: &Client,
    track: &Track,
    id: &str,
    how: Replay,
    stop: &dyn Fn() -> bool,
) -> anyhow::Result<u64> {
    let started = std::time::Instant::now();
    let length = track.points.last().map_or(0.0, |point| point.0) + 5.0;
    let (lat0, lon0) = (track.points[0].1, track.points[0].2);
    let (dlat, dlon) = how.start_at.map_or((0.0, 0.0), |(lat, lon)| (lat - lat0, lon - lon0));
    let mut taken = 0;
    for round in 0_u32.. {
        for (at, lat, lon) in &track.points {
            let due = (f64::from(round) * length + at) / how.speed;
            while started.elapsed().as_secs_f64() < due {
                if stop() || how.lasts.is_some_and(|lasts| started.elapsed() >= lasts) {
                    return Ok(taken);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let query = [
                ("id", id.to_owned()),
                ("lat", format!("{:.6}", lat + dlat)),
                ("lon", format!("{:.6}", lon + dlon)),
            ];
            let status = client.osmand(&query)?;
            anyhow::ensure!(
                status == 200,
                "the server answered {status} to a fix of `{}`",
                track.file.display()
            );
            taken += 1;
        }
    }
    Ok(taken)
}
