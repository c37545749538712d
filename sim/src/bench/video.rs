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

use super::{Row, Server, percentile};
use crate::camera::registry::to_toml;
use crate::camera::{CameraSpec, Simulator};

mod stall;

const TILES_PER_PAGE: usize = 64;
const KBPS: u32 = 2_300;
const MEGABYTE: f64 = 1_048_576.0;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Relays `streams` cameras to as many tiles for `seconds` and counts.
pub async fn run(streams: usize, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let specs = (0..streams).map(camera).chain([slow_keys()]).chain(stall::cameras()).collect();
    let cameras = Simulator::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), specs).await?;
    cameras.prepare().await?;
    let list = std::env::temp_dir().join(format!("gridhall-bench-{}.toml", std::process::id()));
    std::fs::write(&list, to_toml(&cameras)?).context("cannot write the camera list")?;
    let sessions = u32::try_from(streams + 100)?.to_string();
    let environment = [
        ("GRIDHALL__CAMERAS__FILE", list.display().to_string()),
        ("GRIDHALL__VIDEO__SESSIONS_PER_HOST", sessions),
    ];
    let server = Server::start(&environment).await?;
    let rows = async {
        let mut rows = measure(&server, streams, seconds).await?;
        rows.extend(stall::measure(&server, &cameras).await?);
        Ok(rows)
    };
    let rows = rows.await;
    // The server has read it.
    let _ = std::fs::remove_file(&list);
    rows
}

fn camera(index: usize) -> CameraSpec {
    let mut spec = CameraSpec::looped(&format!("R{index:04}"), u32::try_from(index % 4).unwrap_or(0));
    spec.main.kbps = Some(KBPS);
    spec.main.fps = 25;
    spec
}

fn slow_keys() -> CameraSpec {
    let mut spec = CameraSpec::looped("SLOW", 5);
    spec.gop_seconds = 5;
    spec
}

async fn measure(server: &Server, streams: usize, seconds: u64) -> anyhow::Result<Vec<Row>> {
    let mut warm = warm_starts(server).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (_, resident_before) = server.usage()?;
    let codes: Vec<String> = (0..streams).map(|index| format!("R{index:04}")).collect();
    let received = Arc::new(AtomicU64::new(0));
    let mut pages = Vec::new();
    let mut cold = Vec::new();
    for (index, codes) in codes.chunks(TILES_PER_PAGE).enumerate() {
        let mut page = connect(server).await.with_context(|| format!("page {index}"))?;
        cold.extend(open_all(&mut page, codes).await?);
        // Pages keep reading while the next ones come.
        pages.push(tokio::spawn(read(page, Arc::clone(&received))));
    }
    // Rings fill up: two groups of two seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (cpu_before, _) = server.usage()?;
    let bytes_before = received.load(Ordering::Relaxed);
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (cpu_after, resident_after) = server.usage()?;
    let took = start.elapsed().as_secs_f64();
    let megabits = (received.load(Ordering::Relaxed) - bytes_before) as f64 * 8e-6 / took;
    pages.iter().for_each(tokio::task::JoinHandle::abort);
    for page in pages {
        // Aborted while it reads, as it should be; a page that ended by itself lost its server.
        if let Ok(ended) = page.await {
            bail!("a page was disconnected: {ended:?}");
        }
    }
    let cores = (cpu_after - cpu_before) / took;
    let count = streams as f64;
    Ok(vec![
        Row::plain("relayed streams", count, "streams"),
        Row::achieved("received by the pages, a stream", megabits / count, "Mb/s", f64::from(KBPS) / 1_000.0),
        Row::at_least(
            "relayed streams a core, scaled to 2.3 Mb/s, one viewer each",
            megabits / (f64::from(KBPS) / 1_000.0) / cores.max(1e-6),
            "streams",
            300.0,
        ),
        Row::at_most(
            "memory of a live stream",
            (resident_after - resident_before) / count / MEGABYTE,
            "MiB",
            3.0,
        ),
        Row::at_most(
            "warm camera, 5 s between key frames: asked to first frame at the page, p95",
            percentile(&mut warm, 0.95),
            "ms",
            200.0,
        ),
        Row::plain("cold cameras, all at once: asked to first frame, p50", percentile(&mut cold, 0.5), "ms"),
        Row::plain("cold cameras, all at once: asked to first frame, p95", percentile(&mut cold, 0.95), "ms"),
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
