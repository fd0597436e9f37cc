//! `wxgate sandbox`: the simulator of the platform by itself.

mod calls;
mod control;
mod ctl;
mod greeting;
pub(super) mod reach;
mod run;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::{calls::CallsArgs, ctl::CtlArgs, greeting::Usual, run::RunArgs};
use super::{
    exit::{Exit, Failure, because},
    output::Out,
    signals,
};
use crate::{
    base::{kind::AccountKind, secret::Secret, tasks::Tasks, units::parse_duration},
    sandbox::{Sandbox, SandboxAccount, SandboxError, SandboxOptions, Tls},
};

/// What to do with the sandbox.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SandboxArgs {
    #[command(subcommand)]
    command: Option<SandboxCommand>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum SandboxCommand {
    /// Serve until stopped; the same as no command 启动
    Serve(Box<ServeArgs>),
    /// Play scenarios: calls, events and waits from a file 运行场景
    Run(Box<RunArgs>),
    /// Control a sandbox that runs: faults, clock, events, state 控制沙箱
    Ctl(Box<CtlArgs>),
    /// List the simulated calls, or say what one of them checks 接口清单
    Calls(CallsArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where it listens; off loopback it wants --control-token
    #[arg(long, default_value = "127.0.0.1:9443")]
    listen: SocketAddr,
    /// AppID of the simulated app [default: wx0123456789abcdef]
    #[arg(long)]
    app_id: Option<String>,
    /// Its simulated AppSecret, never a real one [default: sandbox-app-secret]
    #[arg(long)]
    app_secret: Option<String>,
    /// What it is: official-account, wecom (CorpID as AppID), open-platform
    /// [default: mini-program]
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: Option<AccountKind>,
    /// Its name in control calls, /-/sandbox/NAME/… [default: demo]
    #[arg(long)]
    name: Option<String>,
    /// One more app, or, where none of the four above is given, one instead; may be repeated
    #[arg(long, value_name = "NAME=[KIND:]APPID:SECRET", value_parser = parse_account)]
    account: Vec<SandboxAccount>,
    /// Speak plain HTTP
    #[arg(long)]
    http: bool,
    /// What Authorization: Bearer must carry on control calls
    #[arg(
        long,
        value_name = "TOKEN",
        env = "WXGATE_SANDBOX_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
    /// Give out tokens and ids in the same order in every run; time stands still between calls
    #[arg(long)]
    seed: Option<u64>,
    /// A host beside this one that events may be pushed to; can be repeated
    #[arg(long, value_name = "HOST", value_hint = clap::ValueHint::Hostname)]
    allow_push: Vec<String>,
    /// How long access tokens live
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = parse_duration)]
    token_life: Duration,
    /// Keep everything in this file while the sandbox does not run
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    state: Option<PathBuf>,
    /// Write the CA to trust into this file; without it, it is printed
    #[arg(long, value_name = "FILE", conflicts_with = "http", value_hint = clap::ValueHint::FilePath)]
    ca_file: Option<PathBuf>,
}

/// Serves until a signal comes.
pub(super) async fn run(args: SandboxArgs, out: &Out) -> Result<Exit, Failure> {
    let args = match args.command {
        Some(SandboxCommand::Serve(args)) => *args,
        Some(SandboxCommand::Run(args)) => return run::run(*args, out).await,
        Some(SandboxCommand::Ctl(args)) => return ctl::run(*args, out).await,
        Some(SandboxCommand::Calls(args)) => return calls::run(&args, out),
        None => args.serve,
    };
    let tasks = Tasks::default();
    let ca_file = args.ca_file.clone();
    let usual = Usual::of(&args);
    let sandbox = Sandbox::start(options(args), tasks.clone()).await.map_err(refused)?;
    if let (Some(file), Some(pem)) = (&ca_file, sandbox.ca_pem()) {
        let wrap = |error| because(&format!("cannot write {}", file.display()), error);
        std::fs::write(file, pem).map_err(wrap)?;
    }
    let ready = ready(&sandbox, ca_file.as_ref());
    if out.json {
        out.value(&ready)?;
    } else {
        out.line(greeting::text(&ready, &sandbox.accounts(), usual))?;
    }
    signals::wait_for_stop().await?;
    tasks.shutdown().await;
    sandbox.save().map_err(refused)?;
    Ok(Exit::Done)
}

fn options(args: ServeArgs) -> SandboxOptions {
    SandboxOptions {
        listen: args.listen,
        tls: if args.http { Tls::Plain } else { Tls::SelfMade },
        accounts: accounts(args.account, args.name, args.kind, args.app_id, args.app_secret),
        control_token: args.control_token.map(Secret::new),
        allow_control_over_http: true,
        seed: args.seed,
        push_hosts: args.allow_push,
        token_life: args.token_life,
        state_file: args.state,
        ..SandboxOptions::default()
    }
}

/// The app of `--name`, `--kind`, `--app-id` and `--app-secret`, then those of `--account`.
fn accounts(
    mut more: Vec<SandboxAccount>,
    name: Option<String>,
    kind: Option<AccountKind>,
    app_id: Option<String>,
    app_secret: Option<String>,
) -> Vec<SandboxAccount> {
    let is_meant = more.is_empty()
        || kind.is_some()
        || [&name, &app_id, &app_secret].iter().any(|given| given.is_some());
    if is_meant {
        let first = SandboxAccount {
            name: name.unwrap_or_else(|| "demo".to_owned()),
            kind: kind.unwrap_or(AccountKind::MiniProgram),
            app_id: app_id.unwrap_or_else(|| "wx0123456789abcdef".to_owned()),
            app_secret: app_secret.unwrap_or_else(|| USUAL_SECRET.to_owned()),
        };
        more.insert(0, first);
    }
    more
}

/// A kind that the sandbox simulates.
fn parse_kind(text: &str) -> Result<AccountKind, String> {
    let simulated = |kind: &&AccountKind| **kind != AccountKind::Generic;
    let kinds = || AccountKind::ALL.iter().filter(simulated);
    let found = kinds().find(|kind| kind.as_str() == text).copied();
    found.ok_or_else(|| {
        let choices: Vec<&str> = kinds().map(|kind| kind.as_str()).collect();
        format!("one of {}", choices.join(", "))
    })
}

/// `shop=wx0123456789abcdef:its-secret`, or `open=open-platform:wx…:its-secret`.
fn parse_account(text: &str) -> Result<SandboxAccount, String> {
    let (name, rest) = text.split_once('=').ok_or("write NAME=APPID:SECRET")?;
    let kind_first = rest.split_once(':');
    let kind_first = kind_first.and_then(|(kind, rest)| Some((parse_kind(kind).ok()?, rest)));
    let (kind, rest) = kind_first.unwrap_or((AccountKind::MiniProgram, rest));
    let (app_id, app_secret) = rest.split_once(':').ok_or("write NAME=APPID:SECRET")?;
    if name.is_empty() || app_id.is_empty() || app_secret.is_empty() {
        return Err("name, AppID and AppSecret must not be empty".to_owned());
    }
    Ok(SandboxAccount {
        name: name.to_owned(),
        kind,
        app_id: app_id.to_owned(),
        app_secret: app_secret.to_owned(),
    })
}

fn refused(error: SandboxError) -> Failure {
    let exit = match &error {
        SandboxError::ControlTokenNeeded { .. } | SandboxError::Account { .. } => Exit::Usage,
        SandboxError::Bind { .. }
        | SandboxError::Certificate(_)
        | SandboxError::Tls(_)
        | SandboxError::StateFile { .. }
        | SandboxError::StateBroken { .. } => Exit::Failed,
    };
    Failure::new(exit, error)
}

fn ready(sandbox: &Sandbox, ca_file: Option<&PathBuf>) -> Value {
    let scheme = if sandbox.ca_pem().is_some() { "https" } else { "http" };
    json!({
        "event": "ready", "url": format!("{scheme}://{}", sandbox.address()),
        "accounts": accounts_json(&sandbox.accounts()),
        "ca": ca_file, "ca_pem": sandbox.ca_pem(), "pid": std::process::id(),
    })
}

fn accounts_json(accounts: &[(String, String)]) -> Vec<Value> {
    let shown = accounts.iter();
    shown.map(|(name, app_id)| json!({ "name": name, "app_id": app_id })).collect()
}

/// The AppSecret where none is given: no secret.
const USUAL_SECRET: &str = "sandbox-app-secret";

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command};

    fn serve_args(line: &str) -> ServeArgs {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Sandbox(args) = cli.command else { panic!("not sandbox") };
        let SandboxArgs { command, serve } = *args;
        match command {
            Some(SandboxCommand::Serve(args)) => *args,
            Some(_) => panic!("another command"),
            None => serve,
        }
    }

    #[test]
    fn serve_may_be_left_out() {
        for line in ["wxgate sandbox serve --seed 7 --http", "wxgate sandbox --seed 7 --http"] {
            let options = options(serve_args(line));
            assert_eq!((options.seed, options.tls), (Some(7), Tls::Plain), "{line}");
            assert_eq!(options.listen.to_string(), "127.0.0.1:9443");
            assert_eq!(options.token_life.as_secs(), 7200);
            assert!(options.allow_control_over_http);
            assert!(options.push_hosts.is_empty());
        }
    }

    #[test]
    fn the_kind_is_one_that_is_simulated() {
        let kind = |line: &str| options(serve_args(line)).accounts[0].kind;
        assert_eq!(kind("wxgate sandbox"), AccountKind::MiniProgram);
        assert_eq!(kind("wxgate sandbox --kind wecom"), AccountKind::Wecom);
        let line = "wxgate sandbox --account open=open-platform:wx2:s:1";
        assert_eq!(kind(line), AccountKind::OpenPlatform);
        assert!(Cli::try_parse_from(["wxgate", "sandbox", "--kind", "generic"]).is_err());
    }

    #[tokio::test]
    async fn off_loopback_a_control_token_is_wanted() {
        let start = |line: &str| Sandbox::start(options(serve_args(line)), Tasks::default());
        let error = start("wxgate sandbox --listen 0.0.0.0:0 --http").await.unwrap_err();
        assert_eq!(refused(error).exit, Exit::Usage);
        let tasks = Tasks::default();
        let args = serve_args("wxgate sandbox --listen 127.0.0.1:0");
        let sandbox = Sandbox::start(options(args), tasks.clone()).await.unwrap();
        let ready = ready(&sandbox, None);
        assert!(ready["url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
        assert_eq!(ready["accounts"][0]["app_id"], "wx0123456789abcdef");
        tasks.shutdown().await;
    }

    #[test]
    fn more_apps_come_beside_a_named_one_or_instead_of_the_usual_one() {
        let names = |line: &str| {
            let accounts = options(serve_args(line)).accounts;
            accounts.into_iter().map(|account| account.name).collect::<Vec<_>>()
        };
        assert_eq!(names("wxgate sandbox --account a=wx1:s:1 --account b=wx1:t"), ["a", "b"]);
        assert_eq!(names("wxgate sandbox --account a=wx1:s --name shop"), ["shop", "a"]);
        assert_eq!(parse_account("a=wx1:s:1").unwrap().app_secret, "s:1");
        for bad in ["", "a", "a=wx1", "=wx1:s", "a=:s", "a=wx1:"] {
            assert!(parse_account(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_state_file_is_written_at_the_end_and_a_broken_one_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.json");
        let line = format!("wxgate sandbox --listen 127.0.0.1:0 --http --state {}", file.display());
        let start = || Sandbox::start(options(serve_args(&line)), Tasks::default());
        let sandbox = start().await.unwrap();
        sandbox.save().unwrap();
        assert!(start().await.is_ok());
        std::fs::write(&file, "{").unwrap();
        let error = start().await.unwrap_err();
        assert!(error.to_string().contains("state.json:1:1"), "{error}");
        assert_eq!(refused(error).exit, Exit::Failed);
    }
}
