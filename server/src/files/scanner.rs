//! A virus scanner that the settings name: it gets the path of what was sent and says by its exit code whether it is clean.
//!
//! What should not be here: which scanner that is. It runs in a process group of its own, reads nothing from us, and is ended with all
//! it has started when its time is over or nobody waits for it any more.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::refusal::Refusal;
use super::settings::Settings;

/// Scanners at the same time.
pub const PLACES: usize = 2;

/// Asks the scanner, where one is set.
pub async fn ask(settings: &Settings, sent: &Path) -> Result<(), Refusal> {
    let [program, arguments @ ..] = settings.scanner.as_slice() else { return Ok(()) };
    let started = Command::new(program)
        .args(arguments)
        .arg(sent)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let child = started.map_err(|error| {
        tracing::error!(program, %error, "the virus scanner cannot be started; nothing is taken");
        Refusal::NotScanned
    })?;
    let mut group = Group(child);
    let time = Duration::from_secs(u64::from(settings.scanner_seconds));
    match tokio::time::timeout(time, group.0.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => {
            tracing::warn!(program, %status, "the virus scanner refuses a file");
            // Ended by a signal, it has said nothing.
            Err(if status.code().is_some() { Refusal::NotClean } else { Refusal::NotScanned })
        }
        Ok(Err(error)) => {
            tracing::error!(program, %error, "the virus scanner cannot be waited for");
            Err(Refusal::NotScanned)
        }
        Err(_late) => {
            tracing::error!(
                program,
                seconds = time.as_secs(),
                "the virus scanner did not answer and was ended"
            );
            Err(Refusal::NotScanned)
        }
    }
}

/// A scanner with all it has started.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Its id is its own until it has been waited for.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let _ = id.map(|id| kill_process_group(id, Signal::KILL));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Settings {
        let scanner = ["/bin/sh", "-c", script, "scanner"].map(str::to_owned).to_vec();
        Settings { scanner, scanner_seconds: 1, ..Settings::default() }
    }

    #[tokio::test]
    async fn its_exit_code_says_whether_a_file_is_clean() {
        let dir = tempfile::tempdir().unwrap();
        let sent = dir.path().join("sent");
        std::fs::write(&sent, "EICAR").unwrap();
        assert_eq!(ask(&Settings::default(), &sent).await, Ok(()), "nobody is asked");
        assert_eq!(ask(&shell("! grep -q EICAR \"$1\""), &sent).await, Err(Refusal::NotClean));
        std::fs::write(&sent, "photo").unwrap();
        assert_eq!(ask(&shell("! grep -q EICAR \"$1\""), &sent).await, Ok(()));
        assert_eq!(ask(&shell("kill -9 $$"), &sent).await, Err(Refusal::NotScanned));
        let none = Settings { scanner: vec!["/nowhere/scanner".to_owned()], ..Settings::default() };
        assert_eq!(
            ask(&none, &sent).await,
            Err(Refusal::NotScanned),
            "without a scanner that is set nothing is taken"
        );
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_with_what_it_has_started() {
        let dir = tempfile::tempdir().unwrap();
        let (sent, id) = (dir.path().join("sent"), dir.path().join("id"));
        std::fs::write(&sent, "photo").unwrap();
        let script = format!("sleep 600 & echo $! > '{}'; wait", id.display());
        assert_eq!(ask(&shell(&script), &sent).await, Err(Refusal::NotScanned));
        let started: i32 = std::fs::read_to_string(&id).unwrap().trim().parse().unwrap();
        let runs = || {
            let stat = std::fs::read_to_string(format!("/proc/{started}/stat")).unwrap_or_default();
            // One that has ended and that nobody has waited for is a zombie.
            !stat.is_empty() && !stat.contains(") Z ")
        };
        while runs() {
            tokio::task::yield_now().await;
        }
    }
}
