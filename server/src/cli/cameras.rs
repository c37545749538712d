//! `gridhall cameras`: which list of cameras holds.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::account;
use crate::clock;
use crate::config::Config;
use crate::video::adoption::{self, Adoption, Wish};
use crate::video::origin::adopted::{self, Folder};
use crate::video::origin::file::{Format, ListFile};

/// Longest wait for a server's answer.
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Subcommand)]
pub enum Command {
    /// Take another list of cameras into service: at once in a running server, or from the next start in the data folder
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
    /// Running server to send to, with a machine's token; without it the list holds from the next start
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// File with the token; without it the environment variable GRIDHALL_TOKEN is used
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Runs one subcommand.
#[allow(clippy::print_stdout, reason = "a command line answers on standard output")]
pub fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let Command::Adopt(adopt) = command;
    let list = ListFile::load(&adopt.file)?;
    let wish = Wish { dry_run: adopt.dry_run, leave_out_refused: adopt.leave_out_refused };
    let adoption = match &adopt.server {
        Some(url) => to_server(url, &super::token_from(adopt.token_file.as_deref())?, &list, wish)?,
        None => to_folder(config, &list, wish)?,
    };
    if adopt.json {
        println!("{}", serde_json::to_string_pretty(&adoption).context("cannot print the answer")?);
        return Ok(());
    }
    println!("{}", adoption.said);
    for refusal in adoption.refused.iter().skip(1) {
        println!("  {refusal}");
    }
    println!("{}", in_words(&adopt, &adoption));
    Ok(())
}

fn in_words(adopt: &Adopt, adoption: &Adoption) -> &'static str {
    match (adoption.adopted, adopt.server.is_some()) {
        (false, _) => "dry run: nothing was changed",
        (true, true) => "adopted: in force now",
        (true, false) => "adopted: in force from the next start of the server",
    }
}

/// Beside the store, whose server reads it when it starts.
fn to_folder(config: &Config, list: &ListFile, wish: Wish) -> anyhow::Result<Adoption> {
    let lists = Folder::within(&config.store.dir);
    let before = adopted::in_force(&lists, config.cameras.file.as_deref())?.registry;
    Ok(adoption::adopt(&before, &lists, list, wish, &account::by(), clock::now())?.adoption)
}

fn to_server(url: &str, token: &str, list: &ListFile, wish: Wish) -> anyhow::Result<Adoption> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .build()
        .into();
    let kind = match list.format {
        Format::Csv => "text/csv",
        Format::Toml => "application/toml",
    };
    let address = format!(
        "{}/api/v1/cameras/adopt?dry_run={}&leave_out_refused={}",
        url.trim_end_matches('/'),
        wish.dry_run,
        wish.leave_out_refused
    );
    let request = agent.post(&address).header("Authorization", format!("Bearer {token}")).content_type(kind);
    let mut answer = request.send(&list.bytes[..]).with_context(|| format!("cannot reach `{url}`"))?;
    let status = answer.status();
    let body = answer.body_mut().read_to_string().with_context(|| format!("no whole answer from `{url}`"))?;
    if status.is_success() {
        return serde_json::from_str(&body)
            .with_context(|| format!("`{url}` answered in another way than expected"));
    }
    let title = serde_json::from_str::<serde_json::Value>(&body)
        .ok()
        .and_then(|problem| problem["title"].as_str().map(str::to_owned));
    anyhow::bail!(
        "the server refused ({}): {}",
        status.as_u16(),
        title.unwrap_or_else(|| "without a reason".to_owned())
    )
}
