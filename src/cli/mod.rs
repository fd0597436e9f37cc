//! The command line: one file a subcommand, and what they share.
//!
//! Nothing here is decided that a running gateway decides too; commands ask it, or the rooms below.

mod args;
mod backup;
mod check;
mod completions;
mod detail;
mod exit;
mod explain;
mod export;
mod first_start;
mod host;
mod init;
mod key;
mod limit;
mod line;
mod log;
mod man;
mod memory;
mod output;
mod panics;
mod postman;
mod reload;
mod restore;
mod sandbox;
mod serve;
mod show;
mod signals;
mod tail;
mod token;
mod version;

use std::process::ExitCode;

use self::{
    args::{Cli, Command},
    exit::{Exit, Failure},
    output::Out,
};

/// Runs the program: reads the command line, does it, and tells the shell how it went.
#[must_use]
pub fn main() -> ExitCode {
    memory::use_small_pages();
    panics::print_them();
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    let out = Out::to_stdout(cli.json);
    match run(cli, &out) {
        Ok(exit) => exit.into(),
        Err(failure) => out.fail(&failure),
    }
}

fn run(cli: Cli, out: &Out) -> Result<Exit, Failure> {
    let config = cli.config.as_deref();
    match cli.command {
        // The gateway makes runtimes of its own.
        Command::Serve => serve::run(config, out),
        Command::Check => check::run(config, out),
        Command::Init(args) => init::run(*args, config, out),
        Command::Explain(args) => explain::run(&args, out),
        Command::Postman(args) => postman::run(&args, config, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(&args, out),
        Command::Version => version::run(out),
        command => block_on(ask(command, config, out)),
    }
}

/// Commands that talk to a gateway, or stand in for one.
async fn ask(
    command: Command,
    config: Option<&std::path::Path>,
    out: &Out,
) -> Result<Exit, Failure> {
    match command {
        Command::Reload => reload::run(config, out).await,
        Command::Key(args) => key::run(*args, config, out).await,
        Command::Token(args) => token::run(args, config, out).await,
        Command::Limit(args) => limit::run(args, config, out).await,
        Command::Tail(args) => tail::run(args, config, out).await,
        Command::Show(args) => show::run(args, config, out).await,
        Command::Export(args) => export::run(args, config, out).await,
        Command::Backup(args) => backup::run(&args, config, out),
        Command::Restore(args) => restore::run(&args, config, out),
        Command::Sandbox(args) => sandbox::run(*args, out).await,
        Command::Serve
        | Command::Check
        | Command::Init(_)
        | Command::Explain(_)
        | Command::Postman(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Version => Ok(Exit::Done),
    }
}

fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))?;
    runtime.block_on(command)
}
