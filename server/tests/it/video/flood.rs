//! A peer that floods: what it costs is bounded by time, it is named, and the cameras beside it play on.

use super::harness::{Page, Said, serve};
use server::video::origin::list;
use server::video::{Config, Video};
use sim::camera::{CameraSpec, Simulator};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What floods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flood {
    /// The answer to DESCRIBE has header lines without end.
    Headers,
    /// The answer to DESCRIBE has one header line without end.
    HeaderLine,
    /// The description is two gigabytes long.
    Description,
    /// Packets of one picture that never ends.
    Picture,
    /// Packets on a channel nobody set up.
    Junk,
}

impl Flood {
    /// Bytes a second: less than a line may carry, so that the tests beside this one go on.
    fn pace(self) -> u64 {
        match self {
            Self::Headers | Self::HeaderLine | Self::Description | Self::Picture => 24 << 20,
            Self::Junk => 96 << 20,
        }
    }
}

#[derive(Default)]
struct Counts {
    dials: AtomicUsize,
    open: AtomicUsize,
    /// Connections over which a good part of a second's flood has gone.
    flooded: AtomicUsize,
    sent: AtomicU64,
}

/// A connection's own flood: its pace does not depend on what went over those before it.
struct Course<'a> {
    flood: Flood,
    counts: &'a Counts,
    started: Instant,
    sent: u64,
}

/// From here on a connection counts as flooded.
const FLOODED: u64 = 4 << 20;

async fn peer(flood: Flood) -> (SocketAddr, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, counts) = (listener.local_addr().unwrap(), Arc::<Counts>::default());
    let counting = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counts = Arc::clone(&counting);
            counts.dials.fetch_add(1, Ordering::Relaxed);
            counts.open.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                // It ends when we are gone.
                let _ = converse(stream, flood, &counts).await;
                counts.open.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    (addr, counts)
}

async fn converse(mut stream: TcpStream, flood: Flood, counts: &Counts) -> std::io::Result<()> {
    let mut said = Vec::new();
    loop {
        let mut part = [0; 4_096];
        let read = stream.read(&mut part).await?;
        if read == 0 {
            return Ok(());
        }
        said.extend_from_slice(&part[..read]);
        while let Some(end) = said.windows(4).position(|four| four == b"\r\n\r\n") {
            let request = String::from_utf8_lossy(&said[..end]).into_owned();
            said.drain(..end + 4);
            let cseq = request.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("0").to_owned();
            answer(&mut stream, &request, &cseq, flood, counts).await?;
        }
    }
}

async fn answer(
    stream: &mut TcpStream,
    request: &str,
    cseq: &str,
    flood: Flood,
    counts: &Counts,
) -> std::io::Result<()> {
    let ok = format!("RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n");
    let sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
               a=rtpmap:96 H264/90000\r\na=control:video\r\n";
    match (request.split(' ').next().unwrap_or_default(), flood) {
        ("DESCRIBE", Flood::Headers) => {
            stream.write_all(ok.as_bytes()).await?;
            endless(stream, &b"X-Noise: 0123456789abcdef0123456789abcdef\r\n".repeat(400), flood, counts)
                .await
        }
        ("DESCRIBE", Flood::HeaderLine) => {
            stream.write_all(format!("{ok}X-Noise: ").as_bytes()).await?;
            endless(stream, &[b'a'; 16_384], flood, counts).await
        }
        ("DESCRIBE", Flood::Description) => {
            let head = format!("{ok}Content-Type: application/sdp\r\nContent-Length: 2000000000\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            endless(stream, &[b'a'; 16_384], flood, counts).await
        }
        ("DESCRIBE", Flood::Picture | Flood::Junk) => {
            let length = sdp.len();
            let head = format!("{ok}Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}");
            stream.write_all(head.as_bytes()).await
        }
        ("SETUP", _) => {
            let more = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000007\r\nSession: 1\r\n\r\n";
            stream.write_all(format!("{ok}{more}").as_bytes()).await
        }
        ("PLAY", _) => {
            stream
                .write_all(
                    format!("{ok}Session: 1\r\nRTP-Info: url=video;seq=1;rtptime=0\r\n\r\n").as_bytes(),
                )
                .await?;
            if flood == Flood::Junk {
                return endless(
                    stream,
                    &[b"$\x07\x04\x00".to_vec(), vec![0x55; 1_024]].concat(),
                    flood,
                    counts,
                )
                .await;
            }
            let (mut sequence, mut start) = (1u16, 0x80);
            let mut course = Course::new(flood, counts);
            loop {
                let mut packets = Vec::new();
                for _ in 0..16 {
                    packets.extend_from_slice(&picture_packet(sequence, std::mem::take(&mut start)));
                    sequence = sequence.wrapping_add(1);
                }
                course.send(stream, &packets).await?;
            }
        }
        _ => stream.write_all(format!("{ok}Session: 1\r\n\r\n").as_bytes()).await,
    }
}

/// A fragment of an IDR slice that is never the last one.
fn picture_packet(sequence: u16, start: u8) -> Vec<u8> {
    let mut packet = vec![b'$', 0, 0x04, 0x0e, 0x80, 96];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]);
    packet.extend_from_slice(&[0x7c, start | 5]);
    packet.resize(4 + 0x040e, 0x33);
    packet
}

async fn endless(stream: &mut TcpStream, part: &[u8], flood: Flood, counts: &Counts) -> std::io::Result<()> {
    let mut course = Course::new(flood, counts);
    loop {
        course.send(stream, part).await?;
    }
}

impl<'a> Course<'a> {
    fn new(flood: Flood, counts: &'a Counts) -> Self {
        Self { flood, counts, started: Instant::now(), sent: 0 }
    }

    async fn send(&mut self, stream: &mut TcpStream, part: &[u8]) -> std::io::Result<()> {
        stream.write_all(part).await?;
        let before = self.sent;
        self.sent += part.len() as u64;
        self.counts.sent.fetch_add(part.len() as u64, Ordering::Relaxed);
        if (before..self.sent).contains(&FLOODED) {
            self.counts.flooded.fetch_add(1, Ordering::Relaxed);
        }
        let due = Duration::from_secs_f64(self.sent as f64 / self.flood.pace() as f64);
        tokio::time::sleep(due.saturating_sub(self.started.elapsed())).await;
        Ok(())
    }
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// A hall with a sound camera beside the one that floods.
struct Beside {
    /// Kept: it plays for as long as it is there.
    _cameras: Simulator,
    video: Video,
    hall: SocketAddr,
    playing: JoinHandle<()>,
    /// The longest pause between the sound camera's pictures, in milliseconds.
    gap_ms: Arc<AtomicU64>,
}

impl Beside {
    async fn begin(flooding: SocketAddr) -> Self {
        let mut sound = CameraSpec::looped("sound", 1);
        sound.gop_seconds = 1;
        let cameras = Simulator::start("127.0.0.1:0".parse().unwrap(), vec![sound]).await.unwrap();
        cameras.prepare().await.unwrap();
        let list = sim::camera::registry::to_toml(&cameras).unwrap();
        let list = format!("{list}\n[[camera]]\ncode = \"flood\"\nmain = \"rtsp://{flooding}/x\"\n");
        let (registry, refused) = list::from_toml(&list).unwrap();
        assert!(refused.is_empty(), "{refused:?}");
        let (video, hall) = serve(Config::default(), registry).await;
        let mut page = Page::connect(hall, "webcodecs", false).await;
        page.open(1, "sound", "sub", 360).await;
        page.until_media(1, 2, 5, Duration::from_secs(20)).await;
        let gap_ms = Arc::<AtomicU64>::default();
        let longest = Arc::clone(&gap_ms);
        let playing = tokio::spawn(async move {
            loop {
                let waited = Instant::now();
                page.until_media(1, 2, 1, Duration::from_secs(20)).await;
                longest.fetch_max(waited.elapsed().as_millis() as u64, Ordering::Relaxed);
            }
        });
        Self { _cameras: cameras, video, hall, playing, gap_ms }
    }

    /// It has played on all the while.
    async fn end(self, flood: Flood) {
        assert!(!self.playing.is_finished(), "{flood:?}: the camera beside it has no pictures");
        self.playing.abort();
        let gap_ms = self.gap_ms.load(Ordering::Relaxed);
        assert!(gap_ms < 3_000, "{flood:?}: {gap_ms} ms without a picture beside it");
        self.video.shutdown().await;
    }
}

/// The memory of this process, looked at for as long as it is held.
struct Memory {
    base: u64,
    highest: Arc<AtomicU64>,
    watching: JoinHandle<()>,
}

impl Memory {
    fn watch() -> Self {
        let base = resident();
        let highest = Arc::new(AtomicU64::new(base));
        let most = Arc::clone(&highest);
        let watching = tokio::spawn(async move {
            loop {
                most.fetch_max(resident(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { base, highest, watching }
    }

    fn cost(&self) -> u64 {
        self.highest.load(Ordering::Relaxed).saturating_sub(self.base)
    }

    /// A flood has cost no more than what arrived while it was listened to, and its copy into a larger buffer; most of it
    /// is given back.
    async fn end(self, flood: Flood, sent: u64) {
        self.watching.abort();
        let cost = self.cost();
        let cost_max = (128 << 20) + if flood == Flood::Junk { 0 } else { 3 * sent };
        assert!(cost < cost_max, "{flood:?}: {} MiB for {} MiB", cost >> 20, sent >> 20);
        let kept_max = self.base + (cost / 2).max(128 << 20);
        let by = Instant::now() + Duration::from_secs(10);
        while resident() >= kept_max {
            let kept = resident().saturating_sub(self.base) >> 20;
            assert!(Instant::now() < by, "{flood:?}: {kept} MiB are not given back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// One camera from its dial to its end.
async fn one(flood: Flood, cause: &str, within: Duration) {
    let (addr, counts) = peer(flood).await;
    let beside = Beside::begin(addr).await;
    let (memory, started) = (Memory::watch(), Instant::now());
    let mut page = Page::connect(beside.hall, "webcodecs", false).await;
    page.open(1, "flood", "main", 1080).await;
    let told = page.until("a named failure", within, |said| match said {
        Said::Text(value) if value["state"]["cause"] == cause => Some(value["state"].clone()),
        Said::Text(_) | Said::Media(_) => None,
    });
    let told = told.await;
    let (named, sent) = (started.elapsed(), counts.sent.load(Ordering::Relaxed));
    assert_eq!(told["state"], "lost", "{told}");
    assert!(told["retry_at_ms"].is_i64(), "{told}");
    eprintln!(
        "{flood:?}: named after {named:?}, {} MiB sent, {} MiB more resident at the most, {} ms between pictures beside it",
        sent >> 20,
        memory.cost() >> 20,
        beside.gap_ms.load(Ordering::Relaxed)
    );
    // It is dialled again, and floods again.
    until(20, || counts.flooded.load(Ordering::Relaxed) >= 2, flood, "there is no second flood").await;
    // Nobody watches any more: all that was taken is given back, and nothing is dialled again.
    drop(page);
    until(30, || counts.open.load(Ordering::Relaxed) == 0, flood, "connections are still open").await;
    let dials = counts.dials.load(Ordering::Relaxed);
    assert!(dials <= 12, "{flood:?}: {dials} dials");
    memory.end(flood, counts.sent.load(Ordering::Relaxed)).await;
    beside.end(flood).await;
}

async fn until(seconds: u64, holds: impl Fn() -> bool, flood: Flood, otherwise: &str) {
    let by = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < by, "{flood:?}: {otherwise} after {seconds} s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Not a test of its own: one after the other, as they measure the memory of the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test below as its child"]
async fn child() {
    for (flood, cause, seconds) in [
        (Flood::Headers, "no_answer", 8),
        (Flood::HeaderLine, "no_answer", 8),
        (Flood::Description, "no_answer", 8),
        (Flood::Picture, "stalled", 14),
        (Flood::Junk, "stalled", 14),
    ] {
        one(flood, cause, Duration::from_secs(seconds)).await;
    }
}

/// In a process of its own: what the other tests take and give back meanwhile is not this one's.
#[test]
fn a_flooding_peer_is_named_in_time_and_given_up() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["video::flood::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = child.output().unwrap();
    let (told, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{failed}");
    assert!(output.status.success(), "{told}{failed}");
    assert!(told.contains("1 passed"), "{told}");
}
