//! What the numbers were measured on: cores, what else the machine does, how long its disk takes to sync.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

/// Writes of one page, each synced, as the event log does them.
const SYNCS: usize = 100;
const PAGE: [u8; 4096] = [0x67; 4096];

pub struct Machine {
    cores: usize,
    /// Mean number of runnable tasks over the last minute.
    load: String,
    sync_p50_ms: f64,
    sync_p99_ms: f64,
}

impl Machine {
    /// Looks now; `folder` lies on the disk that is measured.
    pub fn now(folder: &Path) -> Result<Machine> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown").to_owned();
        let probe = folder.join("sync-probe");
        let times = syncs(&probe).with_context(|| format!("cannot probe the disk with {}", probe.display()));
        // It may not have been made.
        let _ = std::fs::remove_file(&probe);
        let mut times = times?;
        times.sort_by(f64::total_cmp);
        Ok(Machine { cores, load, sync_p50_ms: times[SYNCS / 2], sync_p99_ms: times[SYNCS * 99 / 100] })
    }
}

fn syncs(file: &Path) -> std::io::Result<Vec<f64>> {
    let mut file = File::create(file)?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} cores, load {} before the measurements, disk syncs 4 KiB in {:.2} ms (p99 {:.2} ms)",
            self.cores, self.load, self.sync_p50_ms, self.sync_p99_ms
        )
    }
}
