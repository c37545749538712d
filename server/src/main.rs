//! The `gridhall` binary: arguments, settings, one subcommand, an exit code. Nothing else.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    keep_files_private();
    let arguments = server::cli::Arguments::parse();
    if let Err(error) = server::logging::start(arguments.json_log) {
        return failed(&error);
    }
    match server::serve::to_its_end(server::cli::run(arguments)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("gridhall: {error:#}");
    ExitCode::FAILURE
}

/// Whatever this process writes, its owner alone may read: addresses, tracks, hashes of passwords.
fn keep_files_private() {
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}
