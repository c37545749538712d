//! Connections: accepted while there are seats, each with a time for its request heads, ended gracefully.
//!
//! What should not be here: who gives way (`seats`), what is answered (`http`), how long a body may take (`http::body`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::seats::{Seat, Seats};
use crate::clock;
use crate::lasting::Lasting;

/// From the connection, or from the last answer, until the next request's head is there.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// A connection on which nothing was proved takes no further request after this …
const UNPROVED_LIFE: Duration = Duration::from_secs(50);
/// … and its last answer may take so long: a minute in all.
const LAST_ANSWER_TIME: Duration = Duration::from_secs(10);
/// Bytes of a head, and what is buffered of anything longer.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Pause after the system refused a connection, for want of descriptors usually.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Files open besides connections from clients: store, cameras, the runtime's own.
const OTHER_FILES: u64 = 1_024;
/// Where a proxy states whom it speaks for.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Accepts until told to stop, then waits until every request under way is answered.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    seats: Seats,
    proxies: Arc<[IpAddr]>,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let mut refused = Lasting::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &seats, &mut refused) => accepted,
        };
        let Some((stream, peer)) = accepted else { continue };
        connections.spawn(converse(stream, peer, proxies.clone(), router.clone(), stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection, once there is a seat for it.
async fn accept(
    listener: &TcpListener,
    seats: &Seats,
    refused: &mut Lasting,
) -> Option<(Seated, SocketAddr)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            if let Some(failed) = refused.over() {
                tracing::info!(failed, "connections are accepted again");
            }
            super::tune::tune(&socket2::SockRef::from(&stream));
            metrics::gauge!("gridhall_connections").increment(1.0);
            let seated = Seated { stream, seat: seats.take(peer.ip()) };
            if seats.is_over() {
                metrics::counter!("gridhall_connections_full_total").increment(1);
                seats.until_room().await;
            }
            Some((seated, peer))
        }
        Err(error) => {
            if let Some(failed) = refused.failed(clock::instant()) {
                tracing::warn!(%error, failed, "connection not accepted");
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse(
    stream: Seated,
    peer: SocketAddr,
    proxies: Arc<[IpAddr]>,
    router: Router,
    stop: CancellationToken,
) {
    let seat = stream.seat.clone();
    if is_proxy(peer.ip(), &proxies) {
        seat.is_proxys();
    }
    let of_requests = seat.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        let under_way = of_requests.in_request();
        let sender = sender(peer.ip(), request.headers(), &proxies);
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(sender, peer.port())));
        request.extensions_mut().insert(of_requests.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // At once: somebody waits for the seat.
        () = seat.given_way() => return,
        () = lived(&seat) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_ANSWER_TIME, connection).await.unwrap_or(Ok(()))
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

/// Ends when a connection that has proved nothing has had its time; never for one that has proved something by then.
async fn lived(seat: &Seat) {
    tokio::time::sleep(UNPROVED_LIFE).await;
    if !seat.is_unproved() {
        std::future::pending::<()>().await;
    }
}

fn is_proxy(address: IpAddr, proxies: &[IpAddr]) -> bool {
    proxies.iter().any(|proxy| proxy.to_canonical() == address.to_canonical())
}

/// Who sends a request: the peer, or whom a configured proxy states. Each proxy adds the address it was asked from at the
/// end, so the last that is no proxy of ours is the first one nobody could have made up.
fn sender(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    if !is_proxy(peer, proxies) {
        return peer;
    }
    let stated: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let known = stated.iter().rev().map_while(|text| text.trim().parse::<IpAddr>().ok());
    known.into_iter().find(|address| !is_proxy(*address, proxies)).unwrap_or(peer)
}

/// A connection with its seat, which it keeps when it becomes a WebSocket.
struct Seated {
    stream: TcpStream,
    seat: Seat,
}

impl Drop for Seated {
    fn drop(&mut self) {
        metrics::gauge!("gridhall_connections").decrement(1.0);
    }
}

impl AsyncRead for Seated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Seated {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Raises the soft limit of open files to the hard one, and says when it is too low for the connections allowed.
pub(super) fn raise_file_limit(connections_max: u32) {
    let needed = u64::from(connections_max) + OTHER_FILES;
    match raise() {
        Ok(limit) if limit < needed => tracing::warn!(
            limit,
            needed,
            "the system allows too few open files for server.connections_max; raise LimitNOFILE or ulimit -n"
        ),
        Ok(limit) => tracing::debug!(limit, "open files allowed"),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}

/// The limit in force afterwards.
fn raise() -> io::Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    }
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_soft_limit_of_open_files_becomes_the_hard_one() {
        let limit = super::raise().unwrap();
        let said = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = said.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((words[3], words[4]), (limit.to_string().as_str(), limit.to_string().as_str()));
    }

    #[test]
    fn only_a_configured_proxy_is_believed_and_only_what_it_added() {
        use std::net::IpAddr;
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        let said = |values: &[&str]| {
            let mut headers = axum::http::HeaderMap::new();
            for value in values {
                headers.append(super::FORWARDED_FOR, value.parse().unwrap());
            }
            headers
        };
        let proxies = [parse("10.0.0.1"), parse("10.0.0.2")];
        for (peer, values, expected) in [
            ("10.0.0.9", vec!["192.0.2.7"], "10.0.0.9"),
            ("10.0.0.1", vec!["192.0.2.7"], "192.0.2.7"),
            ("::ffff:10.0.0.1", vec!["192.0.2.7"], "192.0.2.7"),
            // The first entry is the stranger's own word.
            ("10.0.0.1", vec!["1.2.3.4, 192.0.2.7"], "192.0.2.7"),
            ("10.0.0.1", vec!["1.2.3.4", "192.0.2.7 , 10.0.0.2"], "192.0.2.7"),
            ("10.0.0.1", vec!["192.0.2.7, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", vec![], "10.0.0.1"),
        ] {
            let found = super::sender(parse(peer), &said(&values), &proxies);
            assert_eq!(found, parse(expected), "{peer} {values:?}");
        }
        assert_eq!(super::sender(parse("10.0.0.1"), &said(&["192.0.2.7"]), &[]), parse("10.0.0.1"));
    }
}
