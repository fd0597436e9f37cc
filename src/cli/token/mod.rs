//! `wxgate token`: how accounts stand with their issuer. Never shows a token.

mod shown;

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    exit::{Exit, Failure},
    host::{Held, Host, Reach},
    output::Out,
};
use crate::{
    base::{
        clock::{Clock as _, SystemClock},
        name::Name,
    },
    control::{RefreshForm, audit_row, explained},
    store::InstallationKey,
    token::{SlotId, history},
};

/// What to do with tokens.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// How every account's token stands 令牌状态
    Show,
    /// Fetch now, in the mode that hurts nobody else 立即取一次令牌
    Refresh {
        /// The account
        account: String,
        /// Retire the token of every holder of the AppSecret, production's too
        #[arg(long)]
        force: bool,
    },
    /// Seal with a new installation key from now on; nothing is taken back 更换封存密钥
    Rotate,
    /// How the latest tokens lived and what ended them 令牌时间线
    History {
        /// The account [default: all]
        account: Option<String>,
        /// How many generations
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
}

/// Does it over the control socket; show and history also on the database.
pub(super) async fn run(
    args: TokenArgs,
    config: Option<&Path>,
    out: &Out,
) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    match args.command {
        TokenCommand::Show => {
            let tokens = match host.reach().await? {
                Reach::Running(gateway) => gateway.get("/v1/tokens").await?,
                Reach::Stopped(held) => latest(&host, &held)?,
            };
            print(&tokens, shown::standing, out)?;
        }
        TokenCommand::Refresh { account, force } => {
            let target = format!("/v1/tokens/{account}/refresh");
            let gateway = host.gateway().await?;
            if !out.json {
                out.note(host.language().pick("正在向平台取令牌…", "asking the platform …"));
            }
            let status = gateway.post(&target, &RefreshForm { force }).await.map_err(refused)?;
            print(&status, |status| shown::standing(&json!({ "tokens": [status] })), out)?;
        }
        TokenCommand::Rotate => {
            let told = rotate(&host).await?;
            print(&told, |told| shown::rotated(told, host.language()), out)?;
        }
        TokenCommand::History { account, limit } => {
            let generations = generations(&host, account.as_deref(), limit).await?;
            print(&generations, shown::lives, out)?;
        }
    }
    Ok(Exit::Done)
}

/// By the running gateway, else on the file.
async fn rotate(host: &Host) -> Result<Value, Failure> {
    match host.reach().await? {
        Reach::Running(gateway) => {
            Ok(gateway.post("/v1/installation-key/rotate", &json!({})).await?)
        }
        Reach::Stopped(held) => {
            let now = SystemClock.now();
            let row = move |t: &rusqlite::Transaction<'_>| {
                audit_row(t, now, "cli", "rotate", "installation key")
            };
            held.db.write(row).await?;
            let key = InstallationKey::load_or_create(&host.data_file("installation.key"))?;
            Ok(json!({ "keys": key.rotate()? }))
        }
    }
}

fn print(value: &Value, text: impl Fn(&Value) -> String, out: &Out) -> Result<(), Failure> {
    if out.json { out.value(value) } else { out.line(text(value)) }
}

/// A refused address is told with the menu where it is entered.
fn refused(error: crate::control::ClientError) -> Failure {
    let errcode = error.errcode();
    let failure = Failure::from(error);
    match errcode {
        Some(errcode) => {
            let text = failure.text().unwrap_or_default().replace('"', "");
            failure.hint(format!("wxgate explain \"{errcode} {}\"", errmsg_in(&text)))
        }
        None => failure,
    }
}

/// The platform's own words out of `… errcode 40164 (invalid ip …)`.
fn errmsg_in(text: &str) -> &str {
    let inside = text.split_once(" (").and_then(|(_, rest)| rest.rsplit_once(')'));
    inside.map_or("", |(errmsg, _)| errmsg)
}

async fn generations(host: &Host, account: Option<&str>, limit: usize) -> Result<Value, Failure> {
    let reach = host.reach().await?;
    let mut all = Vec::new();
    let accounts = account.map_or_else(|| names(host), |account| vec![account.to_owned()]);
    for account in accounts {
        let found = match &reach {
            Reach::Running(gateway) => {
                gateway.get(&format!("/v1/tokens/{account}/history?limit={limit}")).await?
            }
            Reach::Stopped(held) => stored(host, held, &account, limit)?,
        };
        all.extend(found.get("generations").and_then(Value::as_array).cloned().unwrap_or_default());
    }
    Ok(json!({ "generations": all }))
}

fn names(host: &Host) -> Vec<String> {
    host.config.accounts.iter().map(|account| account.name.to_string()).collect()
}

/// The generations that the database has of an account, or of its shadow in the sandbox.
fn stored(host: &Host, held: &Held, account: &str, limit: usize) -> Result<Value, Failure> {
    let (plain, is_shadow) =
        account.strip_suffix("~sandbox").map_or((account, false), |a| (a, true));
    let name =
        plain.parse::<Name>().ok().filter(|_| names(host).iter().any(|known| known == plain));
    let name = name.ok_or_else(|| {
        let list = names(host).join(", ");
        Failure::say(Exit::Usage, format!("proxy.toml has no account `{plain}`; it has: {list}"))
    })?;
    let slot = if is_shadow { SlotId::shadow(name) } else { SlotId::real(name) }.to_string();
    let found = held.db.read_blocking(move |connection| history(connection, &slot, limit))?;
    Ok(json!({ "generations": found.iter().map(explained).collect::<Vec<_>>() }))
}

/// What is known while nothing runs: the last generation of each account.
fn latest(host: &Host, held: &Held) -> Result<Value, Failure> {
    let mut tokens = Vec::new();
    for account in &host.config.accounts {
        let found = stored(host, held, account.name.as_str(), 1)?;
        let last = found.get("generations").and_then(|list| list.get(0)).cloned();
        tokens.push(json!({
            "slot": SlotId::real(account.name.clone()), "app_id": account.app_id,
            "state": "stopped", "token": null, "last_generation": last,
        }));
    }
    Ok(json!({ "tokens": tokens }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::host;

    #[tokio::test]
    async fn without_a_gateway_the_timeline_is_read_and_nothing_is_fetched() {
        let dir = tempfile::tempdir().unwrap();
        let host = host::tests::stopped(dir.path());
        {
            let held = host.hold().unwrap();
            let insert = "INSERT INTO generation (id, slot, fingerprint, fetched_by, born_ms, planned_end_ms,
                          ended_ms, last_good_ms, first_refusal_ms, end_reason, verdict)
                          VALUES (1, 'demo/token', 'fp:9c1e', 'stable', 1000, 7201000, 60000, 50000, 60000,
                          'refused', 'foreign_fetch')";
            held.db.write(move |t| t.execute(insert, [])).await.unwrap();
        }
        let lives = generations(&host, None, 20).await.unwrap();
        let text = shown::lives(&lives);
        assert!(text.contains("fp:9c1e") && text.contains("refused"), "{text}");
        assert!(text.contains("another holder of the AppSecret"), "{text}");
        let held = host.hold().unwrap();
        let text = shown::standing(&latest(&host, &held).unwrap());
        assert!(text.contains("demo/token") && text.contains("stopped"), "{text}");
        drop(held);
        let failure = generations(&host, Some("nobody"), 1).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn a_refusal_of_the_platform_leads_to_its_explanation() {
        let answer = json!({
            "error": "the issuer refused shop/token: errcode 40164 (invalid ip 203.0.113.9, not in whitelist)",
            "errcode": 40164,
        });
        let status = http::StatusCode::BAD_GATEWAY;
        let failure = refused(crate::control::ClientError::Refused { status, answer });
        assert_eq!(failure.exit, Exit::Platform);
        let wanted = "wxgate explain \"40164 invalid ip 203.0.113.9, not in whitelist\"";
        assert_eq!(failure.hint.as_deref(), Some(wanted));
    }
}
