//! Connections: as many as the settings allow, each with a time for its request heads, ended gracefully.
//!
//! What should not be here: what is answered (`http`), how long a body may take (`http::body`).

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// From the connection, or from the last answer, until the next request's head is there.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Bytes of a head, and what is buffered of anything longer.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Pause after the system refused a connection, for want of descriptors usually.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Files open besides connections from clients: store, cameras, the runtime's own.
const OTHER_FILES: u64 = 1_024;

/// Accepts until told to stop, then waits until every request under way is answered.
pub(super) async fn serve(listener: TcpListener, router: Router, max: u32, stop: CancellationToken) {
    let seats = Arc::new(Semaphore::new(max as usize));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &seats, max) => accepted,
        };
        let Some((stream, peer)) = accepted else { continue };
        connections.spawn(converse(stream, peer, router.clone(), stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection, once there is a seat for it.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>, max: u32) -> Option<(Seated, SocketAddr)> {
    if seats.available_permits() == 0 {
        tracing::warn!(max, "as many connections as server.connections_max allows; newcomers wait");
        metrics::counter!("gridhall_connections_full_total").increment(1);
    }
    let seat = seats.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            crate::live::tune(&socket2::SockRef::from(&stream));
            metrics::gauge!("gridhall_connections").increment(1.0);
            Some((Seated { stream, _seat: seat }, peer))
        }
        Err(error) => {
            tracing::warn!(%error, "connection not accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse(stream: Seated, peer: SocketAddr, router: Router, stop: CancellationToken) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(Body::new))
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
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

/// A connection with its seat, which it keeps when it becomes a WebSocket.
struct Seated {
    stream: TcpStream,
    _seat: OwnedSemaphorePermit,
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
#[allow(unsafe_code, reason = "the standard library has no call for limits of the process")]
fn raise() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live, writable `rlimit`.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the pointer is to a live `rlimit` that is only read.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(limit.rlim_cur)
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
}
