//! The live feed under load, on a store that holds a month of the simulated city: latency, screens with walking
//! inspectors, memory of connections, quiet screens and busy ones, readers of everything, clients that stall, a restart.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::wire::{Incoming, Payload, ServerMessage, Topic};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::door::Door;
use super::used::Gauge;
use super::{Row, Server, percentile};

pub mod cases;
mod walk;
mod memory;
mod idle;
mod events;
mod reading;
mod stalled;
mod restart;

pub use restart::all;

/// Cases reported one by one for the latency.
const CASES: usize = 300;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub screens: usize,
    pub inspectors: usize,
    pub seconds: u64,
    /// Days of the city that the store holds.
    pub days: usize,
    /// How long the server is away before it comes back to its screens.
    pub outage_seconds: u64,
}

/// Measures one server of its own.
pub async fn run(load: Load) -> anyhow::Result<Vec<Row>> {
    let mut server = Server::start(&[room_for(load)]).await?;
    let door = Arc::new(Door::new(&server)?);
    let mut rows = cases::fill(&server, &door, load.days).await?;
    rows.extend(measure(&mut server, &door, load).await?);
    Ok(rows)
}

/// Every screen of the memory measurement is a connection, four times over.
pub fn room_for(load: Load) -> (&'static str, String) {
    ("GRIDHALL__LIVE__CONNECTIONS_MAX", (5 * load.screens + 100).to_string())
}

/// Measures a server that has cases, and starts it anew on the way.
pub async fn measure(server: &mut Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    // The process that took everything over has room left in its heap; a fresh one shows what things cost.
    server.kill();
    server.restart().await?;
    let mut rows = memory::measure(server, door, load.screens).await?;
    let gauge = Gauge::begin(server)?;
    let mut times = latencies(door, CASES).await?;
    let used = gauge.end(server)?;
    let measure = "case sent → durable → on a screen";
    let [p50, p99] = [0.5, 0.99].map(|share| percentile(&mut times, share));
    rows.push(Row::at_most(format!("{measure}, p50"), p50, "ms", 5.0).under(&used));
    rows.push(Row::at_most(format!("{measure}, p99"), p99, "ms", 15.0).under(&used));
    tracing::info!(part = "idle");
    rows.extend(idle::measure(server, door, load).await?);
    tracing::info!(part = "events");
    rows.extend(events::measure(server, door, load).await?);
    tracing::info!(part = "reading");
    rows.extend(reading::measure(server, door, load).await?);
    tracing::info!(part = "walk");
    rows.extend(walk::measure(server, door, load).await?);
    tracing::info!(part = "stalled");
    rows.extend(stalled::measure(server, door, load.inspectors).await?);
    tracing::info!(part = "restart");
    rows.extend(restart::measure(server, door, load).await?);
    Ok(rows)
}

/// From the moment the command is sent to the moment its event is on a screen; the event is durable in between.
async fn latencies(door: &Arc<Door>, cases: usize) -> anyhow::Result<Vec<f64>> {
    let report = cases::report(door).await?;
    let mut screen = door.screen(&[Topic::CASE]).await?;
    let mut times = Vec::with_capacity(cases);
    for _ in 0..cases {
        let sent = Instant::now();
        // Other cases' limits may pass meanwhile: it is known by its address.
        let key = uuid::Uuid::now_v7();
        let address = format!("测试路 {key}");
        let mut body = json!({"key": key, "command": {"report_case": {"report": report}}});
        body["command"]["report_case"]["report"]["address"] = json!(address);
        let posting = tokio::spawn({
            let door = door.clone();
            async move { door.post("/api/v1/commands", body).await }
        });
        let seen = loop {
            let message = tokio::time::timeout(Duration::from_secs(10), screen.next()).await;
            let message = message.context("a case did not reach the screen")?;
            if let Some(Ok(Message::Binary(bytes))) = message
                && let Ok(Incoming::Message(ServerMessage::Deltas { deltas, .. })) =
                    Incoming::from_bytes(&bytes)
                && deltas.iter().any(|delta| tells_of(&delta.payload, &address))
            {
                break Instant::now();
            }
        };
        times.push((seen - sent).as_secs_f64() * 1_000.0);
        posting.await??;
    }
    Ok(times)
}

/// Whether an event of the case at that address is among them.
fn tells_of(payload: &Payload, address: &str) -> bool {
    let Payload::Case(events) = payload else { return false };
    events.lines.iter().any(|line| line.case.as_ref().is_some_and(|case| case.address == address))
}
