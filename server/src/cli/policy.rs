//! `gridhall policy`: which policy holds, and another one brought into force.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::adoption::InForce;
use domain::event::{By, Door};
use domain::policy::Policy;
use domain::rejection::Language;

use super::remote::Where;
use super::stopped::AtRest;
use super::{account, keeping, tables};
use crate::adoption::{Adoption, Standing, Wish, consider};
use crate::clock::Clock;
use crate::config::{Config, PolicyFile};
use crate::http::policy::PolicyAnswer;
use crate::lists::Lists;
use crate::log::Read;
use crate::writer;

const PATH: &str = "/api/v1/policy";

#[derive(Subcommand)]
pub enum Command {
    /// Bring another policy into force: in a running server at once, or in the data folder of a stopped one
    Adopt(Adopt),
    /// Print the policy in force as TOML
    Show(Show),
    /// Tables of classes, conditions, limits and responsible departments in CSV or XLSX: checked, and made into a policy
    Tables {
        #[command(subcommand)]
        what: tables::Command,
    },
}

#[derive(Args)]
pub struct Adopt {
    /// Policy in TOML; without one that of the settings, with its overlays and holidays
    file: Option<PathBuf>,
    /// File laid over FILE: its lists are added, other keys replaced. Repeatable
    #[arg(long = "overlay", value_name = "FILE", requires = "file")]
    overlays: Vec<PathBuf>,
    /// Holiday list in the format of holiday-cn, added to FILE's calendar. Repeatable, a list a year
    #[arg(long = "holidays", value_name = "FILE", requires = "file")]
    holidays: Vec<PathBuf>,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// Version the dry run was held against: refused when another policy came into force since
    #[arg(long, value_name = "VERSION")]
    upon: Option<u64>,
    #[command(flatten)]
    hall: Where,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    hall: Where,
    /// Print version, hash and policy as JSON
    #[arg(long)]
    json: bool,
}

/// Runs one subcommand.
#[allow(clippy::print_stdout, reason = "a command line answers on standard output")]
pub fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Adopt(adopt) => {
            let adoption = take(config, &adopt)?;
            if adopt.json {
                println!("{}", serde_json::to_string_pretty(&adoption).context("cannot print the answer")?);
            } else {
                println!("{}", in_words(&adoption));
            }
            let refused: Vec<&str> =
                adoption.refused.iter().map(|refused| refused.said.en.as_str()).collect();
            anyhow::ensure!(refused.is_empty(), "this policy cannot come into force: {}", refused.join("; "));
        }
        Command::Show(show) => {
            let answer = in_force(config, &show.hall)?;
            if show.json {
                println!("{}", serde_json::to_string_pretty(&answer).context("cannot print the policy")?);
            } else {
                let hash = answer.hash.map_or_else(String::new, |hash| format!(", {hash}"));
                println!("# version {}{hash}", answer.version);
                print!("{}", toml::to_string_pretty(&answer.policy).context("cannot print the policy")?);
            }
        }
        Command::Tables { what } => tables::run(config, what)?,
    }
    Ok(())
}

fn in_words(adoption: &Adoption) -> String {
    let end = match adoption.refused.is_empty() {
        true => keeping::ended(adoption.adopted, adoption.version),
        false => "nothing was changed".to_owned(),
    };
    let mut said = adoption.change.words(Language::En);
    if !adoption.adopted {
        said.push(keeping::held_against(adoption.version));
    }
    said.push(end);
    said.join("\n")
}

fn take(config: &Config, adopt: &Adopt) -> anyhow::Result<Adoption> {
    let policy = match &adopt.file {
        Some(file) => {
            let (overlays, holidays) = (adopt.overlays.clone(), adopt.holidays.clone());
            PolicyFile { file: Some(file.clone()), overlays, holidays }.load()?
        }
        None => config.load_policy()?,
    };
    match adopt.hall.remote()? {
        Some(remote) => {
            let body = serde_json::to_vec(&policy).context("cannot send the policy")?;
            let upon = keeping::upon(adopt.upon);
            remote.post(&format!("{PATH}?dry_run={}{upon}", adopt.dry_run), "application/json", &body)
        }
        None => to_folder(config, policy, Wish { dry_run: adopt.dry_run, upon: adopt.upon }),
    }
}

fn in_force(config: &Config, hall: &Where) -> anyhow::Result<PolicyAnswer> {
    if let Some(remote) = hall.remote()? {
        return remote.get(PATH);
    }
    let InForce { version, hash, policy, took: _ } = look(config)?.state.in_force().clone();
    Ok(PolicyAnswer { version, hash: hash.map(|hash| hash.to_string()), policy: (*policy).clone() })
}

/// The policy in force, or that of the settings where there is no store yet.
pub(super) fn in_force_or_begun(config: &Config, hall: &Where) -> anyhow::Result<Policy> {
    // Looked at and let go before it is read.
    let is_there = hall.server.is_some() || AtRest::look(config)?.is_some();
    match is_there {
        true => Ok(in_force(config, hall)?.policy),
        false => config.load_policy(),
    }
}

/// The store of a stopped server; a new one is not made for this.
fn look(config: &Config) -> anyhow::Result<AtRest> {
    AtRest::look(config)?.with_context(|| {
        let dir = config.store.dir.display();
        format!("there is no store in `{dir}`; a new one begins with the policy of the settings")
    })
}

fn to_folder(config: &Config, policy: Policy, wish: Wish) -> anyhow::Result<Adoption> {
    let at_rest = look(config)?;
    let state = &at_rest.state;
    let mut adoption = consider(
        &Standing {
            in_force: state.in_force(),
            catalogue: &state.catalogue,
            cases: state.cases.values().collect(),
            whistles: state.whistles.values().collect(),
            lists: &Lists::of_stopped(&config.store.dir, at_rest.log.epoch(), state),
            now: Clock::machine().now(),
        },
        &policy,
    );
    if wish.dry_run || !adoption.refused.is_empty() {
        return Ok(adoption);
    }
    let (store, state) = at_rest.open(config)?;
    // No timer: nothing passes by the policy that is about to go, nor by this machine's clock at one look.
    let writer = writer::spawn_untimed(store, state, Box::new(()), Clock::machine());
    let by = By { name: account::by(), roles: Vec::new(), door: Door::Cli };
    let adopted = writer.adopt_blocking(by, policy, wish.upon);
    writer.stop();
    adoption.version = adopted?.version;
    adoption.adopted = true;
    Ok(adoption)
}
