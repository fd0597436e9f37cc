//! `wxgate sandbox ctl`: the control of a sandbox that runs.

mod words;

use std::{io::Read as _, path::PathBuf};

use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use self::words::{FaultArgs, Question};
use super::{
    control::{Control, ControlAnswer},
    reach::{Http, Place, TrustArgs, unreachable},
};
use crate::{
    base::{secret::Secret, tasks::Tasks},
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
    #[arg(long, global = true, value_name = "NAME")]
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

/// What can be asked of a sandbox.
#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Show faults, arm one, or clear them all 故障
    Faults {
        #[command(subcommand)]
        change: Option<FaultChange>,
    },
    /// Show how often what was called 计数
    Counters,
    /// Show the clock, or move it 时钟
    Clock {
        #[command(subcommand)]
        change: Option<ClockChange>,
    },
    /// Show every call and what was answered 日志
    Journal,
    /// Show events, or fire one 事件
    Events {
        #[command(subcommand)]
        fire: Option<EventChange>,
        /// Only those behind this number
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Show deliveries of events and what was answered 推送记录
    Pushes {
        /// Only those behind this number
        #[arg(long, value_name = "SEQ")]
        after: Option<u64>,
    },
    /// Show where events are pushed to, or change it: url=… token=… mode=secure format=json 推送配置
    Push {
        /// Settings, or nothing to see them
        #[arg(value_name = "NAME=VALUE")]
        changes: Vec<String>,
        /// Push nothing any more
        #[arg(long, conflicts_with = "changes")]
        off: bool,
    },
    /// Show the state or a part of it, or change switches: audit_delay_s=5 frozen=true 状态与开关
    State {
        /// Switches, whose values are JSON or else texts; or the name of one part
        #[arg(value_name = "NAME=VALUE")]
        changes: Vec<String>,
    },
    /// Forget everything 重置
    Reset {
        /// But for the switches
        #[arg(long)]
        keep_settings: bool,
    },
    /// Print everything as JSON, for restore 快照
    Snapshot,
    /// Put a snapshot in place 恢复快照
    Restore {
        /// What snapshot printed; - for stdin
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show accounts, add one, or remove one 账号
    Accounts {
        #[command(subcommand)]
        change: Option<AccountChange>,
    },
    /// Make a link to the page where a person pays an order 收银台
    Cashier {
        /// order_id or out_order_id
        order: String,
    },
    /// Show what is under audit, or decide it 审核
    Audits {
        #[command(subcommand)]
        decide: Option<AuditChange>,
    },
    /// Any control call: METHOD, what stands behind the account, JSON 任意控制调用
    Call {
        /// GET, POST …
        method: String,
        /// Such as events?after=7
        rest: String,
        /// The body
        #[arg(value_name = "JSON")]
        body: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum FaultChange {
    /// Arm one 添加
    Add(Box<FaultArgs>),
    /// Disarm one 移除
    Remove {
        /// Its id
        id: String,
    },
    /// Disarm all 清除
    Clear,
}

#[derive(Debug, Subcommand)]
enum ClockChange {
    /// Move it forward, e.g. 2h 前进
    Advance {
        /// 90s, 2h, 7d
        time: String,
    },
    /// Move it forward to a moment 拨到
    At {
        /// Such as 2026-06-15T10:20:00+08:00
        time: String,
    },
    /// Stop it 冻结
    Freeze,
    /// Let it run 继续
    Run,
}

#[derive(Debug, Subcommand)]
enum EventChange {
    /// Fire one, with what its message holds 触发
    Fire {
        /// Its name
        name: String,
        /// A JSON object
        set: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum AccountChange {
    /// Add one 添加
    Add {
        /// Its name in control calls
        name: String,
        /// Its AppID; without it, one is made
        #[arg(long)]
        app_id: Option<String>,
        /// Its simulated AppSecret, never a real one; without it, one is made
        #[arg(long)]
        app_secret: Option<String>,
    },
    /// Remove one 删除
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum AuditChange {
    /// Let it pass 通过
    Pass {
        /// The audit's id
        id: String,
    },
    /// Reject it 驳回
    Reject {
        /// The audit's id
        id: String,
        /// What the merchant is told
        reason: Option<String>,
    },
}

/// Asks, and prints what control says.
pub(super) async fn run(args: CtlArgs, out: &Out) -> Result<Exit, Failure> {
    let tasks = Tasks::default();
    let question = question(&args.command)?;
    let answer = ask(&args.at, &question, &tasks).await?;
    let value = answer.value_or_end()?;
    match &args.command {
        // Byte for byte, so that it can be put back.
        CtlCommand::Snapshot => out.raw(&answer.body)?,
        CtlCommand::Cashier { .. } if !out.json => out.line(tame(&cashier(&value)))?,
        _ if out.json => out.value(&value)?,
        _ => out.line(tame(&serde_json::to_string_pretty(&value)?))?,
    }
    Ok(Exit::Done)
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
        CtlCommand::Events { fire: Some(EventChange::Fire { name, set }), .. } => {
            let set = set.as_deref().map_or_else(|| Ok(json!({})), words::json)?;
            Question::post("events", &json!({ "event": name, "set": set }))
        }
        CtlCommand::Pushes { after: seq } => after("pushes", seq),
        CtlCommand::Push { off: true, .. } => Question::delete("push"),
        CtlCommand::Push { changes, off: false } => changed("push", changes)?,
        CtlCommand::State { changes } => match changes.as_slice() {
            [part] if !part.contains('=') => Question::get(format!("state/{part}")),
            changes => changed("state", changes)?,
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

fn changed(what: &str, changes: &[String]) -> Result<Question, Failure> {
    Ok(if changes.is_empty() {
        Question::get(what)
    } else {
        Question::post(what, &words::assignments(changes)?)
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
        Some(AccountChange::Add { name, app_id, app_secret }) => {
            let account = words::given([
                ("name", json!(name)),
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
