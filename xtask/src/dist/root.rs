//! A clean Debian in a folder, and a network of its own: where a package is proved without anything of this machine.
//!
//! What should be here: making it, running programs in it, taking it down whatever happens. What should not: what is proved
//! (`prove.rs`).

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::process;

/// How long a program that was asked to end may take.
const END_WAIT: Duration = Duration::from_secs(20);

/// A clean system. Taken down, it leaves its folder, for whoever wants to look.
pub struct Root {
    pub folder: PathBuf,
    /// Keeps the network of its own alive.
    network: Child,
}

/// A program that runs in it, ended with this value.
pub struct Running {
    child: Child,
    name: &'static str,
}

impl Root {
    /// Makes one in `folder`, of the Debian that this machine is and from the mirror that it uses. The bare system is kept
    /// beside it for the next time.
    pub fn fresh(folder: &Path) -> Result<Root> {
        let bare = folder.with_extension("tar");
        if !bare.is_file() {
            debootstrap(folder, &bare)?;
        }
        remove(folder)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        process::run(
            Command::new("tar").arg("--extract").arg("--file").arg(&bare).arg("--directory").arg(folder),
        )?;
        process::run(Command::new("mount").args(["-t", "proc", "proc"]).arg(folder.join("proc")))?;
        // A network that has a loopback and nothing else.
        let holder = "ip link set lo up && exec sleep infinity";
        let network = Command::new("unshare")
            .args(["--net", "sh", "-c", holder])
            .stdin(Stdio::null())
            .spawn()
            .context("cannot make a network of its own")?;
        Ok(Root { folder: folder.to_owned(), network })
    }

    /// A command within, as root, on this machine's network: for installing.
    pub fn online(&self, program: &str) -> Command {
        let mut command = Command::new("chroot");
        command.arg(&self.folder).arg(program);
        own_environment(&mut command);
        command
    }

    /// A command within, as this user and group, `USER:GROUP`, without a network.
    pub fn alone(&self, user: &str, program: &str) -> Command {
        let mut command = self.beside("chroot");
        command.arg(format!("--userspec={user}")).arg(&self.folder).arg(program);
        own_environment(&mut command);
        command
    }

    /// A command of this machine in the network of the clean system: a browser.
    pub fn beside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.network.id())).arg(program);
        command
    }

    /// Installs what a package needs with apt and the package itself, nothing that is only recommended.
    pub fn install(&self, package: &Path) -> Result<()> {
        process::run(&mut self.installing(package)?)
    }

    /// The same, unpacked anew even where dpkg holds that version for installed, as it may after a power cut.
    pub fn reinstall(&self, package: &Path) -> Result<()> {
        process::run(self.installing(package)?.arg("--reinstall"))
    }

    fn installing(&self, package: &Path) -> Result<Command> {
        let within = self.put(package)?;
        process::run(self.online("apt-get").args(["update", "--quiet=2"]))?;
        let words = ["install", "--yes", "--quiet=2", "--no-install-recommends", "--allow-downgrades"];
        let mut apt = self.online("apt-get");
        apt.args(words).arg(&within);
        Ok(apt)
    }

    /// Copies a file into it; its path within.
    pub fn put(&self, file: &Path) -> Result<PathBuf> {
        let name = Path::new("/tmp").join(file.file_name().context("a file has a name")?);
        let to = self.inside(&name.to_string_lossy());
        fs::copy(file, &to).with_context(|| format!("cannot copy {}", file.display()))?;
        Ok(name)
    }

    /// A path within, as this machine sees it.
    pub fn inside(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    /// Starts a program that runs on until the value is dropped.
    pub fn start(&self, name: &'static str, command: &mut Command) -> Result<Running> {
        let child = command.stdin(Stdio::null()).process_group(0).spawn();
        Ok(Running { child: child.with_context(|| format!("cannot start {name}"))?, name })
    }
}

impl Running {
    /// Waits until `found` finds something; an end before that is an error.
    pub fn until<T>(&mut self, what: &str, within: Duration, found: impl Fn() -> Option<T>) -> Result<T> {
        let asked = Instant::now();
        loop {
            if let Some(found) = found() {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait().context("cannot ask after a program")? {
                bail!("{} ended before {what}: {status}", self.name);
            }
            ensure!(asked.elapsed() < within, "{what} did not come within {} s", within.as_secs());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let signal =
            |word: &str| drop(Command::new("kill").args([word, "--", &group]).stderr(Stdio::null()).status());
        signal("-TERM");
        let asked = Instant::now();
        while asked.elapsed() < END_WAIT && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        signal("-KILL");
        let _ = self.child.wait();
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = self.network.kill();
        let _ = self.network.wait();
        let _ = Command::new("umount").arg(self.folder.join("proc")).status();
    }
}

/// What programs within may know of this machine: nothing.
fn own_environment(command: &mut Command) {
    command.env_clear().envs([
        ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("LC_ALL", "C.UTF-8"),
    ]);
}

/// The smallest Debian there is, packed into `bare`.
fn debootstrap(folder: &Path, bare: &Path) -> Result<()> {
    remove(folder)?;
    let release = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let suite = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let suite = suite.context("/etc/os-release names no suite of Debian")?;
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(SITE)", &format!("Codename: {suite}"), "Created-By: Packages"]);
    let mirrors = process::output(&mut ask)?;
    let mirror = mirrors.lines().next().context("apt names no mirror of this suite")?;
    println!("prove: a bare {suite} by debootstrap");
    let mut make = Command::new("debootstrap");
    process::run(make.args(["--variant=minbase", suite]).arg(folder).arg(mirror))?;
    copy_sources(folder)?;
    let unfinished = bare.with_extension("part");
    process::run(
        Command::new("tar")
            .arg("--create")
            .arg("--file")
            .arg(&unfinished)
            .arg("--directory")
            .arg(folder)
            .arg("."),
    )?;
    fs::rename(&unfinished, bare).with_context(|| format!("cannot name {}", bare.display()))
}

/// The sources of packages that this machine's Debian has, security updates among them, and how it reaches them. Their keys are
/// in each Debian.
fn copy_sources(folder: &Path) -> Result<()> {
    let kept = ["etc/apt/sources.list.d/debian.sources", "etc/apt/sources.list"];
    let present = kept.into_iter().find(|kept| Path::new("/").join(kept).is_file());
    let present = present.context("this machine's apt has no sources")?;
    // In place of what debootstrap has written, which is the mirror alone.
    let _ = fs::remove_file(folder.join(kept[1]));
    fs::copy(Path::new("/").join(present), folder.join(present))
        .with_context(|| format!("cannot copy /{present}"))?;
    let reached = process::output(Command::new("apt-config").args(["dump", "Acquire"]))?;
    let file = folder.join("etc/apt/apt.conf.d/99as-the-machine");
    fs::write(&file, reached).with_context(|| format!("cannot write {}", file.display()))
}

/// Removes an earlier system, and never through a mount that was left behind.
fn remove(folder: &Path) -> Result<()> {
    let mounted = fs::read_to_string("/proc/self/mounts").context("cannot read what is mounted")?;
    let below = folder.to_string_lossy();
    for point in
        mounted.lines().filter_map(|line| line.split(' ').nth(1)).filter(|point| point.starts_with(&*below))
    {
        process::run(Command::new("umount").arg(point))?;
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}
