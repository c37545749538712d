//! Programs kept beside us for a while, and ended together, whatever ends us.
//!
//! What should be here: their start, their process groups, the signals that stop us. What should not: which programs.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::shown;

/// Set by Ctrl-C, SIGTERM or a closed terminal.
static STOP: AtomicBool = AtomicBool::new(false);

/// How long a child may take over an orderly end before it is killed.
const END_WAIT: Duration = Duration::from_secs(10);

/// Whether somebody asked us to stop.
pub fn stop_wanted() -> bool {
    STOP.load(Ordering::SeqCst)
}

extern "C" fn note_stop(_signal: libc::c_int) {
    STOP.store(true, Ordering::SeqCst);
}

/// From now on a stop signal sets a flag instead of ending us, so that children can be ended first.
#[allow(unsafe_code)] // installing a handler that only stores to an atomic is async-signal-safe
pub fn watch_for_stop() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        unsafe { libc::signal(signal, note_stop as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    }
}

#[allow(unsafe_code)] // kill(2) takes plain numbers; the group was made by us in `Kept::start`
fn signal_group(leader: u32, signal: libc::c_int) {
    let Ok(leader) = libc::pid_t::try_from(leader) else { return };
    unsafe { libc::kill(-leader, signal) };
}

/// A child kept beside us, in a process group of its own, ended when dropped.
pub struct Kept {
    name: &'static str,
    child: Child,
}

impl Kept {
    pub fn start(name: &'static str, command: &mut Command) -> Result<Kept> {
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
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot ask after {}", self.name))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        signal_group(self.child.id(), libc::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < END_WAIT {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Ok(Some(_)) | Err(_) => break,
            }
        }
        // Whatever the leader left behind in its group goes too.
        signal_group(self.child.id(), libc::SIGKILL);
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
