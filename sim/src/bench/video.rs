//! What the video part costs: streams a core relays, memory of a stream, how soon a picture comes, and comes again.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::used::Gauge;
use super::{Row, Server, percentile};
use crate::camera::registry::to_toml;
use crate::camera::{CameraSpec, Simulator};

mod stall;
mod mover;

const TILES_PER_PAGE: usize = 64;
const KBPS: u32 = 2_300;
const MEGABITS: f64 = KBPS as f64 / 1_000.0;
const MEGABYTE: f64 = 1_048_576.0;
/// Cameras nobody watches yet, opened at one time on a host that allows so many.
const COLD: usize = 50;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Relays `streams` cameras to as many tiles for `seconds` and counts.
pub async fn run(streams: usize, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let relayed: Vec<String> = (0..streams).map(|index| format!("R{index:04}")).collect();
    let cold: Vec<String> = (0..COLD).map(|index| format!("C{index:04}")).collect();
    let all = relayed.iter().chain(&cold).enumerate().map(|(index, code)| camera(index, code));
    let specs = all.chain([slow_keys()]).chain(stall::cameras()).collect();
    let cameras = Simulator::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), specs).await?;
    cameras.prepare().await?;
    let limit = mover::megabits_a_core(&cameras, &relayed, seconds).await? / MEGABITS;
    let list = std::env::temp_dir().join(format!("gridhall-bench-{}.toml", std::process::id()));
    std::fs::write(&list, to_toml(&cameras)?).context("cannot write the camera list")?;
    let sessions = u32::try_from(streams + COLD + 100)?.to_string();
    let environment = [
        ("GRIDHALL__CAMERAS__FILE", list.display().to_string()),
        ("GRIDHALL__VIDEO__SESSIONS_PER_HOST", sessions),
    ];
    let server = Server::start(&environment).await?;
    let rows = async {
        let mut rows = cold_starts(&server, &cold).await?;
        rows.extend(measure(&server, &relayed, limit, seconds).await?);
        rows.extend(stall::measure(&server, &cameras).await?);
        Ok(rows)
    };
    let rows = rows.await;
    // The server has read it.
    let _ = std::fs::remove_file(&list);
    rows
}

fn camera(index: usize, code: &str) -> CameraSpec {
    let mut spec = CameraSpec::looped(code, u32::try_from(index % 4).unwrap_or(0));
    spec.main.kbps = Some(KBPS);
    spec.main.fps = 25;
    spec
}

fn slow_keys() -> CameraSpec {
    let mut spec = CameraSpec::looped("SLOW", 5);
    spec.gop_seconds = 5;
    spec
}

/// Fifty tiles of one page, whose cameras nobody watched before.
async fn cold_starts(server: &Server, codes: &[String]) -> anyhow::Result<Vec<Row>> {
    let mut page = connect(server).await?;
    let mut waits = open_all(&mut page, codes).await?;
    page.close(None).await?;
    let measure = format!("{} cold cameras at once: asked to first frame at the page", codes.len());
    Ok(vec![
        Row::plain(format!("{measure}, p50"), percentile(&mut waits, 0.5), "ms"),
        Row::at_most(format!("{measure}, p95"), percentile(&mut waits, 0.95), "ms", 200.0),
        Row::plain(format!("{measure}, the last"), percentile(&mut waits, 1.0), "ms"),
    ])
}

/// `limit`: streams that a core could move if nobody looked at the bytes.
async fn measure(server: &Server, codes: &[String], limit: f64, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let mut warm = warm_starts(server).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (_, resident_before) = server.usage()?;
    let received = Arc::new(AtomicU64::new(0));
    let mut pages = Vec::new();
    for (index, codes) in codes.chunks(TILES_PER_PAGE).enumerate() {
        let mut page = connect(server).await.with_context(|| format!("page {index}"))?;
        open_all(&mut page, codes).await?;
        // Pages keep reading while the next ones come.
        pages.push(tokio::spawn(read(page, Arc::clone(&received))));
    }
    // Rings fill up: two groups of two seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let gauge = Gauge::begin(server)?;
    let bytes_before = received.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (_, resident_after) = server.usage()?;
    let used = gauge.end(server)?;
    let megabits = (received.load(Ordering::Relaxed) - bytes_before) as f64 * 8e-6;
    pages.iter().for_each(tokio::task::JoinHandle::abort);
    for page in pages {
        // Aborted while it reads, as it should be; a page that ended by itself lost its server.
        if let Ok(ended) = page.await {
            bail!("a page was disconnected: {ended:?}");
        }
    }
    let count = codes.len() as f64;
    let relayed = megabits / MEGABITS / used.server.max(1e-6);
    let measure = "relayed streams a core, scaled to 2.3 Mb/s, one viewer each";
    let resident = (resident_after - resident_before) / count / MEGABYTE;
    let warm_first = "warm camera, 5 s between key frames: asked to first frame at the page, p95";
    Ok(vec![
        Row::plain("relayed streams", count, "streams"),
        Row::achieved("received by the pages, a stream", megabits / used.seconds / count, "Mb/s", MEGABITS),
        Row::at_least(measure, relayed, "streams", 1_000.0)
            .beside("moving the same bytes over loopback", limit, 0.5)
            .under(&used),
        Row::at_most("memory of a live stream", resident, "MiB", 1.5),
        Row::at_most(warm_first, percentile(&mut warm, 0.95), "ms", 200.0),
    ])
}

async fn connect(server: &Server) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{}/api/v1/video", server.authority).into_client_request()?;
    request.headers_mut().insert("cookie", server.cookie.parse()?);
    request.headers_mut().insert("origin", format!("http://{}", server.authority).parse()?);
    let (mut socket, _) =
        tokio_tungstenite::connect_async(request).await.context("cannot open the video socket")?;
    let hello = r#"{"hello":{"version":1,"mode":"webcodecs","h265":true}}"#;
    socket.send(Message::Text(hello.into())).await?;
    Ok(socket)
}

/// Opens a tile for each camera at once; milliseconds until each has its first frame.
async fn open_all(socket: &mut Socket, codes: &[String]) -> anyhow::Result<Vec<f64>> {
    let start = Instant::now();
    for (tile, code) in codes.iter().enumerate() {
        let open =
            format!(r#"{{"open":{{"tile":{tile},"camera":"{code}","profile":"main","height":1080}}}}"#);
        socket.send(Message::Text(open.into())).await?;
    }
    let mut waits = Vec::new();
    let mut seen = BTreeSet::new();
    while seen.len() < codes.len() {
        let message = tokio::time::timeout(Duration::from_secs(60), socket.next()).await;
        let Some(message) = message.context("not every camera came within a minute")? else {
            bail!("disconnected")
        };
        if let Message::Binary(bytes) = message?
            && let [2, low, high, ..] = bytes[..]
            && seen.insert(u16::from_le_bytes([low, high]))
        {
            waits.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
    }
    Ok(waits)
}

/// Twenty pages join a camera that is live already.
async fn warm_starts(server: &Server) -> anyhow::Result<Vec<f64>> {
    let slow = ["SLOW".to_owned()];
    let mut first = connect(server).await?;
    open_all(&mut first, &slow).await?;
    let first = tokio::spawn(read(first, Arc::default()));
    let mut waits = Vec::new();
    for _ in 0..20 {
        let mut page = connect(server).await?;
        waits.extend(open_all(&mut page, &slow).await?);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    first.abort();
    Ok(waits)
}

/// Reads until the server closes.
async fn read(mut socket: Socket, received: Arc<AtomicU64>) -> anyhow::Result<()> {
    while let Some(message) = socket.next().await {
        received.fetch_add(message?.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}
