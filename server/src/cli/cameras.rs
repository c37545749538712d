//! `gridhall cameras`: which list of cameras holds.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::event::{By, Door};
use domain::rejection::Language;

use super::remote::{Remote, Where};
use super::stopped::{self, AtRest};
use super::{account, keeping};
use crate::cameras::{self, InLog};
use crate::clock::Clock;
use crate::config::Config;
use crate::log::Read;
use crate::video::adoption::{self, Adoption, Before, Wish};
use crate::video::origin::adopted;
use crate::video::origin::change::words;
use crate::video::origin::file::{Format, ListFile};
use crate::video::origin::former::Former;
use crate::writer;

#[derive(Subcommand)]
pub enum Command {
    /// Take another list of cameras into service: at once in a running server, or from the next start in the data folder of a stopped one
    Adopt(Adopt),
}

#[derive(Args)]
pub struct Adopt {
    /// List in CSV or TOML; docs/cameras.md names the columns
    file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// Adopt the good rows although others are refused; their cameras are gone then
    #[arg(long)]
    leave_out_refused: bool,
    /// Version the dry run was held against: refused when another list came into force since
    #[arg(long, value_name = "VERSION")]
    upon: Option<u64>,
    #[command(flatten)]
    hall: Where,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs one subcommand.
#[allow(clippy::print_stdout, reason = "a command line answers on standard output")]
pub fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let Command::Adopt(adopt) = command;
    let list = ListFile::load(&adopt.file)?;
    let wish = Wish { dry_run: adopt.dry_run, leave_out_refused: adopt.leave_out_refused, upon: adopt.upon };
    let adoption = match adopt.hall.remote()? {
        Some(remote) => to_server(&remote, &list, wish)?,
        None => to_folder(config, &list, wish)?,
    };
    if adopt.json {
        println!("{}", serde_json::to_string_pretty(&adoption).context("cannot print the answer")?);
        return Ok(());
    }
    println!("{}", in_words(&adopt, &adoption));
    Ok(())
}

/// As an adopted policy says it: what changes and what goes on, what is in the way, against what it was held, how it ended.
fn in_words(adopt: &Adopt, adoption: &Adoption) -> String {
    let mut said = adoption.change.words(Language::En);
    if let Some(rows) = words::refused(Language::En, adoption.refused_count) {
        let so = if adopt.leave_out_refused {
            "the others are adopted"
        } else {
            "without --leave-out-refused nothing is adopted"
        };
        said.push(format!("{rows}; {so}"));
        said.extend(adoption.refused.iter().map(|refusal| format!("  {refusal}")));
    }
    if !adoption.adopted {
        said.push(keeping::held_against(adoption.version));
    }
    said.push(keeping::ended(adoption.adopted, adoption.version));
    said.join("\n")
}

/// Into the store of a stopped server. It is only looked at until it is known that the list is taken.
fn to_folder(config: &Config, list: &ListFile, wish: Wish) -> anyhow::Result<Adoption> {
    let (dir, file) = (&config.store.dir, config.cameras.file.as_deref());
    let at_rest = AtRest::look(config)?;
    let kept = match &at_rest {
        Some(AtRest { log, state, .. }) => {
            let log: &dyn Read = log;
            cameras::kept(state.cameras(), &log.secret(), &log, dir)
        }
        None => Former::within(dir).newest(),
    };
    // A list that was kept before the log could hold it is taken over first, as the first version.
    let version = match at_rest.as_ref().and_then(|at_rest| at_rest.state.cameras()) {
        Some(list) => list.version,
        None => u64::from(matches!(kept, Ok(Some(_)))),
    };
    let before = adopted::in_force(kept, file)?.registry;
    let considered = adoption::consider(&Before { registry: &before, version }, list, wish)?;
    if wish.dry_run {
        return Ok(considered.adoption);
    }
    let (store, state) = match at_rest {
        Some(at_rest) => at_rest.open(config)?,
        None => stopped::open(config)?,
    };
    let (named, secret, reader) = (state.cameras().cloned(), store.secret(), store.reader());
    let writer = writer::spawn_untimed(store, state, Box::new(()), Clock::machine());
    let lists = InLog::new(writer.clone(), secret, named.as_ref());
    lists.settle(named.as_ref(), &reader, dir);
    let by = By { name: account::by(), roles: Vec::new(), door: Door::Cli };
    let done = adoption::keep(considered, &lists, list, wish.upon, &by);
    writer.stop();
    Ok(done?.adoption)
}

fn to_server(remote: &Remote<'_>, list: &ListFile, wish: Wish) -> anyhow::Result<Adoption> {
    let kind = match list.format {
        Format::Csv => "text/csv",
        Format::Toml => "application/toml",
    };
    let Wish { dry_run, leave_out_refused, upon } = wish;
    let upon = keeping::upon(upon);
    let path = format!("/api/v1/cameras/adopt?dry_run={dry_run}&leave_out_refused={leave_out_refused}{upon}");
    remote.post(&path, kind, &list.bytes)
}
