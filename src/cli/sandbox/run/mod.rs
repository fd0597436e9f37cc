//! `wxgate sandbox run`: plays scenarios against a sandbox, a gateway, or one of its own.

mod caller;
mod multipart;
mod own;
mod player;
mod sent;
mod told;
mod watch;

use std::{path::Path, time::Duration};

use clap::Args;
use serde_json::Value;

use self::{
    caller::{Caller, Proof},
    own::OwnSandbox,
    player::Player,
    told::Told,
};
use super::{
    control::Control,
    reach::{Http, Place, TrustArgs},
};
use crate::{
    base::{
        clock::{Clock as _, SystemClock},
        secret::Secret,
        tasks::Tasks,
    },
    cli::{
        exit::{Exit, Failure, because},
        output::{Out, table},
    },
    scenario::{SHIPPED, Scenario, Scope, fill, read, shipped},
};

/// Which scenarios, and against what.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files, or names of scenarios that come with wxgate
    #[arg(value_name = "FILE", required_unless_present = "list", value_hint = clap::ValueHint::FilePath)]
    files: Vec<String>,
    /// Show the scenarios that come with wxgate
    #[arg(long)]
    list: bool,
    /// Where the calls go; without it, into a sandbox of its own
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// Access key of a gateway
    #[arg(long, value_name = "KEY", env = "WXGATE_KEY", hide_env_values = true, requires = "base")]
    key: Option<String>,
    /// AppID, to fetch a token directly
    #[arg(long, value_name = "ID", conflicts_with = "key", requires = "base")]
    app_id: Option<String>,
    /// Its AppSecret
    #[arg(
        long,
        value_name = "SECRET",
        env = "WXGATE_APP_SECRET",
        hide_env_values = true,
        requires = "app_id"
    )]
    app_secret: Option<String>,
    /// The account of a gateway, or of a sandbox with several
    #[arg(long, value_name = "NAME", requires = "base")]
    account: Option<String>,
    /// Where the sandbox is controlled, if not at the base
    #[arg(long, value_name = "URL", requires = "base")]
    control: Option<String>,
    /// What control wants to see, if it is no gateway
    #[arg(
        long,
        value_name = "TOKEN",
        env = "WXGATE_SANDBOX_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Give a variable of the scenario a value
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    vars: Vec<(String, String)>,
    /// Go on behind a failed step
    #[arg(long)]
    keep_going: bool,
}

/// Plays them one after the other; 1 if a step failed.
pub(super) async fn run(args: RunArgs, out: &Out) -> Result<Exit, Failure> {
    if args.list {
        return list(out);
    }
    // All files are read before the first call is sent.
    let scenarios: Vec<Scenario> =
        args.files.iter().map(|file| load(file, &args.vars)).collect::<Result<_, _>>()?;
    let mut failed = 0;
    for scenario in &scenarios {
        failed += play(scenario, &args, out).await?;
    }
    if failed == 0 {
        return Ok(Exit::Done);
    }
    if args.base.is_some() && args.key.is_none() && args.app_id.is_none() {
        out.note("calls went out without a token; give --app-id and --app-secret, or --key");
    }
    Err(Failure::silent(Exit::Failed))
}

/// One scenario; how many steps failed.
async fn play(scenario: &Scenario, args: &RunArgs, out: &Out) -> Result<usize, Failure> {
    let tasks = Tasks::default();
    let now_ms = SystemClock.unix_ms();
    // A fresh sandbox with a fixed seed is asked the same each time, too.
    let run = if args.base.is_none() { "000001".to_owned() } else { now_ms.to_string() };
    let mut scope = Scope::new(run, now_ms);
    let (caller, control) = match &args.base {
        Some(base) => elsewhere(base, args, &tasks)?,
        None => OwnSandbox::start(&tasks).await?.reach(&tasks)?,
    };
    set_vars(scenario, &args.vars, &mut scope)?;
    let mut player = Player::new(caller, control, scope);
    let mut told = Told::begin(scenario, out)?;
    player.begin(scenario).await;
    for (nth, step) in scenario.steps.iter().enumerate() {
        let began = tokio::time::Instant::now();
        let ended = player.step(step).await?;
        told.step(nth + 1, step, &ended, began.elapsed())?;
        if ended.is_err() && !args.keep_going {
            break;
        }
    }
    tokio::time::timeout(GRACE, tasks.shutdown()).await.ok();
    told.end()
}

/// The platform and the control of whatever `--base` names.
fn elsewhere(
    base: &str,
    args: &RunArgs,
    tasks: &Tasks,
) -> Result<(Caller, Option<Control>), Failure> {
    let place = Place::parse(base)?;
    let http = Http::new(&args.trust, tasks)?;
    let secret = |text: &Option<String>| text.clone().map(Secret::new);
    let proof = match (secret(&args.key), &args.app_id, secret(&args.app_secret)) {
        (Some(key), _, _) => Proof::Key(key),
        (None, Some(app_id), Some(secret)) => Proof::App { app_id: app_id.clone(), secret },
        (None, _, _) => Proof::Nothing,
    };
    let account = args.account.clone().or_else(|| place.account().map(ToOwned::to_owned));
    let bearer = secret(&args.control_token).or_else(|| secret(&args.key));
    // A gateway wants the account named; `demo` is that of a first start.
    let control_account = account.clone().or_else(|| args.key.as_ref().map(|_| "demo".to_owned()));
    let control_place = match &args.control {
        Some(url) => Some(Place::parse(url)?),
        // The real platform is not asked for things that only a sandbox knows.
        None => Some(place.clone()).filter(|place| args.key.is_some() || place.is_loopback()),
    };
    let control = control_place
        .map(|place| Control::new(http.clone(), &place, control_account, bearer.as_ref()))
        .transpose()?;
    Ok((Caller::new(http, place, proof, args.account.clone()), control))
}

/// A file, or else a scenario that comes with the program.
fn load(file: &str, given: &[(String, String)]) -> Result<Scenario, Failure> {
    let text = match (Path::new(file).exists(), shipped(file)) {
        (false, Some(text)) => text.to_owned(),
        _ => std::fs::read_to_string(file)
            .map_err(|error| Failure {
                exit: Exit::Usage,
                ..because(&format!("cannot read {file}"), error)
            })
            .map_err(|failure| {
                failure.hint("wxgate sandbox run --list shows what comes with wxgate")
            })?,
    };
    let scenario = read(&text).map_err(|mistakes| {
        let lines: Vec<String> =
            mistakes.iter().map(|mistake| format!("{file}:{mistake}")).collect();
        Failure::say(
            Exit::Usage,
            format!("the scenario is wrong, nothing was sent\n{}", lines.join("\n")),
        )
    })?;
    let unknown = given.iter().find(|(name, _)| !scenario.vars.contains_key(name));
    if let Some((name, _)) = unknown {
        let known: Vec<&str> = scenario.vars.keys().map(String::as_str).collect();
        let text = format!("{file} has no variable `{name}`: {}", known.join(", "));
        return Err(Failure::say(Exit::Usage, text));
    }
    let is_given = |name: &str| given.iter().any(|(known, _)| known == name);
    let missing: Vec<String> = scenario
        .missing_vars()
        .filter(|name| !is_given(name))
        .map(|name| format!("--var {name}=…"))
        .collect();
    if missing.is_empty() {
        return Ok(scenario);
    }
    let text = format!("{file} wants a value for each of: {}", missing.join(" "));
    Err(Failure::say(Exit::Usage, text))
}

fn set_vars(
    scenario: &Scenario,
    given: &[(String, String)],
    scope: &mut Scope,
) -> Result<(), Failure> {
    for (name, value) in &scenario.vars {
        let value = match given.iter().rev().find(|(known, _)| known == name) {
            Some((_, text)) if value.is_string() => Value::from(text.as_str()),
            Some((_, text)) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            None => fill(value, scope).map_err(|why| Failure::say(Exit::Usage, why))?,
        };
        scope.set(name, value);
    }
    Ok(())
}

fn list(out: &Out) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for (name, text) in SHIPPED {
        // A test reads each of them.
        let Ok(scenario) = read(text) else { continue };
        let steps = scenario.steps.len();
        if out.json {
            out.value(&serde_json::json!({
                "name": name, "about": scenario.about, "steps": steps,
                "vars": scenario.vars.keys().collect::<Vec<_>>(),
            }))?;
        }
        rows.push(vec![name.to_owned(), format!("{steps} steps"), scenario.about]);
    }
    if !out.json {
        out.line(table(&rows))?;
    }
    Ok(Exit::Done)
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// For the sandbox of its own to end.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
