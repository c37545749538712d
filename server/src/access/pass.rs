//! What an open socket rests on: a session or a token that may end while the socket is open.

use std::time::Duration;

use super::Access;
use crate::clock::Clock;

/// How often an open socket asks whether its session or token still holds. It asks instead of being told because
/// `gridhall token revoke` runs in another process.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// The proof behind an open socket.
#[derive(Clone)]
pub struct Pass {
    access: Access,
    digest: [u8; 32],
    /// What sessions go by, whatever time the socket's hall shows.
    clock: Clock,
}

impl Pass {
    pub(super) fn new(access: Access, digest: [u8; 32], clock: Clock) -> Self {
        Self { access, digest, clock }
    }

    /// Returns once the session has ended or the token is revoked, at most 4 s after. An open socket keeps a session
    /// from ending of idleness, not from ending of age.
    pub async fn lost(&self) {
        loop {
            tokio::time::sleep(ASK_EVERY).await;
            if !self.access.holds(&self.digest, self.clock.present()) {
                metrics::counter!("gridhall_sockets_signed_out_total").increment(1);
                return;
            }
        }
    }
}

/// [`Pass::lost`] of a socket that may have been let in by something else than [`Access`]: that one never ends.
pub async fn lost(pass: Option<&Pass>) {
    match pass {
        Some(pass) => pass.lost().await,
        None => std::future::pending().await,
    }
}
