//! The doors under attack: strangers who send too much, too slowly, or too often.

use std::time::{Duration, Instant};

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

#[tokio::test(flavor = "multi_thread")]
async fn many_large_bodies_of_a_known_sender_take_turns() {
    let hall = served().await;
    let mut held = Vec::new();
    for _ in 0..20 {
        let head = format!(
            "POST /api/v1/commands HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 4194304\r\n\r\n[",
            hall.token
        );
        let mut stream = TcpStream::connect(hall.running.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let mut busy = 0;
    for stream in &mut held {
        let mut start = [0; 12];
        let read = tokio::time::timeout(Duration::from_millis(500), stream.read_exact(&mut start)).await;
        busy += usize::from(read.is_ok() && &start == b"HTTP/1.1 503");
    }
    assert_eq!(busy, 4, "sixteen of four mebibytes are held at most");
    drop(held);
    // Their room is given back.
    let row =
        json!({ "key": "0190a0b0-0000-7000-8000-000000000001", "command": super::http::report("530102") });
    for attempt in 0.. {
        let reply = hall.post("/api/v1/commands", &row).await;
        if reply.status == 200 {
            break;
        }
        assert!(attempt < 50, "{}", reply.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_a_seat() {
    let hall = served_with(|config| config.server.connections_max = 16).await;
    let ask = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut seated = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(hall.running.address).await.unwrap();
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut start = [0; 15];
        stream.read_exact(&mut start).await.unwrap();
        seated.push(stream);
    }
    let mut late = TcpStream::connect(hall.running.address).await.unwrap();
    late.write_all(ask.as_bytes()).await.unwrap();
    let mut start = [0; 15];
    let wait = tokio::time::timeout(Duration::from_millis(500), late.read_exact(&mut start)).await;
    assert!(wait.is_err(), "the seventeenth was served at once");
    seated.pop();
    tokio::time::timeout(Duration::from_secs(5), late.read_exact(&mut start)).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    hall.running.stop().await.unwrap();
}
