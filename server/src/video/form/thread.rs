//! Threads for codecs. FFmpeg is code of others that works on bytes of others: a call into it may panic, and may never return.
//!
//! They are not the runtime's own threads, because a server that stops waits for those.

use tokio::sync::oneshot;

/// What a thread of its own comes to: its result, or an error when it panicked or could not be started.
pub type Outcome<T> = oneshot::Receiver<T>;

/// Runs `work` on a thread of its own. Nobody waits for it when the server stops.
pub fn run<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    let (done, outcome) = oneshot::channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let started = thread.spawn(move || {
        // Whoever asked may have left.
        let _asker_left = done.send(work());
    });
    if let Err(error) = started {
        tracing::error!(%error, "cannot start a thread for a codec");
    }
    outcome
}
