//! What a connection of the live feed holds, and how long it is kept: large first frames, slow links, silent ones.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use domain::case::Stage;
use domain::moment::UtcMillis;
use domain::wire::{ClientMessage, PROTOCOL, Payload, ServerMessage, Topic};
use futures_util::{SinkExt, StreamExt};
use server::live::Limits;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::city;
use crate::live_hall::{Hall, quick};

const CHILD_DIR: &str = "GRIDHALL_LINKS_CHILD_DIR";
/// Overdue cases: their first frame is well above 100 KB, and below the 200 KB of the largest message.
const CASES: usize = 1_500;
/// What a connection may hold once it has its first frames.
const KEPT_BYTES_MAX: usize = 20 * 1024;

/// A hall with a long list of overdue cases.
async fn late_hall(dir: &std::path::Path, limits: Limits) -> Hall {
    let hall = Hall::start(dir, limits).await;
    let opened = UtcMillis(city::START.0 - 10 * 3_600_000);
    let cases = (0..CASES).map(|_| city::envelope(city::take_over(Stage::Dispatch, opened, None)));
    for answer in hall.writer.send_many(cases.collect()).await {
        answer.unwrap();
    }
    // The timer records some hundreds of deadlines at a time.
    loop {
        let Payload::Overdue(rows) = hall.snapshot(&Topic::OVERDUE).await.payload else {
            panic!("not the overdue board")
        };
        if rows.len() == CASES {
            return hall;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// A client of its own making: its kernel buffers are small, so that it is the reader who sets the pace.
async fn narrow(address: SocketAddr) -> WebSocketStream<tokio::net::TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    socket.set_tcp_mss(1_400).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let stream = tokio::net::TcpStream::from_std(socket.into()).unwrap();
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("ws://{address}/live"), stream).await.unwrap();
    say(&mut socket, &ClientMessage::Hello { protocol: PROTOCOL, build: String::new() }).await;
    socket
}

async fn say(socket: &mut WebSocketStream<tokio::net::TcpStream>, message: &ClientMessage) {
    socket.send(Message::binary(message.to_bytes())).await.unwrap();
}

async fn ask_overdue(socket: &mut WebSocketStream<tokio::net::TcpStream>) {
    say(socket, &ClientMessage::Subscribe { topic: Topic::OVERDUE, epoch: None, from: None, max_hz: None })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_link_is_kept_while_it_takes_data_and_let_go_when_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let stall = Duration::from_secs(10);
    let limits = Limits { stall_ms: 10_000, ..quick() };
    let hall = late_hall(dir.path(), limits).await;
    let mut socket = narrow(hall.address).await;
    ask_overdue(&mut socket).await;
    let events = Topic::CASE;
    say(&mut socket, &ClientMessage::Subscribe { topic: events, epoch: None, from: None, max_hz: None })
        .await;
    let working = tokio::spawn(crate::live_hall::work(hall.writer.clone(), 5_000));
    // 16 KB a second, below what comes; nothing is ever answered, not even a ping. The kernel takes up to 64 KB at a
    // time, so that is how far apart the signs of life are.
    let stream = socket.get_mut();
    let (began, mut taken) = (Instant::now(), 0);
    let mut piece = [0_u8; 4_096];
    while began.elapsed() < 2 * stall {
        let read = tokio::time::timeout(stall, stream.read(&mut piece)).await;
        let read = read.expect("data keeps coming").unwrap_or(0);
        assert!(read > 0, "cut after {:?} and {taken} bytes", began.elapsed());
        taken += read;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(taken > 150_000, "{taken} bytes");
    working.abort();
    assert_eq!(hall.hub.connections(), 1);
    // It stops reading; what its kernel still takes is a moment's worth.
    let stopped = Instant::now();
    while hall.hub.connections() > 0 {
        assert!(stopped.elapsed() < stall + Duration::from_secs(5), "a stopped reader is let go");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(stopped.elapsed() + Duration::from_secs(7) > stall, "after {:?}", stopped.elapsed());
    hall.stop().await;
}

/// Not a test of its own: the server whose memory is looked at.
#[test]
#[ignore = "run by the memory test as its child"]
fn child() {
    let dir = std::env::var(CHILD_DIR).expect("the parent names a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let hall = late_hall(std::path::Path::new(&dir), quick()).await;
        #[allow(clippy::print_stdout, reason = "tells the parent where it listens")]
        {
            println!("\nlistening {}", hall.address);
        }
        // Until the parent lets go of the other end.
        let _ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await;
    });
}

/// Resident bytes of a process.
fn resident(pid: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    text.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_does_not_keep_the_room_of_its_largest_frame() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["live_links::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CHILD_DIR, dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| line.unwrap().strip_prefix("listening ").map(str::to_owned));
    let address: SocketAddr = address.unwrap().parse().unwrap();
    let mut open = Vec::new();
    let mut seen = Vec::new();
    for step in 0..3 {
        for _ in 0..100 {
            open.push(whole_screen(address).await);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        // The first hundred pay for what is made once.
        if step > 0 {
            seen.push(resident(child.id()));
        }
    }
    let each = seen[1].saturating_sub(seen[0]) / 100;
    drop(open);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(each <= KEPT_BYTES_MAX, "{each} bytes for each connection");
}

/// A connection that has taken its first frame, which is large.
async fn whole_screen(address: SocketAddr) -> WebSocketStream<tokio::net::TcpStream> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("ws://{address}/live"), stream).await.unwrap();
    say(&mut socket, &ClientMessage::Hello { protocol: PROTOCOL, build: String::new() }).await;
    ask_overdue(&mut socket).await;
    loop {
        let Message::Binary(bytes) = socket.next().await.unwrap().unwrap() else { continue };
        if let Ok(domain::wire::Incoming::Message(ServerMessage::Deltas { .. })) =
            domain::wire::Incoming::from_bytes(&bytes)
        {
            assert!(bytes.len() > 100_000, "{} bytes", bytes.len());
            return socket;
        }
    }
}
