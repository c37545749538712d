//! The limit of a relay on this machine: a bare mover that takes the same streams from the same cameras and writes the
//! same bytes on to as many pages, without looking at them.
//!
//! What should be here: asking a camera to play, moving bytes, the processor time of that. What should not: the server.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use super::TILES_PER_PAGE;
use crate::camera::Simulator;
use crate::camera::spec::Profile;

const WARM_UP: Duration = Duration::from_secs(2);
/// Larger than any picture of these streams.
const READ_BYTES: usize = 64 * 1024;
/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 4 * 1024;

/// Megabits that one core moves from cameras to pages in a second.
pub async fn megabits_a_core(simulator: &Simulator, codes: &[String], seconds: u64) -> anyhow::Result<f64> {
    let pages = TcpListener::bind("127.0.0.1:0").await.context("cannot listen for the mover")?;
    let page = pages.local_addr()?;
    let reading = tokio::spawn(async move {
        while let Ok((socket, _)) = pages.accept().await {
            tokio::spawn(discard(socket));
        }
    });
    let urls: Vec<String> = codes.iter().map(|code| simulator.url(code, Profile::Main)).collect();
    // A thread of its own: the kernel counts its processor time apart.
    let moved = tokio::task::spawn_blocking(move || {
        std::thread::scope(|scope| scope.spawn(|| move_all(&urls, page, seconds)).join())
    });
    let moved = moved.await?.map_err(|_| anyhow::anyhow!("the mover panicked"))?;
    reading.abort();
    moved
}

async fn discard(mut socket: TcpStream) {
    let mut room = vec![0; READ_BYTES];
    while socket.read(&mut room).await.is_ok_and(|bytes| bytes > 0) {}
}

fn move_all(urls: &[String], page: SocketAddr, seconds: u64) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let moved = Arc::new(AtomicU64::new(0));
    LocalSet::new().block_on(&runtime, async {
        for urls in urls.chunks(TILES_PER_PAGE) {
            let socket = TcpStream::connect(page).await.context("cannot reach the mover's page")?;
            socket.set_nodelay(true)?;
            // Dropping the reading half does not close the socket.
            let page = Rc::new(Mutex::new(socket.into_split().1));
            for url in urls {
                let camera = play(url).await.with_context(|| format!("no pictures from {url}"))?;
                tokio::task::spawn_local(carry(camera, page.clone(), moved.clone()));
            }
        }
        tokio::time::sleep(WARM_UP).await;
        let (bytes, processor) = (moved.load(Ordering::Relaxed), thread_seconds()?);
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let megabits = (moved.load(Ordering::Relaxed) - bytes) as f64 * 8e-6;
        let processor = thread_seconds()? - processor;
        ensure!(megabits > 0.0 && processor > 0.0, "the mover moved nothing");
        Ok(megabits / processor)
    })
}

async fn carry(mut camera: TcpStream, page: Rc<Mutex<OwnedWriteHalf>>, moved: Arc<AtomicU64>) {
    let mut room = vec![0; READ_BYTES];
    while let Ok(bytes) = camera.read(&mut room).await
        && bytes > 0
        && page.lock().await.write_all(&room[..bytes]).await.is_ok()
    {
        moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A camera that plays over this socket from now on.
async fn play(url: &str) -> anyhow::Result<TcpStream> {
    let authority = url.strip_prefix("rtsp://").and_then(|rest| rest.split('/').next());
    let mut socket = TcpStream::connect(authority.context("not an address of a camera")?).await?;
    let transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    let head = ask(&mut socket, &format!("SETUP {url} RTSP/1.0\r\nCSeq: 1\r\n{transport}\r\n")).await?;
    let session = head.lines().find_map(|line| line.strip_prefix("Session: ")?.split(';').next());
    let session = session.context("no session in the answer")?;
    ask(&mut socket, &format!("PLAY {url} RTSP/1.0\r\nCSeq: 2\r\nSession: {session}\r\n\r\n")).await?;
    Ok(socket)
}

/// The head of the answer. Pictures may follow at once, so it is read byte by byte.
async fn ask(socket: &mut TcpStream, request: &str) -> anyhow::Result<String> {
    socket.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < HEAD_BYTES_MAX, "the answer has no end");
        head.push(socket.read_u8().await.context("the camera hung up")?);
    }
    let head = String::from_utf8(head)?;
    ensure!(head.starts_with("RTSP/1.0 200"), "answered {}", head.lines().next().unwrap_or_default());
    Ok(head)
}

/// Processor seconds this thread has used.
fn thread_seconds() -> anyhow::Result<f64> {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    Ok(nanoseconds.with_context(|| format!("{path} is not numbers"))? / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::CameraSpec;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_mover_gets_pictures_from_every_camera_and_says_what_they_cost() {
        let codes = ["M0".to_owned(), "M1".to_owned()];
        let specs = codes.iter().map(|code| CameraSpec::looped(code, 0)).collect();
        let cameras = Simulator::start(SocketAddr::from(([127, 0, 0, 1], 0)), specs).await.unwrap();
        cameras.prepare().await.unwrap();
        let megabits = megabits_a_core(&cameras, &codes, 1).await.unwrap();
        assert!(megabits > 1.0, "{megabits} Mb a second of a core");
        for code in &codes {
            let counted = cameras.camera(code).unwrap().counts().bytes;
            assert!(counted > 0, "camera {code} sent nothing");
        }
    }
}
