//! The command line. Each subcommand says what it does, with examples, in `--help`.
#![allow(clippy::print_stdout, reason = "a command line answers on standard output")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand};
use domain::answer::TokenAnswer;
use domain::code::{AreaCode, DepartmentCode};
use domain::grant::Grant;
use domain::policy::Policy;
use domain::role::Role;
use domain::scope::Scope;

use crate::access::{Access, Doer, NewToken, Taken};
use crate::clock::Clock;
use crate::config::Config;
use crate::import;
use crate::installed;

mod account;
mod cameras;
mod keeping;
mod policy;
mod remote;
mod serving;
mod stopped;
mod tables;

/// Gridhall (格厅): the real-time command hall of a grid-management centre
#[derive(Parser)]
#[command(
    name = "gridhall",
    version,
    arg_required_else_help = true,
    after_long_help = "\
Examples:
  gridhall serve                                    look around: listens on 127.0.0.1:8700, data in ./data
  gridhall --config hall.toml serve                 with settings; see docs/config.md for every key
  gridhall import cases cases.csv --map map.toml    rows into the store of a stopped server
  gridhall policy adopt policy.toml --dry-run       what another policy would change
  gridhall policy tables check tables.xlsx          which cells of a table of classes and limits are wrong
  gridhall cameras adopt cameras.csv --dry-run      what another list of cameras would change
  gridhall account add zhou --role dispatcher       reads the password from standard input
  gridhall account disable zhou                     signs zhou out of the running server within 4 s
  gridhall check && gridhall backup /mnt/backup     is the store sound; copy what is new while the server runs

Settings come from the TOML file, then from the environment: GRIDHALL__SERVER__LISTEN=0.0.0.0:8700 overrides
[server] listen. Log level: GRIDHALL_LOG=debug."
)]
pub struct Arguments {
    /// Settings file in TOML; of an installed package /etc/gridhall/gridhall.toml by default
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// Data folder, instead of store.dir
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Write the log as JSON lines
    #[arg(long, global = true)]
    pub json_log: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(serving::Options),
    /// Take rows from a file into the store of a stopped server, or into a running server
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Verify a store: pages, every event and key, lists, snapshots; needs the same memory at any size
    Check {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
        /// Also count every tally anew from the events and hold snapshots against a replay; takes memory and time of
        /// the whole history, so do it on a stopped server or a restored backup
        #[arg(long)]
        recount: bool,
    },
    /// Copy what is new since the last backup in FOLDER, also while the server runs, and prove it
    Backup {
        /// Folder of the backup; the first run fills it with everything
        folder: PathBuf,
        /// Print what was done as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a data folder of a backup, proving it on the way
    Restore {
        /// Folder of the backup
        from: PathBuf,
        /// New data folder; must hold nothing of a store yet
        to: PathBuf,
        /// Print what was done as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at settings
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Accounts of people: add, list, disable, enable, unlock, remove, and what was done to them
    Account {
        #[command(subcommand)]
        what: account::Command,
    },
    /// Tokens of machines and kiosks
    Token {
        #[command(subcommand)]
        what: TokenCommand,
    },
    /// The policy in force: show it, adopt another, or see what that would change
    Policy {
        #[command(subcommand)]
        what: policy::Command,
    },
    /// Cameras: adopt another list, or see what it would change
    Cameras {
        #[command(subcommand)]
        what: cameras::Command,
    },
    /// Show a simulated city on this machine: server, cameras and city; `gridhall demo --help` has its options
    #[command(disable_help_flag = true)]
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        arguments: Vec<OsString>,
    },
    /// Print the description of the HTTP API
    Openapi,
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Subcommand)]
enum Import {
    /// Cases from a CSV file; every row is answered: taken, unchanged, or refused with line, column and reason
    Cases(ImportCases),
}

#[derive(Args)]
struct ImportCases {
    file: PathBuf,
    /// Mapping of columns, formats, zone and codes in TOML; without it the shipped mapping that fits the header
    #[arg(long, value_name = "MAPPING")]
    map: Option<PathBuf>,
    /// Running server to send to, with a machine's token; without it the data folder is opened
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// File with the token; without it the environment variable GRIDHALL_TOKEN is used
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
    /// Print the summary as JSON: rows, taken, refused, unchanged, and every refusal
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Say whether settings and policy hold, and print them as they take effect
    Check,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token and print its secret, once
    Add(TokenAdd),
    /// List tokens
    List,
    /// Revoke a token; a running server refuses it from then on
    Revoke { name: String },
}

#[derive(Args)]
struct TokenAdd {
    name: String,
    /// machine, kiosk or inspector (named by the inspector's code)
    #[arg(long)]
    role: Role,
    /// What a machine may do, repeatable: report, supervise, dispatch, dispose, take-over, define, locate, read; `all` for
    /// all of it. Without it: report, locate and read
    #[arg(long = "may", value_name = "WHAT")]
    may: Vec<String>,
    /// Code of the one department a machine disposes of cases for
    #[arg(long, value_name = "CODE")]
    department: Option<DepartmentCode>,
    /// See this area and what lies in it, and nothing else; of an inspector: works there. Repeatable
    #[arg(long = "area", value_name = "CODE")]
    areas: Vec<AreaCode>,
    /// See this department's cases and calls, and nothing else; repeatable, together with --area what either shows
    #[arg(long = "see-department", value_name = "CODE")]
    departments: Vec<DepartmentCode>,
    /// Revoke a token of that name first
    #[arg(long)]
    replace: bool,
}

/// Runs one subcommand.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if let Command::Openapi = arguments.command {
        println!("{}", crate::http::openapi::description());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Completions { shell } = arguments.command {
        clap_complete::generate(shell, &mut Arguments::command(), "gridhall", &mut std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Demo { arguments } = &arguments.command {
        return Err(installed::demo(arguments));
    }
    let mut config = Config::load(installed::settings(arguments.config).as_deref())?;
    if let Some(dir) = arguments.data_dir {
        config.store.dir = dir;
    }
    if !matches!(arguments.command, Command::Config { .. }) {
        installed::refuse_strangers(&config.store.dir)?;
    }
    match arguments.command {
        Command::Serve(options) => serving::run(config, options).await?,
        Command::Import { what: Import::Cases(options) } => {
            let work = tokio::task::spawn_blocking(move || import_cases(&config, &options));
            work.await.context("the import stopped unexpectedly")??;
        }
        Command::Check { json, recount } => return keeping::check(&config, json, recount),
        Command::Backup { folder, json } => keeping::backup(&config, &folder, json)?,
        Command::Restore { from, to, json } => keeping::restore(&config, &from, &to, json)?,
        Command::Config { what: ConfigCommand::Check } => {
            let policy = config.load_policy()?;
            config.check_files()?;
            println!("{}", toml::to_string_pretty(&config).context("cannot print the settings")?);
            println!(
                "# settings and policy hold: {} areas, {} classes; source: {}",
                policy.areas.len(),
                policy.classes.len(),
                policy.stated_source
            );
        }
        Command::Account { what } => {
            let work = tokio::task::spawn_blocking(move || account::run(&config, what));
            work.await.context("the work on accounts stopped unexpectedly")??;
        }
        Command::Token { what } => {
            let work = tokio::task::spawn_blocking(move || token(&config, what));
            work.await.context("the work on tokens stopped unexpectedly")??;
        }
        Command::Policy { what } => {
            let work = tokio::task::spawn_blocking(move || policy::run(&config, what));
            work.await.context("the adoption stopped unexpectedly")??;
        }
        Command::Cameras { what } => {
            let work = tokio::task::spawn_blocking(move || cameras::run(&config, what));
            work.await.context("the adoption stopped unexpectedly")??;
        }
        Command::Openapi | Command::Completions { .. } | Command::Demo { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn import_cases(config: &Config, options: &ImportCases) -> anyhow::Result<()> {
    let (policy, token);
    let target = match &options.server {
        Some(url) => {
            token = token_from(options.token_file.as_deref())?;
            import::Target::Server { url, token: &token }
        }
        None => {
            policy = config.load_policy()?;
            import::Target::Store { dir: &config.store.dir, policy: &policy }
        }
    };
    let summary = import::cases(&options.file, options.map.as_deref(), &target)?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&summary).context("cannot print the summary")?);
    } else {
        print!("{}", summary.table());
    }
    Ok(())
}

/// The secret a running server asks for.
fn token_from(file: Option<&Path>) -> anyhow::Result<String> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the token file `{}`", file.display()))?,
        None => std::env::var("GRIDHALL_TOKEN").context("set GRIDHALL_TOKEN or give --token-file")?,
    };
    Ok(text.trim().to_owned())
}

fn access(config: &Config) -> anyhow::Result<Access> {
    let dir = &config.store.dir;
    std::fs::create_dir_all(dir)
        .with_context(|| format!("cannot make the data folder `{}`", dir.display()))?;
    Ok(Access::open(dir, config.access.clone())?)
}

/// What holds in the memory of a process that ends does not hold.
fn written(taken: Taken) -> anyhow::Result<()> {
    match taken {
        Taken::Written => Ok(()),
        Taken::InForce { why } => {
            anyhow::bail!(
                "nothing was changed, the account file cannot be written: {why}; a running server can hold a token revoked in \
                 memory until there is room: DELETE /api/v1/tokens/NAME, or the page /kiosks, as an administrator"
            )
        }
    }
}

fn new_token(add: TokenAdd, policy: &Policy) -> anyhow::Result<NewToken> {
    account::check_department(policy, add.department.as_ref())?;
    let may: BTreeSet<Grant> = match add.may.as_slice() {
        [] => Grant::MODEST.into(),
        [all] if all == "all" => Grant::ALL.into(),
        words => {
            let parsed = words.iter().map(|word| word.parse()).collect::<Result<_, String>>();
            parsed.map_err(|problem| anyhow::anyhow!("--may: {problem}"))?
        }
    };
    Ok(NewToken {
        name: add.name,
        role: add.role,
        scope: scope(add.areas, add.departments, policy)?.unwrap_or(Scope::All),
        may: (add.role == Role::Machine || !add.may.is_empty()).then_some(may),
        department: add.department,
    })
}

fn token_line(token: &TokenAnswer) -> String {
    let mut line =
        format!("{}\t{:?}\tmade {}\tsees {}", token.name, token.role, token.created.0, token.scope);
    if let Some(may) = &token.may {
        let names: Vec<&str> = may.iter().map(|grant| grant.name()).collect();
        line.push_str(&format!("\tmay {}", names.join(", ")));
    }
    if let Some(department) = &token.department {
        line.push_str(&format!("\tdepartment {department}"));
    }
    if token.wide {
        line.push_str(
            "\twide: supervision and disposal for all departments; make it anew with --may … --replace",
        );
    }
    line
}

/// What the options say may be seen; none where they say nothing. Areas that the policy does not have may be defined
/// later, so they are pointed out and kept.
fn scope(
    areas: Vec<AreaCode>,
    departments: Vec<DepartmentCode>,
    policy: &Policy,
) -> anyhow::Result<Option<Scope>> {
    for department in &departments {
        account::check_department(policy, Some(department))?;
    }
    for area in areas.iter().filter(|area| !policy.areas.iter().any(|known| known.code == **area)) {
        tracing::warn!(%area, "the policy has no such area; nothing is seen there until it is defined");
    }
    Ok(Scope::of(areas.into_iter().collect(), departments.into_iter().collect()))
}

fn token(config: &Config, command: TokenCommand) -> anyhow::Result<()> {
    let access = access(config)?;
    match command {
        TokenCommand::Add(add) => {
            anyhow::ensure!(
                matches!(add.role, Role::Machine | Role::Kiosk | Role::Inspector),
                "--role: expected machine, kiosk or inspector; people have accounts"
            );
            let by = account::by();
            let doer = Doer { by: &by, now: Clock::machine().now() };
            let policy = keeping::policy_in_force(config)?;
            access.set_powers_together(policy.powers_together.is_some());
            let replace = add.replace;
            let secret = access.make_token_noted(doer, new_token(add, &policy)?, replace).wait()?;
            println!("{}", secret.expose());
        }
        TokenCommand::List => {
            for token in access.tokens().wait()? {
                println!("{}", token_line(&token));
            }
        }
        TokenCommand::Revoke { name } => {
            let by = account::by();
            let doer = Doer { by: &by, now: Clock::machine().now() };
            written(access.revoke(doer, &name).wait()?.with_context(|| format!("no token `{name}`"))?)?;
            println!("token `{name}` is revoked");
        }
    }
    Ok(())
}
