//! The live feed under load: latency, screens with walking inspectors, memory of connections, a client that stalls.

use std::process::Command as Program;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use domain::position::Frame;
use domain::wire::{ClientMessage, Incoming, KIND_POSITIONS, PROTOCOL, ServerMessage, Topic};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Row, Server, percentile};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Cases reported one by one for the latency.
const CASES: usize = 300;
/// Fixes a second, as 10,000 inspectors make with one every five seconds.
const FIXES_PER_SECOND: usize = 2_000;
/// Batches a second.
const BATCHES_PER_SECOND: usize = 8;
/// Fixes in one request while everyone is placed.
const BATCH: usize = 1_000;
/// Longest wait for a stalled client's end.
const STALL_SECONDS: u64 = 30;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub screens: usize,
    pub inspectors: usize,
    pub seconds: u64,
}

/// Measures one server of its own.
pub async fn run(load: Load) -> anyhow::Result<Vec<Row>> {
    let server = Server::start(&[]).await?;
    let door = Arc::new(Door::new(&server)?);
    let mut rows = latency(&door).await?;
    rows.extend(memory(&server, &door, load.screens).await?);
    rows.extend(positions(&server, &door, load).await?);
    rows.push(stalled(&door).await?);
    Ok(rows)
}

/// Requests with a machine's token.
struct Door {
    authority: String,
    token: String,
    agent: ureq::Agent,
}

impl Door {
    fn new(server: &Server) -> anyhow::Result<Self> {
        let binary = std::env::var_os("GRIDHALL_BIN").context("GRIDHALL_BIN does not name the server")?;
        let made = Program::new(binary)
            .arg("--data-dir")
            .arg(server.dir.join("data"))
            .args(["token", "add", "bench", "--role", "machine"])
            .output()
            .context("cannot make a token")?;
        if !made.status.success() {
            bail!("cannot make a token: {}", String::from_utf8_lossy(&made.stderr));
        }
        let token = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        Ok(Self { authority: server.authority.clone(), token, agent: ureq::Agent::new_with_defaults() })
    }

    async fn get(self: &Arc<Self>, path: &str) -> anyhow::Result<String> {
        let (door, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let url = format!("http://{}{path}", door.authority);
            let bearer = format!("Bearer {}", door.token);
            let answer = door.agent.get(&url).header("authorization", bearer).call();
            Ok(answer.with_context(|| format!("cannot read {path}"))?.into_body().read_to_string()?)
        })
        .await?
    }

    async fn post(self: &Arc<Self>, path: &str, body: Value) -> anyhow::Result<String> {
        let (door, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let url = format!("http://{}{path}", door.authority);
            let bearer = format!("Bearer {}", door.token);
            let request = door.agent.post(&url).header("authorization", bearer);
            let answer = request.header("content-type", "application/json").send(body.to_string());
            Ok(answer.with_context(|| format!("cannot send to {path}"))?.into_body().read_to_string()?)
        })
        .await?
    }

    /// A greeted screen that follows `topics` from nothing.
    async fn screen(&self, topics: &[Topic]) -> anyhow::Result<Socket> {
        let mut request = format!("ws://{}/live", self.authority).into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        let (mut socket, _) =
            tokio_tungstenite::connect_async(request).await.context("a screen was not let in")?;
        socket.send(Message::binary(ClientMessage::Hello { protocol: PROTOCOL }.to_bytes())).await?;
        for topic in topics {
            let topic = topic.clone();
            let subscribe = ClientMessage::Subscribe { topic, epoch: None, from: None, max_hz: None };
            socket.send(Message::binary(subscribe.to_bytes())).await?;
        }
        Ok(socket)
    }
}

/// From the moment the command is sent to the moment its event is on a screen; the event is durable in between.
async fn latency(door: &Arc<Door>) -> anyhow::Result<Vec<Row>> {
    let catalogue: Value = serde_json::from_str(&door.get("/api/v1/catalogue").await?)?;
    let first = |list: &str| -> anyhow::Result<String> {
        let entry = catalogue[list].as_array().and_then(|list| list.last());
        let code = entry.and_then(|entry| entry["code"].as_str());
        Ok(code.with_context(|| format!("the catalogue has no {list}"))?.to_owned())
    };
    let report = json!({"source": first("sources")?, "class": first("classes")?, "area": first("areas")?});
    let mut screen = door.screen(&[Topic::Case(None)]).await?;
    let mut times = Vec::with_capacity(CASES);
    for _ in 0..CASES {
        let sent = Instant::now();
        let body = json!({"key": uuid::Uuid::now_v7(), "command": {"report_case": {"report": report}}});
        let posting = tokio::spawn({
            let door = door.clone();
            async move { door.post("/api/v1/commands", body).await }
        });
        let seen = loop {
            let message = tokio::time::timeout(Duration::from_secs(10), screen.next()).await;
            let message = message.context("a case did not reach the screen")?;
            if let Some(Ok(Message::Binary(bytes))) = message
                && let Ok(Incoming::Message(ServerMessage::Delta { from, .. })) = Incoming::from_bytes(&bytes)
                && (from > 0 || times.is_empty())
            {
                break Instant::now();
            }
        };
        times.push((seen - sent).as_secs_f64() * 1_000.0);
        posting.await??;
    }
    let measure = "case sent → durable → on a screen";
    Ok(vec![
        Row::at_most(format!("{measure}, p50"), percentile(&mut times, 0.5), "ms", 10.0),
        Row::at_most(format!("{measure}, p99"), percentile(&mut times, 0.99), "ms", 30.0),
    ])
}

/// What a connection costs the server's memory, without topics and with eight.
async fn memory(server: &Server, door: &Door, screens: usize) -> anyhow::Result<Vec<Row>> {
    let eight = [
        Topic::Tally,
        Topic::Overdue,
        Topic::Whistle,
        Topic::Case(None),
        Topic::Positions,
        Topic::Position(domain::position::Cell { x: 1_027, y: 250 }),
        Topic::Position(domain::position::Cell { x: 1_027, y: 251 }),
        Topic::Position(domain::position::Cell { x: 1_028, y: 250 }),
    ];
    let mut rows = Vec::new();
    for (measure, topics, most) in [
        ("idle connection, resident", &eight[..0], 11.0),
        ("connection with 8 topics, resident", &eight, 20.0),
    ] {
        let (_, before) = server.usage()?;
        let mut open = Vec::with_capacity(screens);
        for _ in 0..screens {
            open.push(door.screen(topics).await?);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (_, after) = server.usage()?;
        rows.push(Row::at_most(measure, (after - before) / 1_024.0 / screens as f64, "KiB", most));
        drop(open);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Ok(rows)
}

/// Inspectors walk, screens watch: processor time of the server, bytes to each screen, bytes a position.
async fn positions(server: &Server, door: &Arc<Door>, load: Load) -> anyhow::Result<Vec<Row>> {
    let received = Arc::new(AtomicU64::new(0));
    let (packed, entries) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    for first in (0..load.inspectors).step_by(BATCH) {
        walk(door, load.inspectors, first, BATCH.min(load.inspectors - first)).await?;
    }
    let mut watching = Vec::with_capacity(load.screens);
    for number in 0..load.screens {
        let mut screen = door.screen(&[Topic::Positions]).await?;
        let (received, packed, entries) = (received.clone(), packed.clone(), entries.clone());
        watching.push(tokio::spawn(async move {
            while let Some(Ok(message)) = screen.next().await {
                received.fetch_add(message.len() as u64, Ordering::Relaxed);
                // One screen counts entries for all: they get the same frames.
                if number == 0
                    && let Message::Binary(bytes) = &message
                    && bytes.first() == Some(&KIND_POSITIONS)
                    && let Ok(frame) = Frame::decode(&bytes[1..])
                    && frame.from != 0
                {
                    packed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    entries.fetch_add(frame.entries.len() as u64, Ordering::Relaxed);
                }
            }
        }));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (cpu_before, _) = server.usage()?;
    let bytes_before = received.load(Ordering::Relaxed);
    let began = Instant::now();
    let mut beats = tokio::time::interval(Duration::from_millis(1_000 / BATCHES_PER_SECOND as u64));
    // Where the walk goes on: everyone has been placed once.
    let mut first = load.inspectors;
    let count = FIXES_PER_SECOND / BATCHES_PER_SECOND;
    while began.elapsed() < Duration::from_secs(load.seconds) {
        beats.tick().await;
        walk(door, load.inspectors, first, count).await?;
        first += count;
    }
    let seconds = began.elapsed().as_secs_f64();
    let (cpu_after, _) = server.usage()?;
    let bytes = (received.load(Ordering::Relaxed) - bytes_before) as f64;
    watching.iter().for_each(tokio::task::JoinHandle::abort);
    let each = packed.load(Ordering::Relaxed) as f64 / entries.load(Ordering::Relaxed).max(1) as f64;
    let (inspectors, screens) = (load.inspectors, load.screens);
    let measure = format!("{inspectors} inspectors, {FIXES_PER_SECOND} fixes/s, {screens} screens, 4 Hz");
    Ok(vec![
        Row::at_most(
            format!("{measure}: server"),
            (cpu_after - cpu_before) / seconds * 100.0,
            "% of a core",
            25.0,
        ),
        Row::at_most(
            format!("{measure}: each screen"),
            bytes / seconds / screens as f64 / 1_024.0,
            "KiB/s",
            12.0,
        ),
        Row::at_most("bytes per position on the wire", each, "B", 5.0),
    ])
}

/// Posts the next `count` inspectors' positions, six metres on from where they were a round ago.
async fn walk(door: &Arc<Door>, inspectors: usize, first: usize, count: usize) -> anyhow::Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as i64;
    let fixes: Vec<Value> = (first..first + count)
        .map(|number| {
            let (person, round) = (number % inspectors, (number / inspectors) as f64);
            let (row, column) = ((person / 100) as f64, (person % 100) as f64);
            let heading = (person * 37 % 360) as f64;
            let (north, east) = (heading.to_radians().cos(), heading.to_radians().sin());
            json!({
                "inspector": format!("B{person:05}"),
                "place": {
                    "lat": 25.0 + row * 0.0018 + round * 5.4e-5 * north,
                    "lon": 102.68 + column * 0.0018 + round * 5.9e-5 * east,
                },
                "fixed": now,
                "speed_mps": 1.2,
                "heading_deg": heading,
            })
        })
        .collect();
    let answer: Value =
        serde_json::from_str(&door.post("/api/v1/positions", json!({ "fixes": fixes })).await?)?;
    anyhow::ensure!(answer["taken"] == count, "positions were refused: {}", answer["refused"][0]);
    Ok(())
}

/// How long the server keeps a client that no longer takes anything.
async fn stalled(door: &Arc<Door>) -> anyhow::Result<Row> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = connections(door).await?;
    let silent = door.screen(&[Topic::Positions, Topic::Tally]).await?;
    let began = Instant::now();
    let mut counted = false;
    let taken = loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = connections(door).await?;
        counted |= now > before;
        if counted && now <= before {
            break began.elapsed().as_secs_f64();
        }
        anyhow::ensure!(began.elapsed() < Duration::from_secs(STALL_SECONDS), "a stalled client was kept");
    };
    drop(silent);
    Ok(Row::at_most("one stalled client, closed after", taken, "s", 20.0))
}

async fn connections(door: &Arc<Door>) -> anyhow::Result<f64> {
    let metrics = door.get("/metrics").await?;
    let line = metrics.lines().find(|line| line.starts_with("gridhall_live_connections"));
    Ok(line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0))
}
