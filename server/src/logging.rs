//! The log of the process: where it goes, what it holds, and what no setting makes it hold.
//!
//! Two locks keep camera addresses and accounts out. The libraries that talk to cameras write nothing at all: their
//! texts repeat what cameras and lists said, in ways nobody can foresee. And of every line, whoever wrote it, the
//! addresses are taken out before it leaves.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use anyhow::Context;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Environment variable with the filter.
const VARIABLE: &str = "GRIDHALL_LOG";

/// Crates that see what cameras send and what they are asked. `a_library_that_sees_cameras_is_silent` keeps the list
/// whole.
const CAMERA_LIBRARIES: [&str; 2] = ["retina", "h264_reader"];

/// How camera addresses begin; the longest is five letters.
const SCHEMES: [&str; 3] = ["rtsp", "rtsps", "rtspu"];

/// Starts logging to standard error. A filter that cannot be read is an error: whoever set it looks for something.
pub fn start(json: bool) -> anyhow::Result<()> {
    let wanted = match std::env::var(VARIABLE) {
        Ok(text) => Some(text),
        Err(std::env::VarError::NotPresent) => None,
        Err(error) => return Err(error).context(format!("cannot read {VARIABLE}")),
    };
    let filtered = filtered(wanted.as_deref())?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Clean(std::io::stderr))
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
    Ok(tracing_subscriber::registry().with(filter).with(without_camera_libraries()))
}

/// Their warnings as well: one repeats a camera's whole description, another the address that was asked.
fn without_camera_libraries() -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    filter_fn(|event| {
        let crate_name = event.target().split("::").next().unwrap_or_default();
        !CAMERA_LIBRARIES.contains(&crate_name)
    })
}

/// Makes writers whose lines hold no camera address and are one line each.
struct Clean<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Clean<M> {
    type Writer = CleanWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        CleanWriter(self.0.make_writer())
    }
}

/// Takes one event with each call, as the formatting layer writes them.
struct CleanWriter<W>(W);

impl<W: Write> Write for CleanWriter<W> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.0.write_all(in_one_line(&without_addresses(&text)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A text from outside must not begin a line that looks like one of ours.
fn in_one_line(event: &str) -> Cow<'_, str> {
    let line = event.strip_suffix('\n').unwrap_or(event);
    if !line.contains(['\n', '\r']) {
        return Cow::Borrowed(event);
    }
    Cow::Owned(line.replace('\n', "\\n").replace('\r', "\\r") + "\n")
}

/// Replaces every camera address by `rtsp://…`. An address ends where no address can go on: at white space and at the
/// signs that are always written as an escape within one. A password may hold any other.
pub(crate) fn without_addresses(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(found) = rest[from..].find("://") {
        let at = from + found;
        from = at + "://".len();
        // Only the end of the word: an escaped line break before it ends in a letter.
        let before = rest.as_bytes()[at.saturating_sub(5)..at].to_ascii_lowercase();
        let Some(scheme) = SCHEMES.into_iter().find(|scheme| before.ends_with(scheme.as_bytes())) else {
            continue;
        };
        clean.push_str(&rest[..at - scheme.len()]);
        clean.push_str("rtsp://…");
        let address = &rest[from..];
        let end = address.find(|c: char| c.is_whitespace() || matches!(c, '"' | '`' | '<' | '>'));
        let mut end = end.unwrap_or(address.len());
        // The sign that escapes the quote belongs to the quote.
        if address[end..].starts_with('"') && address[..end].ends_with('\\') {
            end -= 1;
        }
        rest = &address[end..];
        from = 0;
    }
    if clean.is_empty() {
        return Cow::Borrowed(text);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
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

    /// What the log holds of what `say` says, as text and as JSON.
    fn logged(filter: &str, say: impl Fn()) -> [String; 2] {
        let kept: [Kept; 2] = Default::default();
        let writers = kept.clone().map(|kept| Clean(move || kept.clone()));
        let [text, json] = writers;
        let text = tracing_subscriber::fmt::layer().with_writer(text).with_ansi(false);
        let json = tracing_subscriber::fmt::layer().with_writer(json).json();
        tracing::subscriber::with_default(filtered(Some(filter)).unwrap().with(text), &say);
        tracing::subscriber::with_default(filtered(Some(filter)).unwrap().with(json), &say);
        kept.map(|kept| String::from_utf8(kept.0.lock().unwrap().clone()).unwrap())
    }

    /// What the camera client was seen to write, at each level; and what it may write one day.
    #[test]
    fn no_filter_makes_a_camera_library_write_anything() {
        let sdp = "Ignoring unparseable stream 1\n\nraw SDP: v=0\na=control:rtsp://admin:geheim77@10.0.0.9/t1?token=T-9931";
        for filter in ["info", "trace", "retina=trace", "info,retina::client=debug,h264_reader=trace"] {
            let logs = logged(filter, || {
                tracing::debug!(target: "retina::client", "DESCRIBE rtsp://camera/geheim77");
                tracing::info!(target: "retina", "rtsp://camera/geheim77");
                tracing::warn!(target: "retina::client::parse", "{sdp}");
                tracing::warn!(target: "retina::client::parse", "RTP-Info: user=admin_password=geheim77_channel=1");
                tracing::error!(target: "retina::client", "no content type: /geheim77");
                tracing::error!(target: "h264_reader::nal", "geheim77");
                tracing::error!(target: "server::video::source", "stream lost");
            });
            for log in logs {
                assert!(!log.contains("geheim77") && !log.contains("T-9931"), "{filter}: {log}");
                assert_eq!(log.contains("stream lost"), !filter.starts_with("retina"), "{filter}: {log}");
            }
        }
    }

    /// Any target of the video path, any field, any case of the letters; what stands around it stays.
    #[test]
    fn an_address_leaves_no_line_whoever_writes_it() {
        let address = "rtsp://admin:geheim77@10.0.0.9/t1?token=geheim78";
        for (said, kept) in [
            (format!("asked {address} twice"), "asked rtsp://… twice"),
            (format!("{address} and RTSPS://geheim77/x, http://hall/"), "rtsp://… and rtsp://… http://hall/"),
            (format!("两次{address}"), "两次rtsp://…"),
            ("rtsp://a:Ge)heim77'geheim78@h/ end".to_owned(), "rtsp://… end"),
            (format!("`{address}` <{address}>"), "`rtsp://…` <rtsp://…>"),
            (format!("one\r\n{address}\nERROR server: forged"), "one\\r\\nrtsp://…"),
        ] {
            let [text, json] = logged("trace", || {
                tracing::error!(target: "server::video::source", "{said}");
                tracing::warn!(target: "server::video::registry", words = %said, debug = ?said, "x");
                tracing::info!(target: "server::serve", words = said, "x");
            });
            assert!(!text.contains("geheim") && !json.contains("geheim"), "{text}{json}");
            assert!(text.contains(kept), "{text} lacks {kept}");
            assert_eq!(text.lines().count(), 3, "{text}");
            for line in json.lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        }
        assert!(matches!(without_addresses("http://hall/ is no camera://"), Cow::Borrowed(_)));
    }

    /// Walks the lock file: a package below the camera client that can write to the log is silenced, or named here with
    /// the reason why it need not be.
    #[test]
    fn a_library_that_sees_cameras_is_silent() {
        // Reads zone files; sees no text of a camera.
        const HARMLESS: [&str; 2] = ["jiff", "jiff-core"];
        let mut packages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in include_str!("../../Cargo.lock").split("[[package]]").skip(1) {
            let name = package.split('"').nth(1).unwrap();
            let list = package.split("dependencies = [").nth(1).unwrap_or_default();
            let needs = list.split('"').skip(1).step_by(2).map(|need| need.split(' ').next().unwrap());
            packages.entry(name).or_default().extend(needs);
        }
        let (mut seen, mut next) = (BTreeSet::new(), vec!["retina", "ffmpeg-next"]);
        while let Some(name) = next.pop() {
            if seen.insert(name) {
                next.extend(&packages[name]);
            }
        }
        let writes = |name: &&str| packages[name].iter().any(|need| matches!(*need, "log" | "tracing"));
        let loud: Vec<String> =
            seen.iter().filter(|name| writes(name)).map(|name| name.replace('-', "_")).collect();
        assert!(loud.iter().any(|name| name == "retina"), "the walk finds the camera client: {loud:?}");
        for name in loud {
            let known = CAMERA_LIBRARIES.contains(&name.as_str())
                || HARMLESS.contains(&name.replace('_', "-").as_str());
            assert!(known, "`{name}` sees cameras and writes to the log: silence it, or say why not");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let error = filtered(Some("server=loudest")).err().map(|error| format!("{error:#}")).unwrap();
        assert!(error.contains("GRIDHALL_LOG") && error.contains("server=loudest"), "{error}");
        assert!(filtered(None).is_ok() && filtered(Some("")).is_ok());
    }
}
