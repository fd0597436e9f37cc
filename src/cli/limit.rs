//! `wxgate limit reset`: frees paths that were blocked after 45009 or 45011.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    exit::{Exit, Failure},
    host::{Held, Host, Reach},
    output::Out,
};
use crate::{
    access::{AccessMetrics, QuotaGate},
    base::{
        clock::{Clock as _, SystemClock},
        name::Name,
    },
    control::{ResetForm, audit_row},
};

/// What to do with limits.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    #[command(subcommand)]
    command: LimitCommand,
}

#[derive(Debug, Subcommand)]
enum LimitCommand {
    /// Let calls through again after the platform's quota was raised or cleared 立即放行
    Reset {
        /// Of this account [default: all]
        account: Option<Name>,
    },
}

/// Does it over the control socket, else on the database.
pub(super) async fn run(
    args: LimitArgs,
    config: Option<&Path>,
    out: &Out,
) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    let LimitCommand::Reset { account } = args.command;
    let done = match host.reach().await? {
        Reach::Running(gateway) => gateway.post("/v1/limits/reset", &ResetForm { account }).await?,
        Reach::Stopped(held) => json!({ "freed": reset(&host, &held, account.as_ref()).await? }),
    };
    if out.json {
        out.value(&done)?;
    } else {
        let freed = done.get("freed").and_then(Value::as_u64).unwrap_or(0);
        out.line(
            host.language().pick(
                &format!("已放行 {freed} 个路径"),
                &format!("{freed} path(s) are free again"),
            ),
        )?;
    }
    Ok(Exit::Done)
}

async fn reset(host: &Host, held: &Held, account: Option<&Name>) -> Result<usize, Failure> {
    let known: Vec<&Name> = host.config.accounts.iter().map(|account| &account.name).collect();
    if let Some(account) = account.filter(|account| !known.contains(account)) {
        let list = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let text = format!("proxy.toml has no account `{account}`; it has: {list}");
        return Err(Failure::say(Exit::Usage, text));
    }
    let now = SystemClock.now();
    let gate = QuotaGate::load(held.db.clone(), now, AccessMetrics::default())?;
    let wanted = account.map_or(known, |account| vec![account]);
    let freed = wanted.iter().map(|account| gate.clear(account)).sum();
    gate.flush(now).await?;
    let subject = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    held.db.write(move |t| audit_row(t, now, "cli", "reset limits", &subject)).await?;
    Ok(freed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::host;

    #[tokio::test]
    async fn a_block_of_a_gateway_that_does_not_run_is_gone_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let host = host::tests::stopped(dir.path());
        let demo: Name = "demo".parse().unwrap();
        let now = SystemClock.now();
        let load =
            |held: &Held| QuotaGate::load(held.db.clone(), now, AccessMetrics::default()).unwrap();
        {
            let held = host.hold().unwrap();
            let gate = load(&held);
            gate.note(&demo, "/cgi-bin/menu/create", 45_009, now);
            gate.flush(now).await.unwrap();
            assert!(load(&held).check(&demo, "/cgi-bin/menu/create", now).is_err());
        }
        let held = host.hold().unwrap();
        assert_eq!(reset(&host, &held, Some(&demo)).await.unwrap(), 1);
        assert!(load(&held).check(&demo, "/cgi-bin/menu/create", now).is_ok());
        assert_eq!(reset(&host, &held, None).await.unwrap(), 0);
        let unknown = "nobody".parse().unwrap();
        let failure = reset(&host, &held, Some(&unknown)).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }
}
