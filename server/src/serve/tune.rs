//! Socket options of accepted connections: small buffers, no Nagle, and a dead peer noticed.

use std::time::Duration;

/// Bytes the kernel may hold for one client. Small, so that a slow client is behind by little and is seen early.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// Bytes of it not yet on their way, at most: what waits longer waits with us, where newer values can take its place,
/// and a slow link is seen to move in small steps.
const UNSENT_BYTES: u32 = 16 * 1024;
/// Unacknowledged data older than this ends the connection.
const USER_TIMEOUT: Duration = Duration::from_secs(18);

/// Tunes one accepted socket. A kernel that does not know an option leaves the connection as it is.
pub fn tune(socket: &socket2::SockRef<'_>) {
    let outcomes = [
        ("TCP_NODELAY", socket.set_tcp_nodelay(true)),
        ("SO_SNDBUF", socket.set_send_buffer_size(SEND_BUFFER_BYTES)),
        ("TCP_NOTSENT_LOWAT", socket.set_tcp_notsent_lowat(UNSENT_BYTES)),
        ("TCP_USER_TIMEOUT", socket.set_tcp_user_timeout(Some(USER_TIMEOUT))),
    ];
    for (option, outcome) in outcomes {
        if let Err(error) = outcome {
            tracing::debug!(option, %error, "socket option not set");
        }
    }
}
