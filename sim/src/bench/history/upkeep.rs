//! What an operator does with a store that has a history: backups, checks, a release that lays its lists out anew.

use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::super::door::Door;
use super::super::live::cases;
use super::super::{Row, Server};
use super::folder_bytes;

/// Days of the city whose cases are taken over, one event each: together about the events of one day.
const NEWS_DAYS: usize = 8;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const MEBIBYTE: f64 = 1_048_576.0;

/// How long a command took, and the most memory it had.
struct Ran {
    seconds: f64,
    mebibytes: f64,
}

/// Backs the store up, twice, with a day between; checks it; restores the backup. Copies stand beside the store, where there
/// is room for one like it and a half, and go again.
pub async fn measure(server: &mut Server, door: &Arc<Door>, data: &Path) -> anyhow::Result<Vec<Row>> {
    let (folder, restored) = (data.with_extension("backup"), data.with_extension("restored"));
    let first = run("backup of everything", server.command("backup")?.arg(&folder)).await?;
    cases::fill(server, door, NEWS_DAYS).await?;
    let news = run("backup of a day's news", server.command("backup")?.arg(&folder)).await?;
    server.kill();
    let check = run("check of everything", &mut server.command("check")?).await?;
    let on_disk = folder_bytes(data)?;
    // As for a release that lays the lists out in another way; and what is restored finds room where they were.
    take_lists_away(data)?;
    let restore =
        run("restore of everything", server.command("restore")?.arg(&folder).arg(&restored)).await?;
    let mut rows = vec![
        Row::plain("store on disk", on_disk as f64 / 1e9, "GB"),
        Row::plain("the same: its log", file_bytes(data, "gridhall.db")? / 1e9, "GB"),
        Row::plain("the same: its snapshots", folder_bytes(&data.join("snapshots"))? as f64 / 1e9, "GB"),
        Row::plain("backup of everything", first.seconds, "s"),
        Row::at_most("the same: memory", first.mebibytes, "MiB", 256.0),
        Row::plain("the same: on disk", folder_bytes(&folder)? as f64 / 1e9, "GB"),
        Row::at_most("backup of a day's news", news.seconds, "s", 60.0),
        Row::at_most("the same: memory", news.mebibytes, "MiB", 256.0),
        Row::plain("check of everything", check.seconds, "s"),
        Row::at_most("the same: memory", check.mebibytes, "MiB", 256.0),
        Row::at_most("restore of everything", restore.seconds, "s", 1_200.0),
        Row::at_most("the same: memory", restore.mebibytes, "MiB", 256.0),
    ];
    for copy in [&folder, &restored] {
        std::fs::remove_dir_all(copy).with_context(|| format!("cannot remove `{}`", copy.display()))?;
    }
    rows.extend(anew(server).await?);
    Ok(rows)
}

fn file_bytes(data: &Path, name: &str) -> anyhow::Result<f64> {
    Ok(data.join(name).metadata().with_context(|| format!("`{name}` is not there"))?.len() as f64)
}

fn take_lists_away(data: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("views-") {
            std::fs::remove_file(entry.path()).context("cannot take the lists' file away")?;
        }
    }
    Ok(())
}

/// A start that finds no lists.
async fn anew(server: &mut Server) -> anyhow::Result<Vec<Row>> {
    let began = Instant::now();
    server.restart().await?;
    let serving = began.elapsed().as_secs_f64();
    Ok(vec![Row::at_most("start of a release with other lists: to a serving hall", serving, "s", 5.0)])
}

async fn run(what: &str, command: &mut Command) -> anyhow::Result<Ran> {
    let began = Instant::now();
    let mut running = command.spawn().context("cannot start the command")?;
    let mut mebibytes = 0.0_f64;
    let status = loop {
        mebibytes = mebibytes.max(peak(&running));
        if let Some(status) = running.try_wait()? {
            break status;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    ensure!(status.success(), "the command ended with {status}");
    let seconds = began.elapsed().as_secs_f64();
    tracing::info!("{what}: {seconds:.1} s, {mebibytes:.0} MiB");
    Ok(Ran { seconds, mebibytes })
}

/// The most memory a process has had, in MiB; 0 when it has ended.
fn peak(running: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) * 1_024.0 / MEBIBYTE
}
