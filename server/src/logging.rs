//! The log of the process: where it goes, what it holds, and what no setting makes it hold.

use std::io::IsTerminal;

use anyhow::Context;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Environment variable with the filter.
const VARIABLE: &str = "GRIDHALL_LOG";

/// Starts logging to standard error. A filter that cannot be read is an error: whoever set it looks for something.
pub fn start(json: bool) -> anyhow::Result<()> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(text) => Some(text),
        Err(std::env::VarError::NotPresent) => None,
        Err(error) => return Err(error).context(format!("cannot read {VARIABLE}")),
    };
    let filtered = filtered(wanted.as_deref())?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // Colours are for people at a terminal, not for files.
        .with_ansi(std::io::stderr().is_terminal());
    if json {
        filtered.with(lines.json()).init();
    } else {
        filtered.with(lines).init();
    }
    Ok(())
}

fn filtered(wanted: Option<&str>) -> anyhow::Result<impl Subscriber + for<'a> LookupSpan<'a>> {
    let text = wanted.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("info");
    let filter = EnvFilter::try_new(text).with_context(|| {
        format!("{VARIABLE}: `{text}` is no filter such as `info` or `info,server::live=debug`")
    })?;
    Ok(tracing_subscriber::registry().with(filter).with(without_addresses()))
}

/// Below warnings the camera client writes out its requests, and with them paths that may hold credentials.
fn without_addresses() -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(|event| {
        let camera_client = event.target() == "retina" || event.target().starts_with("retina::");
        !camera_client || *event.level() <= Level::WARN
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_filter_makes_the_camera_client_write_addresses() {
        for filter in ["trace", "retina=trace", "info,retina::client=debug"] {
            let kept = Kept::default();
            let writer = kept.clone();
            let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
            let subscriber = filtered(Some(filter)).unwrap().with(lines);
            tracing::subscriber::with_default(subscriber, || {
                tracing::debug!(target: "retina::client", "DESCRIBE rtsp://camera/secret-path");
                tracing::info!(target: "retina", "rtsp://camera/secret-path");
                tracing::warn!(target: "retina::client", "stream lost");
            });
            let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
            assert!(!text.contains("secret-path"), "{filter}: {text}");
            assert!(text.contains("stream lost"), "{filter}: {text}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = filtered(Some("server=loudest")).err().map(|error| format!("{error:#}")).unwrap();
        assert!(error.contains("GRIDHALL_LOG") && error.contains("server=loudest"), "{error}");
        assert!(filtered(None).is_ok() && filtered(Some("")).is_ok());
    }
}
