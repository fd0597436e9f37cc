//! `wxgate sandbox ctl`: the control of a sandbox that runs.

mod command;
mod words;

use std::{io::Read as _, path::PathBuf};

use bytes::Bytes;
use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use self::{
    command::{AccountChange, AuditChange, ClockChange, CtlCommand, EventChange, FaultChange},
    words::Question,
};
use super::{
    control::{Control, ControlAnswer},
    reach::{Http, Place, TrustArgs, unreachable},
};
use crate::{
    base::{kind::AccountKind, secret::Secret, tasks::Tasks},
    cli::{
        exit::{Exit, Failure, because},
        output::{Out, tame},
    },
    wire::WireError,
};

/// Which sandbox, and what to do with it.
#[derive(Debug, Args)]
pub(super) struct CtlArgs {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    command: CtlCommand,
}

/// Where control is reached.
#[derive(Debug, Args)]
struct At {
    /// The sandbox or the gateway [default: the sandbox on 127.0.0.1:9443, https or http]
    #[arg(long, global = true, value_name = "URL", env = "WXGATE_SANDBOX_URL")]
    url: Option<String>,
    /// Its account [default: the only one; demo at a gateway]
    // `sandbox` itself has an `account` that is more than a name, and ids are shared upwards.
    #[arg(id = "ctl_account", long = "account", global = true, value_name = "NAME")]
    account: Option<String>,
    /// The control token of a sandbox
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "WXGATE_SANDBOX_CONTROL_TOKEN",
        hide_env_values = true
    )]
    control_token: Option<String>,
    /// An operator's access key of a gateway
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "WXGATE_KEY",
        hide_env_values = true,
        conflicts_with = "control_token"
    )]
    key: Option<String>,
    /// The CA to trust: certs/ca.pem of a gateway, --ca-file of a sandbox
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "insecure_loopback", value_hint = clap::ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// Take any certificate, from this host only
    #[arg(long, global = true)]
    insecure_loopback: bool,
}

/// Asks, and prints what control says.
pub(super) async fn run(args: CtlArgs, out: &Out) -> Result<Exit, Failure> {
    let tasks = Tasks::default();
    let question = question(&args.command)?;
    let answer = ask(&args.at, &question, &tasks).await?;
    let mut value = answer.value_or_end()?;
    if let CtlCommand::Snapshot = args.command {
        // Byte for byte, so that it can be put back.
        out.raw(&answer.body)?;
        return Ok(Exit::Done);
    }
    if let CtlCommand::Cashier { .. } = args.command {
        complete_link(&mut value, &answer.origin);
    }
    if out.json {
        out.value(&value)?;
    } else {
        out.line(tame(&told(&args.command, value)?))?;
    }
    Ok(Exit::Done)
}

/// What a person is shown of an answer.
fn told(command: &CtlCommand, answer: Value) -> serde_json::Result<String> {
    let shown = match command {
        CtlCommand::Cashier { .. } => return Ok(cashier(&answer)),
        CtlCommand::State { changes } => changed_switches(answer, changes),
        CtlCommand::Reset { .. } => live(answer),
        CtlCommand::Faults { .. }
        | CtlCommand::Counters
        | CtlCommand::Clock { .. }
        | CtlCommand::Journal
        | CtlCommand::Events { .. }
        | CtlCommand::Pushes { .. }
        | CtlCommand::Push { .. }
        | CtlCommand::Snapshot
        | CtlCommand::Restore { .. }
        | CtlCommand::Accounts { .. }
        | CtlCommand::Audits { .. }
        | CtlCommand::Call { .. } => answer,
    };
    serde_json::to_string_pretty(&shown)
}

/// What a command asks of control.
fn question(command: &CtlCommand) -> Result<Question, Failure> {
    let after = |what: &str, after: &Option<u64>| match after {
        Some(seq) => Question::get(format!("{what}?after={seq}")),
        None => Question::get(what),
    };
    Ok(match command {
        CtlCommand::Faults { change: None } => Question::get("faults"),
        CtlCommand::Faults { change: Some(FaultChange::Add(fault)) } => {
            Question::post("faults", &fault.to_json()?)
        }
        CtlCommand::Faults { change: Some(FaultChange::Remove { id }) } => {
            Question::delete(format!("faults/{id}"))
        }
        CtlCommand::Faults { change: Some(FaultChange::Clear) } => Question::delete("faults"),
        CtlCommand::Counters => Question::get("counters"),
        CtlCommand::Clock { change } => clock(change.as_ref())?,
        CtlCommand::Journal => Question::get("journal"),
        CtlCommand::Events { fire: None, after: seq } => after("events", seq),
        CtlCommand::Events { fire: Some(EventChange::Fire { name, set, force }), .. } => {
            let set = set.as_deref().map_or_else(|| Ok(json!({})), words::json)?;
            let force = if *force { json!(true) } else { Value::Null };
            let fields = [("event", json!(name)), ("set", set), ("force", force)];
            Question::post("events", &words::given(fields))
        }
        CtlCommand::Pushes { after: seq } => after("pushes", seq),
        CtlCommand::Push { off: true, .. } => Question::delete("push"),
        CtlCommand::Push { changes, off: false } if changes.is_empty() => Question::get("push"),
        CtlCommand::Push { changes, off: false } => Question::post("push", &words::texts(changes)?),
        CtlCommand::State { changes } => match changes.as_slice() {
            [part] if !part.contains('=') => Question::get(format!("state/{part}")),
            [] => Question::get("state"),
            changes => Question::post("state", &words::assignments(changes)?),
        },
        CtlCommand::Reset { keep_settings: false } => Question::post_nothing("reset"),
        CtlCommand::Reset { keep_settings: true } => {
            Question::post("reset", &json!({ "keep_settings": true }))
        }
        CtlCommand::Snapshot => Question::get("snapshot"),
        CtlCommand::Restore { file } => {
            Question { method: Method::POST, rest: "restore".to_owned(), body: snapshot(file)? }
        }
        CtlCommand::Accounts { change } => accounts(change.as_ref()),
        CtlCommand::Cashier { order } => Question::post("cashier", &words::order(order)),
        CtlCommand::Audits { decide } => audits(decide.as_ref()),
        CtlCommand::Call { method, rest, body } => words::any_call(method, rest, body.as_deref())?,
    })
}

fn clock(change: Option<&ClockChange>) -> Result<Question, Failure> {
    Ok(match change {
        None => Question::get("clock"),
        Some(ClockChange::Advance { time }) => {
            Question::post("clock", &json!({ "advance_s": words::whole_seconds(time)? }))
        }
        Some(ClockChange::At { time }) => Question::post("clock", &json!({ "at": time })),
        Some(ClockChange::Freeze) => Question::post("clock", &json!({ "freeze": true })),
        Some(ClockChange::Run) => Question::post("clock", &json!({ "run": true })),
    })
}

fn accounts(change: Option<&AccountChange>) -> Question {
    match change {
        None => Question::get("accounts"),
        Some(AccountChange::Add { name, kind, app_id, app_secret }) => {
            let account = words::given([
                ("name", json!(name)),
                ("kind", json!(kind.map(AccountKind::as_str))),
                ("app_id", json!(app_id)),
                ("app_secret", json!(app_secret)),
            ]);
            Question::post("accounts", &account)
        }
        Some(AccountChange::Remove { name }) => Question::delete(format!("accounts/{name}")),
    }
}

fn audits(decide: Option<&AuditChange>) -> Question {
    match decide {
        None => Question::get("audits"),
        Some(AuditChange::Pass { id }) => {
            Question::post("audits", &json!({ "id": id, "pass": true }))
        }
        Some(AuditChange::Reject { id, reason }) => {
            let mut verdict = json!({ "id": id, "pass": false });
            if let Some(reason) = reason {
                verdict["reason"] = json!(reason);
            }
            Question::post("audits", &verdict)
        }
    }
}

fn snapshot(file: &PathBuf) -> Result<Bytes, Failure> {
    let wrap = |error| because(&format!("cannot read {}", file.display()), error);
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(wrap)?;
        return Ok(bytes.into());
    }
    std::fs::read(file).map(Bytes::from).map_err(wrap)
}

/// Control knows paths, and not under which name it was reached.
fn complete_link(answer: &mut Value, origin: &str) {
    if let Some(Value::String(url)) = answer.get_mut("url") {
        url.insert_str(0, origin);
    }
}

/// Of the whole state the switches that were set; everything if none was.
fn changed_switches(answer: Value, changes: &[String]) -> Value {
    let names = changes.iter().filter_map(|word| Some(word.split_once('=')?.0.trim()));
    let switch = |name| Some((String::from(name), answer.get("settings")?.get(name)?.clone()));
    let set: Map<String, Value> = names.filter_map(switch).collect();
    if set.is_empty() { answer } else { Value::Object(set) }
}

/// The state without the switches.
fn live(mut answer: Value) -> Value {
    answer.get_mut("live").map_or(Value::Null, Value::take)
}

fn cashier(answer: &Value) -> String {
    let url = answer.get("url").and_then(Value::as_str).unwrap_or_default();
    match answer.get("expires_in").and_then(Value::as_u64) {
        Some(seconds) => format!("{url}\nvalid for {seconds} s"),
        None => url.to_owned(),
    }
}

/// Where nothing else is said, the sandbox is where `wxgate sandbox` puts it, with or without TLS.
async fn ask(at: &At, question: &Question, tasks: &Tasks) -> Result<ControlAnswer, Failure> {
    let (url, is_said) = match &at.url {
        Some(url) => (url.as_str(), true),
        None => (USUAL, false),
    };
    let is_careless = at.insecure_loopback || (!is_said && at.ca.is_none());
    let asked = ask_at(at, url, is_careless, question, tasks).await?;
    match asked {
        Err(WireError::Tls { .. }) if !is_said => {
            ask_at(at, USUAL_PLAIN, true, question, tasks).await?.map_err(unreachable)
        }
        asked => asked.map_err(unreachable),
    }
}

async fn ask_at(
    at: &At,
    url: &str,
    is_careless: bool,
    question: &Question,
    tasks: &Tasks,
) -> Result<Result<ControlAnswer, WireError>, Failure> {
    let trust = TrustArgs { ca: at.ca.clone(), insecure_loopback: is_careless };
    let http = Http::new(&trust, tasks)?;
    let place = Place::parse(url)?;
    let bearer = at.key.as_ref().or(at.control_token.as_ref()).cloned().map(Secret::new);
    let account = at.account.clone().or_else(|| place.account().map(ToOwned::to_owned));
    let account = account.or_else(|| at.key.as_ref().map(|_| "demo".to_owned()));
    let control = Control::new(http, &place, account, bearer.as_ref())?;
    let Question { method, rest, body } = question;
    Ok(control.ask(method, rest, body.clone()).await)
}

/// As `wxgate sandbox` listens.
const USUAL: &str = "https://127.0.0.1:9443";
const USUAL_PLAIN: &str = "http://127.0.0.1:9443";

#[cfg(test)]
mod tests;
