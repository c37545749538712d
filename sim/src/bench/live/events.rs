//! Every screen of the hall, a steady stream of events: from the moment a command is sent until its event is on each
//! screen, and what the fan-out costs the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use domain::wire::{Incoming, Payload, ServerMessage, Topic};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

use super::super::door::{Door, Socket};
use super::super::used::Gauge;
use super::super::{Row, Server, percentile};
use super::{Load, cases};

const EVENTS_PER_SECOND: f64 = 100.0;
/// Bytes of a note, which are most of its event.
const NOTE_BYTES: usize = 200;
/// Open cases that are noted in turn: none gets as many notes as a policy lets it have.
const CASES: usize = 200;
/// Until the last events are on the screens.
const DRAIN: Duration = Duration::from_secs(2);

/// Events as they came to one screen.
type Came = Vec<(u64, Instant)>;

pub async fn measure(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let noted = open_cases(door).await?;
    let (end, ended) = tokio::sync::watch::channel(());
    let mut screens: Vec<JoinHandle<Came>> = Vec::with_capacity(load.screens);
    for _ in 0..load.screens {
        let socket = door.screen(&[Topic::CASE]).await?;
        screens.push(tokio::spawn(watch(socket, ended.clone())));
    }
    tokio::time::sleep(DRAIN).await;
    let gauge = Gauge::begin(server)?;
    let sent = send(door, &noted, Duration::from_secs(load.seconds)).await?;
    let used = gauge.end(server)?;
    tokio::time::sleep(DRAIN).await;
    let _ = end.send(());
    let mut times = Vec::with_capacity(sent.len() * screens.len());
    for screen in screens {
        let came = screen.await?;
        times.extend(came.iter().filter_map(|(seq, at)| {
            Some(at.saturating_duration_since(*sent.get(seq)?).as_secs_f64() * 1_000.0)
        }));
    }
    let (count, screens) = (sent.len() as f64, load.screens);
    let reached = times.len() as f64 / screens as f64 / used.seconds;
    let measure = format!("{screens} screens, {EVENTS_PER_SECOND} events/s of {NOTE_BYTES} B");
    let [p50, p99] = [0.5, 0.99].map(|share| percentile(&mut times, share));
    Ok(vec![
        Row::achieved(format!("{measure}: sent"), count / used.seconds, "1/s", EVENTS_PER_SECOND),
        Row::achieved("the same: on each screen", reached, "1/s", EVENTS_PER_SECOND),
        Row::at_most("the same: event sent → on every screen, p50", p50, "ms", 6.0).under(&used),
        Row::at_most("the same: event sent → on every screen, p99", p99, "ms", 17.0).under(&used),
        Row::at_most("the same: server", used.server_percent(), "% of a core", 70.0).under(&used),
    ])
}

async fn open_cases(door: &Arc<Door>) -> anyhow::Result<Vec<u64>> {
    let report = cases::report(door).await?;
    let mut open = Vec::with_capacity(CASES);
    for _ in 0..CASES {
        let answer = command(door, json!({"report_case": {"report": report}})).await?;
        open.push(answer["case"].as_u64().context("a report was answered without its case")?);
    }
    Ok(open)
}

async fn command(door: &Arc<Door>, command: Value) -> anyhow::Result<Value> {
    let body = json!({"key": uuid::Uuid::now_v7(), "command": command});
    Ok(serde_json::from_str(&door.post("/api/v1/commands", body).await?)?)
}

/// Notes at the nominal rate, whether or not the one before is answered; when each event's command was sent.
async fn send(door: &Arc<Door>, cases: &[u64], length: Duration) -> anyhow::Result<BTreeMap<u64, Instant>> {
    let text = "n".repeat(NOTE_BYTES);
    let mut beats = tokio::time::interval(Duration::from_secs_f64(1.0 / EVENTS_PER_SECOND));
    let mut asked = Vec::new();
    for number in 0..(length.as_secs_f64() * EVENTS_PER_SECOND) as usize {
        beats.tick().await;
        let (door, note) =
            (door.clone(), json!({"note_case": {"case": cases[number % cases.len()], "text": text}}));
        let sent = Instant::now();
        asked.push(tokio::spawn(async move { Ok::<_, anyhow::Error>((command(&door, note).await?, sent)) }));
    }
    let mut sent = BTreeMap::new();
    for answer in asked {
        let (answer, at) = answer.await??;
        let seq = answer["first_seq"].as_u64().context("a note was answered without its event")?;
        ensure!(sent.insert(seq, at).is_none(), "two notes are one event");
    }
    Ok(sent)
}

async fn watch(mut socket: Socket, mut ended: tokio::sync::watch::Receiver<()>) -> Came {
    let mut came = Came::new();
    loop {
        let message = tokio::select! {
            _ = ended.changed() => return came,
            message = socket.next() => message,
        };
        let Some(Ok(message)) = message else { return came };
        let at = Instant::now();
        if let Message::Binary(bytes) = &message
            && let Ok(Incoming::Message(ServerMessage::Deltas { deltas, .. })) = Incoming::from_bytes(bytes)
        {
            for delta in deltas {
                if let Payload::Case(events) = delta.payload {
                    came.extend(events.lines.iter().map(|line| (line.seq, at)));
                }
            }
        }
    }
}
