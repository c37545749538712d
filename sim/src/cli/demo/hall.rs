//! The programs of the demo: started in order, watched, ended in reverse.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::kept::{self, Kept, stop_wanted};
use super::{Options, ask};

/// How long a program may take until it is ready. Cameras draw their pictures first.
const READY_WAIT: Duration = Duration::from_secs(120);
/// How often programs and the clock are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// The name of the city's token in the event log.
const TOKEN_NAME: &str = "simulated-city";

/// The lake's shore in the schematic city, `lat,lon`.
const CITY_CENTRE: &str = "25.04,102.71";

/// What the server says about itself once it listens.
#[derive(Deserialize)]
struct Ready {
    address: String,
    sign_in: String,
}

/// The running demo. Programs end in reverse of their start: the server after all that speak to it.
struct Hall<'a> {
    options: &'a Options,
    /// The server's data.
    data: &'a Path,
    /// Files that programs tell each other things by.
    notes: PathBuf,
    programs: Vec<Kept>,
    /// A machine's token, once the server has made it.
    token: String,
}

/// Starts everything, waits until told to stop, ends everything, and says in one line how it went.
pub fn live(options: &Options, data: &Path, scratch: &Path) -> Result<String> {
    let notes = scratch.join("notes");
    let _ = fs::remove_dir_all(&notes);
    // Camera addresses and the sign-in link are nobody else's business.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&notes)
        .with_context(|| format!("cannot make {}", notes.display()))?;
    let mut hall = Hall { options, data, notes, programs: Vec::new(), token: String::new() };
    let lived = hall.start().and_then(|ready| hall.run(&ready));
    while let Some(program) = hall.programs.pop() {
        println!("demo: ending {}", program.name());
    }
    lived
}

impl Hall<'_> {
    fn start(&mut self) -> Result<Ready> {
        let cameras = self.start_cameras()?;
        let ready = self.start_server(&cameras)?;
        self.token = self.machine_token()?;
        let was_empty = self.store_is_empty(&ready)?;
        if let (Some(cases), Some(map)) = (&self.options.cases, &self.options.map) {
            println!("demo: importing {}", cases.display());
            let mut import = self.gridhall();
            import
                .args(["import", "cases"])
                .arg(cases)
                .arg("--map")
                .arg(map)
                .args(["--server", &ready.address]);
            kept::run(import.env("GRIDHALL_TOKEN", &self.token))?;
        }
        let mut city = sim("city")?;
        city.args(["--server", &ready.address, "--seed", "1", "--pace", &self.options.speed.to_string()])
            .args(past_of_the_city(self.options.speed))
            .args(cases_of_the_city(self.options.cases.is_some(), self.options.with_city, was_empty))
            .env("GRIDHALL_TOKEN", &self.token);
        self.programs.push(Kept::start("the city", &mut city)?);
        if let Some(tracks) = &self.options.tracks {
            let mut replay = sim("tracks")?;
            // Wherever they were recorded, here they walk through the demonstration's city.
            replay.arg("--dir").arg(tracks).args(["--server", &ready.address, "--start-at", CITY_CENTRE]);
            self.programs.push(Kept::start("the tracks", &mut replay)?);
        }
        Ok(ready)
    }

    /// Starts the simulated cameras; returns the list of them and of those that were named.
    fn start_cameras(&mut self) -> Result<PathBuf> {
        let list = self.notes.join("cameras.toml");
        let mut cameras = sim("cameras")?;
        cameras.args(["--port", "0"]).arg("--places").arg(self.options.share.join("demo/cameras.csv"));
        cameras.arg("--registry").arg(&list);
        if let Some(video) = &self.options.video {
            cameras.arg("--video").arg(video);
        }
        self.programs.push(Kept::start("the cameras", &mut cameras)?);
        println!("demo: starting simulated cameras");
        self.wait_for("the list of cameras", || {
            // Written at once and in whole lines; empty means not yet.
            fs::metadata(&list).is_ok_and(|facts| facts.len() > 0)
        })?;
        let mut text =
            fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        text.push_str(&named_cameras(&self.options.rtsp));
        fs::write(&list, text).with_context(|| format!("cannot write {}", list.display()))?;
        Ok(list)
    }

    fn start_server(&mut self, cameras: &Path) -> Result<Ready> {
        let ready_file = self.notes.join("ready.json");
        let mut server = self.gridhall();
        server.arg("serve").arg("--ready-file").arg(&ready_file);
        // At real speed until the city's past is there: nothing happens meanwhile, and no day passes.
        server.arg("--demonstration");
        server.env("GRIDHALL__SERVER__LISTEN", format!("127.0.0.1:{}", self.options.port));
        server.env("GRIDHALL__SERVER__SITE", &self.options.site).env("GRIDHALL__CAMERAS__FILE", cameras);
        self.programs.push(Kept::start("the server", &mut server)?);
        println!("demo: starting the server");
        self.wait_for("the server", || ready_file.exists())?;
        let text = fs::read_to_string(&ready_file)
            .with_context(|| format!("cannot read {}", ready_file.display()))?;
        let ready: Ready =
            serde_json::from_str(&text).context("the server's ready file is not what it should be")?;
        self.wait_for("the server's readiness", || {
            ask::get(&ready.address, "/readyz", "").is_ok_and(|(status, _)| status == 200)
        })?;
        Ok(ready)
    }

    /// A token for the city and the import, made anew.
    fn machine_token(&self) -> Result<String> {
        let mut make = self.gridhall();
        make.args(["token", "add", TOKEN_NAME, "--role", "machine", "--may", "all", "--replace"]);
        Ok(kept::output(&mut make)?.trim().to_owned())
    }

    fn store_is_empty(&self, ready: &Ready) -> Result<bool> {
        let (status, body) = ask::get(&ready.address, "/api/v1/cases?limit=1", &self.token)?;
        let page: serde_json::Value = serde_json::from_str(&body).context("the list of cases is not JSON")?;
        match page["items"].as_array() {
            Some(items) if status == 200 => Ok(items.is_empty()),
            Some(_) | None => bail!("/api/v1/cases answered {status}"),
        }
    }

    /// Waits until somebody wants the end, `--for` has passed, or a program has failed.
    fn run(&mut self, ready: &Ready) -> Result<String> {
        println!("\n  the hall:  {}\n  sign in:   {}  (works once)\n", ready.address, ready.sign_in);
        match self.options.for_seconds {
            Some(seconds) => println!("demo: running for {seconds} s"),
            None => println!("demo: running; Ctrl-C ends it"),
        }
        let started = Instant::now();
        let mut told = started;
        let until = self.options.for_seconds.map(Duration::from_secs);
        while !stop_wanted() && until.is_none_or(|until| started.elapsed() < until) {
            self.check_programs()?;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                println!("demo: {} s, {}", started.elapsed().as_secs(), self.progress(ready)?);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(format!("ran {} s, {}", started.elapsed().as_secs(), self.progress(ready)?))
    }

    fn progress(&self, ready: &Ready) -> Result<String> {
        let (status, metrics) = ask::get(&ready.address, "/metrics", &self.token)?;
        if status != 200 {
            bail!("/metrics answered {status}");
        }
        let sum = |name| sum_of(&metrics, name);
        Ok(format!("{} events, {} screens", sum("gridhall_events_total"), sum("gridhall_live_connections")))
    }

    fn wait_for(&mut self, what: &str, is_ready: impl Fn() -> bool) -> Result<()> {
        let asked = Instant::now();
        while !is_ready() {
            if stop_wanted() {
                bail!("stopped while waiting for {what}");
            }
            if asked.elapsed() > READY_WAIT {
                bail!("{what} did not come within {} s", READY_WAIT.as_secs());
            }
            self.check_programs()?;
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// A program that ended by itself is a failure, unless it had an end to reach.
    fn check_programs(&mut self) -> Result<()> {
        for program in &mut self.programs {
            match program.ended()? {
                Some(status) if !(status.success() && program.name() == "the tracks") => {
                    bail!("{} ended by itself: {status}", program.name())
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    fn gridhall(&self) -> Command {
        let mut gridhall = Command::new(&self.options.gridhall);
        // The settings name their files from there.
        gridhall
            .current_dir(&self.options.share)
            .arg("--config")
            .arg(self.options.share.join("demo/config.toml"));
        gridhall.env("GRIDHALL__STORE__DIR", self.data);
        gridhall
    }
}

/// This program again, with another task.
fn sim(name: &str) -> Result<Command> {
    let mut sim = Command::new(std::env::current_exe().context("cannot find this program")?);
    sim.arg(name);
    Ok(sim)
}

/// What the simulated city is told about cases: whoever brings a file sees the file, unless asked for both.
fn cases_of_the_city(file: bool, with_city: bool, was_empty: bool) -> &'static [&'static str] {
    match (file, with_city) {
        (true, false) => &["--no-cases"],
        // The file has filled the store by now; the city's past belongs beside it all the same, once.
        (true, true) if was_empty => &["--past"],
        (true, true) | (false, _) => &[],
    }
}

/// Times as fast as real from which on days to come are reached while somebody watches.
const DAYS_PASS_AT: f64 = 30.0;

/// Days that will come need weeks before them too, to be held against.
fn past_of_the_city(speed: f64) -> &'static [&'static str] {
    if speed >= DAYS_PASS_AT { &["--every-day"] } else { &[] }
}

/// Registry entries for cameras named on the command line. What they look at is unknown, so they have no place.
fn named_cameras(urls: &[String]) -> String {
    let entry = |(at, url): (usize, &String)| {
        let quoted = serde_json::Value::from(url.as_str());
        format!(
            "\n[[camera]]\ncode = \"R{:04}\"\nname = \"外接摄像机 {}\"\nmain = {quoted}\n",
            at + 1,
            at + 1
        )
    };
    urls.iter().enumerate().map(entry).collect()
}

/// Adds up a Prometheus counter over its labels.
fn sum_of(metrics: &str, name: &str) -> u64 {
    let values = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let is_whole_name = rest.starts_with([' ', '{']);
        is_whole_name.then(|| rest.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()))?
    });
    values.sum::<f64>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels_and_not_over_names_that_begin_alike() {
        let metrics = "# TYPE a counter\na{kind=\"x\"} 3\na{kind=\"y y\"} 4\na_total 9\na 1\n";
        assert_eq!(sum_of(metrics, "a"), 8);
    }

    #[test]
    fn whoever_brings_a_file_sees_the_file_and_the_city_only_when_asked_for() {
        assert_eq!(cases_of_the_city(false, false, true), [""; 0]);
        assert_eq!(cases_of_the_city(true, false, true), ["--no-cases"]);
        assert_eq!(cases_of_the_city(true, true, true), ["--past"]);
        assert_eq!(cases_of_the_city(true, true, false), [""; 0], "its past is there since the first run");
    }

    #[test]
    fn a_named_camera_becomes_a_registry_entry_whatever_its_url_holds() {
        let text = named_cameras(&["rtsp://u:p\"x@10.0.0.1/a\\b".to_owned()]);
        let parsed: toml::Table = text.parse().unwrap();
        assert_eq!(parsed["camera"][0]["main"].as_str(), Some("rtsp://u:p\"x@10.0.0.1/a\\b"));
    }
}
