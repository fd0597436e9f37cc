//! `wxgate token`: how accounts stand with their issuer. Never shows a token.

mod lives;
mod moment;
mod names;
mod shown;
mod ticket;
mod verdict;

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    exit::{Exit, Failure},
    host::{Held, Host, Reach},
    output::Out,
};
use crate::{
    base::clock::{Clock as _, SystemClock},
    control::{RefreshForm, audit_row, judged, listed},
    store::InstallationKey,
    token::{Held as Kept, SlotId, history, verdicts},
};
use moment::Zone;
use verdict::Speech;

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
        /// The account, `shop` or `shop~sandbox` [default: all]
        account: Option<String>,
        /// How many generations, 1 to 1000
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
    },
    /// Read a third-party platform's component_verify_ticket from stdin 录入服务商票据
    Ticket {
        /// The account of kind open-platform
        account: String,
    },
    /// Forget a merchant that withdrew its authorization 忘记已取消授权的商家
    Forget {
        /// PLATFORM/APPID, as in open/wx0123456789abcdef
        merchant: String,
    },
}

/// Does it over the control socket; show and history also on the database.
pub(super) async fn run(
    args: TokenArgs,
    config: Option<&Path>,
    out: &Out,
) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    let (zone, speech) = (Zone::here(), Speech::new(host.language()));
    let standing = |tokens: &Value| shown::standing(tokens, &zone, &speech);
    match args.command {
        TokenCommand::Show => {
            let tokens = match host.reach().await? {
                Reach::Running(gateway) => gateway.get("/v1/tokens").await?,
                Reach::Stopped(held) => latest(&host, &held)?,
            };
            print(&tokens, standing, out)?;
        }
        TokenCommand::Refresh { account, force } => {
            let segment = names::segment(&names::slot(&host, &account)?);
            let target = format!("/v1/tokens/{segment}/refresh");
            let gateway = host.gateway().await?;
            if !out.json {
                out.note(host.language().pick("正在向平台取令牌…", "asking the platform …"));
            }
            let status = gateway.post(&target, &RefreshForm { force }).await.map_err(refused)?;
            print(&status, |status| standing(&json!({ "tokens": [status] })), out)?;
        }
        TokenCommand::Rotate => {
            let told = rotate(&host).await?;
            print(&told, |told| shown::rotated(told, host.language()), out)?;
        }
        TokenCommand::History { account, limit } => {
            let generations = generations(&host, account.as_deref(), limit.into()).await?;
            let now = jiff::Timestamp::try_from(SystemClock.now()).unwrap_or_default();
            print(&generations, |all| lives::shown(all, now, &zone, &speech), out)?;
        }
        TokenCommand::Ticket { account } => {
            let entered = ticket::enter(&host, &account).await?;
            print(&entered, |entered| shown::entered(entered, &zone, &speech), out)?;
        }
        TokenCommand::Forget { merchant } => {
            let segment = names::segment(&names::slot(&host, &merchant)?);
            let gateway = host.gateway().await?;
            let forgotten = gateway.delete(&format!("/v1/tokens/{segment}")).await?;
            let text = host.language().pick("已忘记", "forgotten");
            print(&forgotten, |_| format!("{text}: {merchant}"), out)?;
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

/// Of one account, or of all; the newest first.
async fn generations(host: &Host, account: Option<&str>, limit: usize) -> Result<Value, Failure> {
    let slot = account.map(|account| names::slot(host, account)).transpose()?;
    match host.reach().await? {
        Reach::Running(gateway) => {
            let segment = |slot| format!("{}/", names::segment(slot));
            let whose = slot.as_ref().map_or_else(String::new, segment);
            Ok(gateway.get(&format!("/v1/tokens/{whose}history?limit={limit}")).await?)
        }
        Reach::Stopped(held) => stored(&held, slot.as_ref(), limit),
    }
}

/// The generations that the database has of a slot, or of all.
fn stored(held: &Held, slot: Option<&SlotId>, limit: usize) -> Result<Value, Failure> {
    let slot = slot.map(ToString::to_string);
    let read = move |c: &rusqlite::Connection| history(c, slot.as_deref(), limit);
    Ok(listed(&held.db.read_blocking(read)?))
}

/// What is known while nothing runs: the last generation of each account and merchant, and the
/// last verdict.
fn latest(host: &Host, held: &Held) -> Result<Value, Failure> {
    let verdicts = held.db.read_blocking(verdicts)?;
    let mut tokens = Vec::new();
    for name in [names::all(host), names::stored_merchants(host, held)?].concat() {
        let slot = names::slot(host, &name)?;
        let found = stored(held, Some(&slot), 1)?;
        let last = found.get("generations").and_then(|list| list.get(0)).cloned();
        let own = host.config.accounts.iter().find(|account| account.name.as_str() == name);
        let app_id = own.map(|account| account.app_id.as_str()).or(match &slot.held {
            Kept::Merchant(app_id) => Some(app_id),
            Kept::Token | Kept::Ticket(_) => None,
        });
        let slot = slot.to_string();
        let status = json!({
            "slot": slot, "app_id": app_id,
            "state": "stopped", "token": null, "last_generation": last,
        });
        tokens.push(judged(status, &slot, &verdicts));
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
        let (zone, speech) = (moment::tests::beijing(), Speech::new(host.language()));
        let text = lives::shown(&lives, jiff::Timestamp::UNIX_EPOCH, &zone, &speech);
        assert!(text.contains("fp:9c1e") && text.contains("refused"), "{text}");
        assert!(text.contains("其他持有者") && text.contains("BESIDE-PRODUCTION.md"), "{text}");
        let one = generations(&host, Some("demo"), 20).await.unwrap();
        assert_eq!(one, lives);
        let shadow = generations(&host, Some("demo~sandbox"), 20).await.unwrap();
        assert_eq!(shadow, json!({"generations": []}));
        let held = host.hold().unwrap();
        let text = shown::standing(&latest(&host, &held).unwrap(), &zone, &speech);
        assert!(text.contains("demo ") && text.contains("stopped"), "{text}");
        assert!(text.contains("#1 died early"), "{text}");
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
