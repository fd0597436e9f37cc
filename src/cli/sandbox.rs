//! `wxgate sandbox`: the simulator of the platform by itself.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    exit::{Exit, Failure, because},
    output::Out,
    signals,
};
use crate::{
    base::{secret::Secret, tasks::Tasks, units::parse_duration},
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
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where it listens; off loopback it wants --control-token
    #[arg(long, default_value = "127.0.0.1:9443")]
    listen: SocketAddr,
    /// AppID of the simulated app
    #[arg(long, default_value = "wx0123456789abcdef")]
    app_id: String,
    /// Its simulated AppSecret; never a real one
    #[arg(long, default_value = "sandbox-app-secret")]
    app_secret: String,
    /// Its name in control calls: /-/sandbox/NAME/…
    #[arg(long, default_value = "demo")]
    name: String,
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
    /// Give out tokens and ids in the same order in every run
    #[arg(long)]
    seed: Option<u64>,
    /// How long access tokens live
    #[arg(long, value_name = "TIME", default_value = "2h", value_parser = parse_duration)]
    token_life: Duration,
    /// Write the CA to trust into this file; without it, it is printed
    #[arg(long, value_name = "FILE", conflicts_with = "http", value_hint = clap::ValueHint::FilePath)]
    ca_file: Option<PathBuf>,
}

/// Serves until a signal comes.
pub(super) async fn run(args: SandboxArgs, out: &Out) -> Result<Exit, Failure> {
    let args = match args.command {
        Some(SandboxCommand::Serve(args)) => args,
        None => args.serve,
    };
    let tasks = Tasks::default();
    let ca_file = args.ca_file.clone();
    let (app_id, name) = (args.app_id.clone(), args.name.clone());
    let sandbox = Sandbox::start(options(args), tasks.clone()).await.map_err(refused)?;
    if let (Some(file), Some(pem)) = (&ca_file, sandbox.ca_pem()) {
        let wrap = |error| because(&format!("cannot write {}", file.display()), error);
        std::fs::write(file, pem).map_err(wrap)?;
    }
    let ready = ready(&sandbox, ca_file.as_ref());
    if out.json {
        out.value(&ready)?;
    } else {
        out.line(told(&ready, &app_id, &name))?;
    }
    signals::wait_for_stop().await?;
    tasks.shutdown().await;
    Ok(Exit::Done)
}

fn options(args: ServeArgs) -> SandboxOptions {
    SandboxOptions {
        listen: args.listen,
        tls: if args.http { Tls::Plain } else { Tls::SelfMade },
        accounts: vec![SandboxAccount {
            name: args.name,
            app_id: args.app_id,
            app_secret: args.app_secret,
        }],
        control_token: args.control_token.map(Secret::new),
        allow_control_over_http: true,
        seed: args.seed,
        token_life: args.token_life,
    }
}

fn refused(error: SandboxError) -> Failure {
    let exit = match &error {
        SandboxError::ControlTokenNeeded { .. } | SandboxError::Account { .. } => Exit::Usage,
        SandboxError::Bind { .. } | SandboxError::Certificate(_) | SandboxError::Tls(_) => {
            Exit::Failed
        }
    };
    Failure::new(exit, error)
}

fn ready(sandbox: &Sandbox, ca_file: Option<&PathBuf>) -> Value {
    let scheme = if sandbox.ca_pem().is_some() { "https" } else { "http" };
    json!({
        "event": "ready", "url": format!("{scheme}://{}", sandbox.address()),
        "ca": ca_file, "ca_pem": sandbox.ca_pem(), "pid": std::process::id(),
    })
}

fn told(ready: &Value, app_id: &str, name: &str) -> String {
    let text = |field: &str| ready.get(field).and_then(Value::as_str);
    let url = text("url").unwrap_or_default();
    let mut lines = vec![
        format!("sandbox 沙箱: {url}"),
        format!("AppID: {app_id}"),
        format!(
            "control 控制: {url}/-/sandbox/{name}/ (faults, counters, clock, journal, reset, state)"
        ),
    ];
    match (text("ca"), text("ca_pem")) {
        (Some(file), _) => lines.push(format!("CA: {file}")),
        (None, Some(pem)) => lines.push(format!("CA:\n{pem}")),
        (None, None) => {}
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command};

    fn serve_args(line: &str) -> ServeArgs {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Sandbox(args) = cli.command else { panic!("not sandbox") };
        let SandboxArgs { command, serve } = *args;
        command.map_or(serve, |SandboxCommand::Serve(args)| args)
    }

    #[test]
    fn serve_may_be_left_out() {
        for line in ["wxgate sandbox serve --seed 7 --http", "wxgate sandbox --seed 7 --http"] {
            let options = options(serve_args(line));
            assert_eq!((options.seed, options.tls), (Some(7), Tls::Plain), "{line}");
            assert_eq!(options.listen.to_string(), "127.0.0.1:9443");
            assert_eq!(options.token_life.as_secs(), 7200);
            assert!(options.allow_control_over_http);
        }
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
        let told = told(&ready, "wx1", "demo");
        assert!(told.contains("BEGIN CERTIFICATE") && told.contains("/-/sandbox/demo/"), "{told}");
        tasks.shutdown().await;
    }
}
