//! Cameras that fall silent and come back: how soon the viewer is told, how soon there are pictures again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::StreamExt;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::super::{Row, Server, percentile};
use super::{Socket, connect, open_all};
use crate::camera::{CameraSpec, Fault, Simulator};

/// Half of them stop sending, half stop answering as well; none closes its connection.
const CAMERAS: usize = 20;
/// Long enough for the wait between two tries to grow to its limit.
const SILENT: Duration = Duration::from_secs(12);
const GIVE_UP: Duration = Duration::from_secs(60);

pub fn cameras() -> impl Iterator<Item = CameraSpec> {
    (0..CAMERAS).map(|index| CameraSpec::looped(&code(index), 0))
}

fn code(index: usize) -> String {
    format!("F{index:02}")
}

fn fault(index: usize) -> Fault {
    if index.is_multiple_of(2) { Fault::Stall } else { Fault::HalfOpen }
}

pub async fn measure(server: &Server, simulator: &Simulator) -> anyhow::Result<Vec<Row>> {
    let codes: Vec<String> = (0..CAMERAS).map(code).collect();
    let mut page = connect(server).await?;
    open_all(&mut page, &codes).await?;
    // All are live and their first groups have gone through.
    drain(&mut page, Duration::from_secs(3)).await?;
    for (index, code) in codes.iter().enumerate() {
        simulator.camera(code)?.set_fault(fault(index));
    }
    let broken = Instant::now();
    let told = first(&mut page, "told that it is silent", |message| {
        let Message::Text(text) = message else { return None };
        let said: Value = serde_json::from_str(text).ok()?;
        let state = &said["state"];
        let silent = matches!(state["state"].as_str(), Some("delayed" | "lost"));
        silent.then(|| u16::try_from(state["tile"].as_u64()?).ok()).flatten()
    })
    .await?;
    drain(&mut page, SILENT.saturating_sub(broken.elapsed())).await?;
    for (index, code) in codes.iter().enumerate() {
        simulator.camera(code)?.clear_fault(fault(index));
    }
    let back = first(&mut page, "live again", |message| {
        let Message::Binary(bytes) = message else { return None };
        match bytes[..] {
            [2, low, high, ..] => Some(u16::from_le_bytes([low, high])),
            _ => None,
        }
    })
    .await?;
    let (mut told, mut back) = (told, back);
    let measure = format!("{CAMERAS} cameras fall silent without closing");
    Ok(vec![
        Row::at_most(format!("{measure}: viewer told, slowest"), percentile(&mut told, 1.0), "s", 3.0),
        Row::plain("the same: picture after the return, p50", percentile(&mut back, 0.5), "s"),
        Row::at_most("the same: picture after the return, p95", percentile(&mut back, 0.95), "s", 5.0),
    ])
}

/// Seconds from now until each tile's first message that `tile_of` recognises.
async fn first(
    page: &mut Socket,
    what: &str,
    tile_of: impl Fn(&Message) -> Option<u16>,
) -> anyhow::Result<Vec<f64>> {
    let began = Instant::now();
    let mut seen: BTreeMap<u16, f64> = BTreeMap::new();
    while seen.len() < CAMERAS {
        let left = GIVE_UP.saturating_sub(began.elapsed());
        let message = tokio::time::timeout(left, page.next()).await;
        let Some(message) =
            message.with_context(|| format!("{} of {CAMERAS} cameras: {what}", seen.len()))?
        else {
            bail!("the page was disconnected")
        };
        if let Some(tile) = tile_of(&message?) {
            seen.entry(tile).or_insert_with(|| began.elapsed().as_secs_f64());
        }
    }
    Ok(seen.into_values().collect())
}

/// Reads for `length`.
async fn drain(page: &mut Socket, length: Duration) -> anyhow::Result<()> {
    let until = tokio::time::Instant::now() + length;
    while let Ok(message) = tokio::time::timeout_at(until, page.next()).await {
        message.context("the page was disconnected")??;
    }
    Ok(())
}
