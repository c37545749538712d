//! What the numbers were measured on: cores, what else the machine does, what one core, the loopback and the disk can do.
//!
//! What should be here: limits that no product code takes part in. What should not: limits that need the rows or
//! streams of a measurement; those stand beside its rows.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Row;

/// Writes of one page, each synced, as the event log does them.
const SYNCS: usize = 1_000;
const PAGE: [u8; 4096] = [0x67; 4096];
/// Rounds of the fixed work: each mixes a number and changes one word of a table that lies in a core's own cache.
const ROUNDS: u32 = 1 << 26;
const WORDS: usize = 1 << 15;
/// The best of so many: what else runs on the machine only makes it slower.
const TRIES: usize = 3;
const LOOPBACK: Duration = Duration::from_secs(1);
const BLOCK_BYTES: usize = 64 * 1024;

pub struct Machine {
    cores: usize,
    /// Mean number of runnable tasks over the last minute.
    load: String,
    work_ms: f64,
    loopback_mb: f64,
    sync_p50_ms: f64,
    sync_p99_ms: f64,
}

impl Machine {
    /// Looks now; `folder` lies on the disk that is measured.
    pub fn now(folder: &Path) -> Result<Machine> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown").to_owned();
        let work_ms = (0..TRIES).map(|_| work()).min().unwrap_or_default().as_secs_f64() * 1e3;
        let loopback_mb = loopback().context("cannot measure the loopback")? / 1e6;
        let probe = folder.join("sync-probe");
        let times = syncs(&probe).with_context(|| format!("cannot probe the disk with {}", probe.display()));
        // It may not have been made.
        let _ = std::fs::remove_file(&probe);
        let mut times = times?;
        times.sort_by(f64::total_cmp);
        let (sync_p50_ms, sync_p99_ms) = (times[SYNCS / 2], times[SYNCS * 99 / 100]);
        Ok(Machine { cores, load, work_ms, loopback_mb, sync_p50_ms, sync_p99_ms })
    }

    /// The same as rows, for the table and the JSON.
    pub fn rows(&self) -> Vec<Row> {
        let work =
            format!("machine: one core's fixed work, {ROUNDS} rounds of splitmix64 over {WORDS} words");
        vec![
            Row::plain("machine: cores", self.cores, "cores"),
            Row::plain(work, self.work_ms, "ms"),
            Row::plain("machine: loopback, one sender, 64 KiB blocks", self.loopback_mb, "MB/s"),
            Row::plain("machine: 4 KiB written and synced, p50", self.sync_p50_ms, "ms"),
            Row::plain("machine: 4 KiB written and synced, p99", self.sync_p99_ms, "ms"),
        ]
    }
}

/// How long one core takes for the fixed work.
fn work() -> Duration {
    let mut table = vec![0_u64; WORDS];
    let began = Instant::now();
    let mut state = 0_u64;
    for _ in 0..ROUNDS {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let word = &mut table[mixed as usize % WORDS];
        *word = word.wrapping_add(mixed);
    }
    black_box(table);
    began.elapsed()
}

/// Bytes a second from one thread to another over a socket of this machine.
fn loopback() -> std::io::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut sender = TcpStream::connect(listener.local_addr()?)?;
    let (mut receiver, _) = listener.accept()?;
    let sending = std::thread::spawn(move || {
        let block = vec![0x67; BLOCK_BYTES];
        // The receiver hangs up when it has counted long enough.
        while sender.write_all(&block).is_ok() {}
    });
    let mut room = vec![0; BLOCK_BYTES];
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < LOOPBACK {
        bytes += receiver.read(&mut room)?;
    }
    let rate = bytes as f64 / began.elapsed().as_secs_f64();
    drop(receiver);
    // It ends with the socket, and has nothing to say.
    let _ = sending.join();
    Ok(rate)
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
            "{} cores, load {} before the measurements; one core's fixed work {:.0} ms, loopback {:.0} MB/s, \
             disk syncs 4 KiB in {:.2} ms (p99 {:.2} ms)",
            self.cores, self.load, self.work_ms, self.loopback_mb, self.sync_p50_ms, self.sync_p99_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_measured_in_numbers_that_can_be() {
        let machine = Machine::now(&std::env::temp_dir()).unwrap();
        for row in machine.rows() {
            let value = row.value.as_f64().unwrap_or(f64::NAN);
            assert!(value > 0.0 && value < 1e7, "{}: {value} {}", row.measure, row.unit);
        }
        assert!(machine.sync_p50_ms <= machine.sync_p99_ms);
    }
}
