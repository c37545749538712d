//! The `gridhall` binary: arguments, settings, one subcommand, an exit code. Nothing else.

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = server::cli::Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("GRIDHALL_LOG")
        .unwrap_or_else(|_| "info,retina=warn".into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if arguments.json_log {
        log.json().init()
    } else {
        log.init()
    }
    match server::cli::run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gridhall: {error:#}");
            ExitCode::FAILURE
        }
    }
}
