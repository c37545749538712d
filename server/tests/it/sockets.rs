//! Open sockets and the session or token they rest on.

use domain::moment::UtcMillis;
use domain::role::Role;
use serde_json::json;
use server::clock::Clock;

use crate::http::{Served, served};

pub type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A socket at a door of the hall.
pub async fn socket(hall: &Served, path: &str, headers: &[(&str, String)]) -> Socket {
    try_socket(hall, path, headers).await.unwrap()
}

/// As [`socket`], or the status that was answered instead.
pub async fn try_socket(hall: &Served, path: &str, headers: &[(&str, String)]) -> Result<Socket, u16> {
    let url = hall.url(path).replace("http://", "ws://");
    let mut request =
        tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(url).unwrap();
    for (name, value) in headers {
        let name: tokio_tungstenite::tungstenite::http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// Reads until the server says goodbye; the code it gives.
pub async fn close_code(mut socket: Socket) -> u16 {
    use futures_util::StreamExt;
    use tokio_tungstenite::tungstenite::Message;
    let read = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map_or(0, |frame| frame.code.into());
            }
        }
        0
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), read).await.expect("the socket stays open")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_socket_ends_with_the_token_or_session_it_rests_on() {
    let hall = served().await;
    let access = &hall.running.hall.access;
    let token = access.make_token("wall-2", Role::Kiosk, UtcMillis(0)).await.unwrap();
    let bearer = [("authorization", format!("Bearer {}", token.expose()))];
    let cookie = access.one_time("admin", Clock::machine().now());
    let cookie = access.redeem(cookie.expose(), Clock::machine().now()).await.unwrap().unwrap();
    let origin = hall.url("");
    let signed_in =
        [("cookie", format!("{}={}", server::http::door::COOKIE, cookie.expose())), ("origin", origin)];
    let hello = tokio_tungstenite::tungstenite::Message::text(
        json!({ "hello": { "protocol": domain::wire::PROTOCOL } }).to_string(),
    );
    let mut kept =
        socket(&hall, "/live?format=json", &[("authorization", format!("Bearer {}", hall.token))]).await;
    let mut ending = [
        socket(&hall, "/live?format=json", &bearer).await,
        socket(&hall, "/live?format=json", &signed_in).await,
    ];
    for live in ending.iter_mut().chain([&mut kept]) {
        futures_util::SinkExt::send(live, hello.clone()).await.unwrap();
    }
    let video = json!({ "hello": { "version": 1, "mode": "webcodecs", "h265": false } }).to_string();
    let mut watching = socket(&hall, "/api/v1/video", &bearer).await;
    futures_util::SinkExt::send(&mut watching, video.into()).await.unwrap();
    let doer = server::access::Doer { by: "tests", now: UtcMillis(0) };
    assert_eq!(access.revoke(doer, "wall-2").await.unwrap(), Some(server::access::Taken::Written));
    access.sign_out(cookie.expose()).await.unwrap();
    for ending in ending.into_iter().chain([watching]) {
        assert_eq!(close_code(ending).await, 4001);
    }
    // Still served: the next heartbeat arrives.
    let next =
        tokio::time::timeout(std::time::Duration::from_secs(30), futures_util::StreamExt::next(&mut kept));
    assert!(matches!(next.await, Ok(Some(Ok(message))) if !message.is_close()));
    hall.running.stop().await.unwrap();
}
