//! The package in a clean Debian: installed, run without a network, looked at, upgraded, torn off half-way, removed.
//!
//! What should be here: the steps and what must hold after each. What should not: the clean system (`root.rs`), what a
//! browser sees (`end2end/dist`).

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::root::{Root, Running};
use super::{make, pack};
use crate::process;
use crate::repo::Repo;

/// Older than any version there is.
const OLDER: &str = "0.0.1";
/// How long a hall may take to serve: it is a fresh start on a machine that may be busy.
const READY_WAIT: Duration = Duration::from_secs(60);
/// How long the simulated city reports to the service before the upgrade.
const CITY_SECONDS: &str = "20";
/// Where the service listens; the settings that are installed say so.
const SERVICE: &str = "http://127.0.0.1:8700";
/// User and group of the service.
const SERVICE_USER: &str = "gridhall:gridhall";
/// What is looked for within, and must not be there.
const COMPILERS: [&str; 6] = ["cc", "gcc", "clang", "rustc", "cargo", "node"];
const SETTINGS: &str = "/etc/gridhall/gridhall.toml";
/// What an operator states before the first start: here the areas that the simulated city reports from.
const OVERLAYS: &str =
    "overlays = [\"/usr/share/gridhall/demo/policy.toml\", \"/usr/share/gridhall/demo/areas.toml\"]";
/// The line of the installed settings that it takes the place of.
const NO_FILE: &str = "# file = \"/etc/gridhall/policy.toml\"";
/// What a store holds and may not lose, as `gridhall check --json` counts it.
const HOLDS: [&str; 5] = ["epoch", "commands", "persons", "cases", "whistles"];
/// The two halves of an upgrade, as dpkg calls them.
const UNPACK: &str = "--unpack";
const CONFIGURE: &str = "--configure";
/// A half of an upgrade is torn off so long after its begin, in milliseconds, in turn.
const TEARS: [(&str, u64); 6] =
    [(UNPACK, 20), (UNPACK, 120), (UNPACK, 300), (UNPACK, 700), (CONFIGURE, 30), (CONFIGURE, 90)];

struct Proof<'a> {
    repo: &'a Repo,
    root: Root,
    pictures: PathBuf,
}

/// Proves the package of `version` in `out`.
pub fn run(repo: &Repo, version: &str, out: &Path) -> Result<()> {
    let who = process::output(Command::new("id").arg("-u"))?;
    ensure!(who.trim() == "0", "--prove makes a system in a folder, which only root may; run it with sudo");
    let folder = repo.target.join("dist-proof");
    let pictures = folder.join("pictures");
    let _ = fs::remove_dir_all(&pictures);
    fs::create_dir_all(&pictures).with_context(|| format!("cannot make {}", pictures.display()))?;
    let older = make(repo, OLDER, &folder.join("older"))?.package;
    let architecture = process::output(Command::new("dpkg").arg("--print-architecture"))?;
    let newer = pack::package_file(out, version, architecture.trim());
    let proof = Proof { repo, root: Root::fresh(&folder.join("root"))?, pictures };
    proof.prove(&older, &newer, version)
}

impl Proof<'_> {
    fn prove(&self, older: &Path, newer: &Path, version: &str) -> Result<()> {
        step("install the older package");
        self.root.install(older)?;
        self.nothing_compiles()?;
        self.state_policy()?;
        step("run it as the unit says, without a network; sign in; let a city report for a while");
        {
            let mut service = self.service()?;
            let secret = self.first_password(&mut service)?;
            self.look("service", &[("GRIDHALL_ADDRESS", SERVICE), ("GRIDHALL_PASSWORD", &secret)])?;
            self.city()?;
        }
        let before = self.holds()?;
        ensure!(
            before["events"].as_u64().is_some_and(|events| events > 100),
            "too little happened: {before}"
        );
        step("tear the upgrade off while it unpacks and while it sets up, run what is there, go on");
        let package = self.root.put(newer)?;
        for (half, after) in TEARS {
            self.root.install(older)?;
            self.torn_off(&package, half, Duration::from_millis(after))?;
            self.repair(newer)?;
            self.still(&before, "after an upgrade that was torn off")?;
        }
        step("upgrade to the end");
        self.root.install(newer)?;
        let said = process::output(self.root.alone(SERVICE_USER, "/usr/bin/gridhall").arg("--version"))?;
        println!("prove: {}", said.trim());
        ensure!(self.installed()?.as_deref() == Some(version), "dpkg knows another version");
        drop(self.service()?);
        self.still(&before, "after the upgrade")?;
        step("the demonstration of the package, without a network, seen by a browser");
        self.demonstration()?;
        step("remove it: the data stay; install it again: they are used; purge it: they go, and it says so");
        self.apt(&["remove"])?;
        ensure!(!self.root.inside("/usr/bin/gridhall").exists(), "the program is still there");
        ensure!(self.root.inside("/var/lib/gridhall/access.db").is_file(), "removal took the data");
        self.root.install(newer)?;
        self.still(&before, "after removal and installation")?;
        let said = self.apt(&["purge"])?;
        ensure!(said.contains("/var/lib/gridhall"), "purging does not say what it removes: {said}");
        ensure!(!self.root.inside("/var/lib/gridhall").exists(), "purging left the data");
        ensure!(!self.root.inside("/etc/gridhall").exists(), "purging left the settings");
        println!("prove: all of it holds; pictures are in {}", self.pictures.display());
        Ok(())
    }

    fn nothing_compiles(&self) -> Result<()> {
        for name in COMPILERS {
            let mut look = self.root.online("sh");
            look.args(["-c", &format!("command -v {name}")]).stdout(Stdio::null());
            ensure!(!look.status().context("cannot look for compilers")?.success(), "there is a {name}");
        }
        Ok(())
    }

    fn state_policy(&self) -> Result<()> {
        let file = self.root.inside(SETTINGS);
        let settings = fs::read_to_string(&file).context("no settings are installed")?;
        ensure!(settings.contains(NO_FILE), "the installed settings have no `{NO_FILE}`");
        fs::write(&file, settings.replace(NO_FILE, OVERLAYS)).context("cannot write the settings")
    }

    /// The hall as the installed unit starts it: its command, its user.
    fn service(&self) -> Result<Running> {
        let unit = fs::read_to_string(self.root.inside("/lib/systemd/system/gridhall.service"))
            .context("the unit is not installed")?;
        let of = |key: &str| {
            unit.lines().find_map(|line| line.strip_prefix(key)).context("a unit without its command")
        };
        let mut words = of("ExecStart=")?.split(' ');
        let program = words.next().context("a unit without its program")?;
        let mut serve = self.root.alone(&format!("{}:{}", of("User=")?, of("Group=")?), program);
        let mut service = self.root.start("the hall", serve.args(words))?;
        service.until("the hall's readiness", READY_WAIT, || self.ask("/readyz"))?;
        Ok(service)
    }

    /// Asks the service without a browser; the clean system has nothing that could.
    fn ask(&self, path: &str) -> Option<()> {
        let script = format!(
            "fetch('{SERVICE}{path}').then((a) => process.exit(a.ok ? 0 : 1), () => process.exit(1))"
        );
        let mut node = self.root.beside("node");
        node.args(["-e", &script]).stderr(Stdio::null());
        node.status().ok()?.success().then_some(())
    }

    fn first_password(&self, service: &mut Running) -> Result<String> {
        let file = self.root.inside("/var/lib/gridhall/bootstrap-admin.txt");
        let text = service.until("the first passwords", READY_WAIT, || fs::read_to_string(&file).ok())?;
        let secret = text.lines().find_map(|line| line.strip_prefix("password: "));
        Ok(secret.context("no password in the file of the first passwords")?.to_owned())
    }

    fn city(&self) -> Result<()> {
        let mut make = self.root.alone(SERVICE_USER, "/usr/bin/gridhall");
        make.args(["token", "add", "city", "--role", "machine", "--may", "all"]);
        let token = process::output(&mut make)?;
        let mut city = self.root.alone(SERVICE_USER, "/usr/lib/gridhall/sim");
        city.args(["city", "--server", SERVICE, "--weeks", "0", "--for", CITY_SECONDS]);
        process::run(city.env("GRIDHALL_TOKEN", token.trim()))
    }

    /// What the store of the service holds, and that it is sound.
    fn holds(&self) -> Result<Value> {
        let mut check = self.root.alone(SERVICE_USER, "/usr/bin/gridhall");
        let said = process::output(check.args(["check", "--json"]))?;
        let report: Value =
            serde_json::from_str(&said).context("the report of `gridhall check` is not JSON")?;
        Ok(report)
    }

    /// Nothing of what the store held is gone; clocks that ran out meanwhile may have added events.
    fn still(&self, before: &Value, when: &str) -> Result<()> {
        let now = self.holds()?;
        let same = HOLDS.iter().all(|what| now[*what] == before[*what]);
        ensure!(
            same && now["events"].as_u64() >= before["events"].as_u64(),
            "{when} the store holds {now}, before {before}"
        );
        let settings = fs::read_to_string(self.root.inside(SETTINGS)).context("the settings are gone")?;
        ensure!(settings.contains(OVERLAYS), "{when} the operator's settings are not what they were");
        Ok(())
    }

    /// Takes one half of an upgrade away while it is under way, as a power cut does: dpkg and whatever it has started.
    fn torn_off(&self, package: &Path, half: &str, after: Duration) -> Result<()> {
        let dpkg = |half: &str| {
            let mut dpkg = self.root.online("dpkg");
            dpkg.args(["--force-unsafe-io", half]).stdout(Stdio::null()).stderr(Stdio::null());
            match half {
                CONFIGURE => dpkg.arg("gridhall"),
                _ => dpkg.arg(package),
            };
            dpkg
        };
        if half == CONFIGURE {
            process::run(&mut dpkg(UNPACK))?;
        }
        let mut child = dpkg(half).process_group(0).spawn().context("cannot start dpkg")?;
        std::thread::sleep(after);
        let was_under_way = child.try_wait().context("cannot ask after dpkg")?.is_none();
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        child.wait().context("cannot wait for dpkg")?;
        let was = if was_under_way { "under way" } else { "done already" };
        println!("prove: {half} torn off after {} ms, {was}", after.as_millis());
        // Whichever program lies there now is whole, and serves the store.
        drop(self.service()?);
        Ok(())
    }

    /// What an operator does after a power cut, as `docs/howto/install.md` says it.
    fn repair(&self, newer: &Path) -> Result<()> {
        let mut configure = self.root.online("dpkg");
        // It refuses a package that was cut off while it was unpacked; that is installed again.
        let _ =
            configure.args(["--configure", "--pending"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        self.root.reinstall(newer)
    }

    fn installed(&self) -> Result<Option<String>> {
        let mut ask = self.root.online("dpkg-query");
        let said =
            process::output(ask.args(["--show", "--showformat=${db:Status-Status} ${Version}", "gridhall"]))?;
        Ok(said.strip_prefix("installed ").map(str::to_owned))
    }

    /// Wall and desk with pictures of cameras, from the package alone.
    fn demonstration(&self) -> Result<()> {
        let said = self.root.inside("/tmp/demo.log");
        let log = fs::File::create(&said).context("cannot keep what the demonstration says")?;
        let mut demo = self.root.alone("nobody:nogroup", "/usr/bin/gridhall");
        demo.args(["demo", "--port", "8461"]).env("TMPDIR", "/tmp").stdout(log);
        let mut running = self.root.start("the demonstration", &mut demo)?;
        let sign_in = running.until("the sign-in link", 4 * READY_WAIT, || {
            let text = fs::read_to_string(&said).ok()?;
            Some(
                text.lines()
                    .find_map(|line| line.trim().strip_prefix("sign in:"))?
                    .split_whitespace()
                    .next()?
                    .to_owned(),
            )
        })?;
        self.look("demo", &[("GRIDHALL_SIGN_IN", &sign_in)])
    }

    /// A browser of this machine, in the network of the clean system.
    fn look(&self, spec: &str, environment: &[(&str, &str)]) -> Result<()> {
        let mut node = self.root.beside("node");
        node.current_dir(self.repo.root.join("end2end"));
        node.args(["node_modules/@playwright/test/cli.js", "test", "--config", "dist.config.ts", spec]);
        node.env("GRIDHALL_PICTURES", &self.pictures).envs(environment.iter().copied());
        process::run(&mut node)
    }

    /// Runs apt within and gives what it said.
    fn apt(&self, words: &[&str]) -> Result<String> {
        let mut apt = self.root.online("apt-get");
        let done = apt.arg("--yes").args(words).arg("gridhall").output().context("cannot start apt-get")?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        print!("{said}");
        if !done.status.success() {
            bail!("apt-get {} failed: {}", words.join(" "), String::from_utf8_lossy(&done.stderr));
        }
        Ok(said)
    }
}

fn step(what: &str) {
    println!("\n== prove: {what}");
}
