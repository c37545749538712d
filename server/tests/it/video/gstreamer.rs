//! Against GStreamer's RTSP server, which shares no code with our simulator.

use super::harness::{Page, get, serve};
use server::video::Config;
use server::video::origin::list;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

/// The other server, ended with the test.
struct Peer {
    child: Child,
    port: u16,
}

impl Peer {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/testdata/gst_rtsp.py");
        // Debian's own interpreter: the GObject bindings are a system package.
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3, python3-gi and gir1.2-gst-rtsp-server-1.0 are installed by cargo xtask test");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("no port but {line:?}"));
        Self { child, port }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn hall(peer: &Peer) -> SocketAddr {
    let list: String = ["h264", "h265", "bframes"]
        .iter()
        .map(|name| {
            format!("[[camera]]\ncode = \"{name}\"\nmain = \"rtsp://127.0.0.1:{}/{name}\"\n", peer.port)
        })
        .collect();
    let (registry, refusals) = list::from_toml(&list).unwrap();
    assert!(refusals.is_empty());
    serve(Config::default(), registry).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gstreamers_cameras_are_shown_in_every_way() {
    let peer = Peer::start();
    let addr = hall(&peer).await;
    for (code, h265, codec) in [
        ("h264", true, "avc1."),
        ("bframes", true, "avc1."),
        ("h265", true, "hvc1."),
        ("h265", false, "avc1."),
    ] {
        let mut page = Page::connect(addr, "webcodecs", h265).await;
        let asked = Instant::now();
        page.open(1, code, "auto", 1080).await;
        let configuration = page.until_media(1, 1, 1, SOON).await.remove(0).configuration();
        assert!(configuration.0.starts_with(codec), "{code}: {configuration:?}");
        assert_eq!((configuration.1, configuration.2), (640, 360));
        page.until_media(1, 2, 1, SOON).await;
        eprintln!("{code} for h265 {h265}: first frame after {:?}", asked.elapsed());
        page.until_media(1, 2, 50, SOON).await;
    }
    let (status, kind, _) = get(addr, "/api/v1/cameras/h265/snapshot.jpg").await;
    assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_is_lost_with_its_reason() {
    let peer = Peer::start();
    let addr = hall(&peer).await;
    let mut page = Page::connect(addr, "mse", true).await;
    page.open(1, "h264", "auto", 1080).await;
    page.until_media(1, 5, 10, SOON).await;
    drop(peer);
    let lost = page.until_state(1, "lost", SOON).await;
    assert!(["closed", "connection_refused", "stalled"].contains(&lost["cause"].as_str().unwrap()), "{lost}");
    assert!(lost["retry_at_ms"].is_i64());
}
