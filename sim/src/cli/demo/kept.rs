//! Programs kept beside us for a while, and ended together, whatever ends us.
//!
//! What should be here: their start, their process groups, the signals that stop us. What should not: which programs.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

/// Set by Ctrl-C, SIGTERM or a closed terminal.
static STOP: AtomicBool = AtomicBool::new(false);

/// How long a child may take over an orderly end before it is killed.
const END_WAIT: Duration = Duration::from_secs(10);

/// Whether somebody asked us to stop.
pub fn stop_wanted() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// From now on a stop signal sets a flag instead of ending us, so that children can be ended first.
pub fn watch_for_stop() -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut heard = signal(kind).context("cannot listen for signals")?;
        tokio::spawn(async move {
            while heard.recv().await.is_some() {
                STOP.store(true, Ordering::SeqCst);
            }
        });
    }
    Ok(())
}

/// Runs to the end, output to our own; an exit code other than 0 is an error.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot start `{shown}`"))?;
    anyhow::ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// Runs to the end and gives what it printed; its errors go to our own error output.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed something that is not UTF-8"))
}

/// The command as a person would type it, for messages.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn signal_group(leader: u32, signal: Signal) {
    let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
    // A group that has ended already wants nothing.
    let _ = leader.map(|leader| kill_process_group(leader, signal));
}

/// A child kept beside us, in a process group of its own, ended when dropped.
pub struct Kept {
    name: &'static str,
    child: Child,
}

impl Kept {
    pub fn start(name: &'static str, command: &mut Command) -> anyhow::Result<Kept> {
        let shown = shown(command);
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}: `{shown}`"))?;
        Ok(Kept { name, child })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot ask after {}", self.name))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        signal_group(self.child.id(), Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < END_WAIT {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Ok(Some(_)) | Err(_) => break,
            }
        }
        // Whatever the leader left behind in its group goes too.
        signal_group(self.child.id(), Signal::KILL);
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ending_a_kept_child_ends_its_own_children_too() {
        let folder = std::env::temp_dir().join(format!("gridhall-kept-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let note = folder.join("grandchild");
        let script = format!("sleep 300 & echo $! > '{0}.new' && mv '{0}.new' '{0}'; wait", note.display());
        let kept = Kept::start("a shell", Command::new("sh").args(["-c", &script])).unwrap();
        let started = Instant::now();
        while !note.exists() && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let grandchild = std::fs::read_to_string(&note).unwrap().trim().to_owned();
        let runs = || {
            std::fs::read_to_string(format!("/proc/{grandchild}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        assert!(runs(), "the grandchild {grandchild} runs before the end");
        drop(kept);
        let ended = Instant::now();
        while runs() && ended.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!runs(), "the grandchild {grandchild} outlived its group");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
