//! The doors under attack: strangers who send too much, too slowly, or too often.

use std::time::{Duration, Instant};

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::{served, served_with};

/// Sends raw text and reads until the server closes, or for a while.
async fn raw(address: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    read_answer(&mut stream).await
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut chunk)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&chunk[..read]);
        if answer.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_send_sixteen_kibibytes_and_not_one_more() {
    let hall = served().await;
    for path in ["/osmand", "/api/v1/sign-in", "/api/v1/kiosk/claim", "/api/v1/kiosk/ask", "/readyz"] {
        let body = "x".repeat((16 << 10) + 1);
        let json = [("content-type", "application/json")];
        let reply = hall.ask("POST", path, &json, Some(body.clone())).await;
        assert_eq!((reply.status, reply.code().as_str()), (413, "body"), "{path}: {}", reply.text);
        assert!(reply.headers["content-type"] == "application/problem+json", "{path}");
        // The same without a stated length.
        let chunked = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
             {:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        );
        let answer = raw(hall.running.address, &chunked).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
        assert!(answer.contains("application/problem+json"), "{path}: {answer}");
    }
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_arrive_is_given_up() {
    let hall = served().await;
    let began = Instant::now();
    let head = "POST /osmand HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\nid=";
    let answer = raw(hall.running.address, head).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    hall.running.stop().await.unwrap();
}

/// Sends a head and what has arrived of the body so far, and keeps the connection.
async fn sending(address: std::net::SocketAddr, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server may answer and close before it has everything.
    let _ = stream.write_all(body).await;
    stream
}

/// How many of these were answered 503.
async fn busy(held: &mut [TcpStream]) -> usize {
    let mut busy = 0;
    for stream in held {
        let mut start = [0; 12];
        let read = tokio::time::timeout(Duration::from_millis(500), stream.read_exact(&mut start)).await;
        busy += usize::from(read.is_ok() && &start == b"HTTP/1.1 503");
    }
    busy
}

/// Sixteen announced bodies of one wall held the room of everybody: no command was taken.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_one_sender_announces_or_sends_a_command_gets_through() {
    let hall = served().await;
    let address = hall.running.address;
    let access = &hall.running.hall.access;
    let wall = access.make_token("wall-9", Role::Kiosk, UtcMillis(0)).await.unwrap();
    let phone = access.make_token("J0009", Role::Inspector, UtcMillis(0)).await.unwrap();
    let head = |line: &str, secret: &str, framing: &str| {
        format!(
            "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\
            Content-Type: application/json\r\n{framing}\r\n\r\n"
        )
    };
    let mut held = Vec::new();
    for framing in ["Content-Length: 4194304", "Transfer-Encoding: chunked"] {
        for _ in 0..16 {
            let reads = head("GET /api/v1/tally", wall.expose(), framing);
            held.push(sending(address, &reads, b"1").await);
            let writes = head("POST /api/v1/positions", phone.expose(), framing);
            held.push(sending(address, &writes, b"1").await);
        }
    }
    let row = |number: u32| {
        let key = format!("0190a0b0-0000-7000-8000-{number:012}");
        json!({ "key": key, "command": super::http::report("530102") })
    };
    for number in 0..10 {
        assert_eq!(hall.post("/api/v1/commands", &row(number)).await.status, 200);
    }
    drop(held);
    // Now all but the last byte of each is really sent.
    let all_but_one = vec![b' '; (4 << 20) - 1];
    let mut held = Vec::new();
    for _ in 0..16 {
        let writes = head("POST /api/v1/positions", phone.expose(), "Content-Length: 4194304");
        held.push(sending(address, &writes, &all_but_one).await);
    }
    assert_eq!(busy(&mut held).await, 12, "four of four mebibytes are one sender's share");
    for number in 10..20 {
        assert_eq!(hall.post("/api/v1/commands", &row(number)).await.status, 200);
    }
    // A large one of somebody else, too.
    let rows: Vec<_> = (0..900).map(|number| row(1_000 + number)).collect();
    assert_eq!(hall.post("/api/v1/commands", &json!({ "commands": rows })).await.status, 200);
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_where_none_belongs_is_refused_at_once() {
    let hall = served().await;
    for line in ["GET /api/v1/tally", "HEAD /api/v1/tally", "GET /healthz", "GET /osmand"] {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 4000\r\n\r\n1",
            hall.token
        );
        let began = Instant::now();
        let answer = raw(hall.running.address, &head).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{line}: {answer}");
        assert!(began.elapsed() < Duration::from_secs(5), "{line}: {:?}", began.elapsed());
    }
    hall.running.stop().await.unwrap();
}

/// Compressing a programme anew took 88 ms of a core for each stranger who asked.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_as_they_were_compressed_beforehand_or_not_at_all() {
    let site = tempfile::tempdir().unwrap();
    let text = "let a = 1;\n".repeat(2_000);
    std::fs::write(site.path().join("alone.js"), &text).unwrap();
    std::fs::write(site.path().join("both.js"), &text).unwrap();
    std::fs::write(site.path().join("both.js.gz"), "as made beforehand").unwrap();
    std::fs::write(site.path().join("door.html"), &text).unwrap();
    let hall = served_with(|config| config.server.site = site.path().to_owned()).await;
    let ask = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, deflate\r\nConnection: close\r\n\r\n"
        )
    };
    let answer = raw(hall.running.address, &ask("/both.js")).await;
    assert!(answer.contains("content-encoding: gzip") && answer.ends_with("as made beforehand"), "{answer}");
    for path in ["/alone.js", "/", "/nothing-here"] {
        let answer = raw(hall.running.address, &ask(path)).await;
        assert!(!answer.contains("content-encoding") && answer.ends_with(&text), "{path}");
    }
    // What somebody reads who is known may still be small on its way.
    let ask = format!(
        "GET /api/v1/catalogue HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
        hall.token
    );
    let answer = raw(hall.running.address, &ask).await;
    assert!(answer.contains("content-encoding: gzip"), "{answer}");
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_says_that_the_clock_is_right() {
    let hall = served().await;
    assert_eq!(hall.post("/api/v1/clock/believe", &json!({})).await.status, 403);
    let admin = hall.running.hall.access.make_token("root", Role::Admin, UtcMillis(0)).await.unwrap();
    let bearer = format!("Bearer {}", admin.expose());
    let reply = hall.ask("POST", "/api/v1/clock/believe", &[("authorization", &bearer)], None).await;
    assert_eq!(reply.status, 204, "{}", reply.text);
    assert_eq!(hall.get("/readyz").await.text, "ready");
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_is_answered_as_a_problem() {
    let hall = served().await;
    for (method, path) in [("PUT", "/api/v1/commands"), ("DELETE", "/osmand"), ("POST", "/api/v1/cases")] {
        let bearer = format!("Bearer {}", hall.token);
        let reply = hall.ask(method, path, &[("authorization", &bearer)], None).await;
        assert_eq!((reply.status, reply.code().as_str()), (405, "method_not_allowed"), "{path}");
        assert!(reply.headers.contains_key("allow"), "{path}");
    }
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_asks_nothing_is_closed() {
    let hall = served().await;
    let slow = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    let idle = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let closed = |text: &'static str| async move {
        let mut stream = TcpStream::connect(hall.running.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut all = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(14), stream.read_to_end(&mut all)).await;
        assert!(end.is_ok(), "`{text}` keeps its connection");
    };
    tokio::join!(closed(""), closed(slow), closed(idle));
    hall.running.stop().await.unwrap();
}

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

/// A connection from one of this machine's own addresses.
async fn from(last: u8, address: std::net::SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(std::net::SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    socket.connect(address).await.unwrap()
}

/// Asks; whether an answer comes.
async fn is_served(stream: &mut TcpStream) -> bool {
    if stream.write_all(ASK).await.is_err() {
        return false;
    }
    let mut answer = [0; 4096];
    matches!(
        tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await,
        Ok(Ok(read)) if answer[..read].starts_with(b"HTTP/1.1 200")
    )
}

/// One tiny request each few seconds on every connection kept all seats, and nobody could come in.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_on_to_many_connections_keeps_nobody_out() {
    let hall = served_with(|config| config.server.connections_max = 80).await;
    let address = hall.running.address;
    // From one address, as many as there are and more.
    let mut held = Vec::new();
    for _ in 0..100 {
        let mut stream = from(2, address).await;
        assert!(is_served(&mut stream).await, "the newest is served");
        held.push(stream);
    }
    let mut kept = 0;
    for stream in &mut held {
        kept += usize::from(is_served(stream).await);
    }
    assert_eq!(kept, 10, "an eighth of eighty");
    // From so many addresses that every seat is taken: the oldest gives way.
    let mut many = Vec::new();
    for last in 10..20 {
        for _ in 0..10 {
            let mut stream = from(last, address).await;
            assert!(is_served(&mut stream).await);
            many.push(stream);
        }
    }
    let began = Instant::now();
    for _ in 0..20 {
        assert!(is_served(&mut from(3, address).await).await, "a newcomer waits for nobody");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    hall.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_shown_a_token_keeps_the_connection_whatever_strangers_do() {
    let hall = served_with(|config| config.server.connections_max = 16).await;
    let address = hall.running.address;
    let ask =
        format!("GET /api/v1/session HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", hall.token);
    let ask = async |stream: &mut TcpStream| {
        let sent = stream.write_all(ask.as_bytes()).await.is_ok();
        let mut answer = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await;
        sent && matches!(read, Ok(Ok(read)) if answer[..read].starts_with(b"HTTP/1.1 200"))
    };
    let mut proved = from(2, address).await;
    assert!(ask(&mut proved).await);
    let mut strangers = Vec::new();
    for number in 0..60u8 {
        // From the same address and from others.
        let mut stream = from(2 + number % 20, address).await;
        assert!(is_served(&mut stream).await);
        strangers.push(stream);
    }
    assert!(ask(&mut proved).await);
    hall.running.stop().await.unwrap();
}

/// However often it asks. Waits most of a minute, which costs the other tests nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_proves_nothing_lives_a_minute() {
    let hall = served().await;
    let mut stream = TcpStream::connect(hall.running.address).await.unwrap();
    let began = Instant::now();
    while is_served(&mut stream).await {
        assert!(began.elapsed() < Duration::from_secs(70), "it lives on");
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    assert!(began.elapsed() > Duration::from_secs(40), "{:?}", began.elapsed());
    hall.running.stop().await.unwrap();
}

/// A screen that stopped says so once it has a session; what it says is bounded and counted by few labels.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_stopped_is_counted_and_its_words_are_bounded() {
    let hall = served().await;
    let told =
        |words: String| json!({ "cause": "panic", "programme": "wall", "build": "b1", "words": words });
    let door = "/api/v1/screens/stopped";
    let json_type = [("content-type", "application/json")];
    let stranger = hall.ask("POST", door, &json_type, Some(told("x".to_owned()).to_string())).await;
    assert_eq!(stranger.status, 401);
    let panic = "panicked at app/src/live.rs:1:2:\nalready borrowed".to_owned();
    assert_eq!(hall.post(door, &told(panic)).await.status, 204);
    let long = hall.post(door, &told("长".repeat(4_001))).await;
    assert_eq!((long.status, long.code().as_str()), (400, "bad_request"));
    let other =
        hall.post(door, &json!({ "cause": "boredom", "programme": "wall", "build": "", "words": "" })).await;
    assert_eq!(other.status, 400);
    for _ in 1..20 {
        assert_eq!(hall.post(door, &told(String::new())).await.status, 204);
    }
    let enough = hall.post(door, &told(String::new())).await;
    assert_eq!((enough.status, enough.code().as_str()), (429, "told_enough"));
    let metrics = hall.get("/metrics").await.text;
    let counted = "gridhall_screens_stopped_total{cause=\"panic\",programme=\"wall\"} ";
    let count = metrics.split(counted).nth(1).and_then(|rest| rest.split_whitespace().next());
    assert!(count.is_some_and(|count| count.parse::<u64>().unwrap() >= 20), "{count:?}");
    hall.running.stop().await.unwrap();
}
