//! `wxgate key`: access keys of this gateway, whether it runs or not.

mod create;
mod form;
mod list;
mod setup;

use std::{path::Path, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::create::CreateArgs;
use super::{
    exit::{Exit, Failure},
    host::{Held, Host, Reach},
    output::Out,
};
use crate::{
    access::{AccessMetrics, KeyRing},
    base::{clock::SystemClock, units::parse_duration},
    control::{RotateForm, made},
};

/// What to do with keys.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make a key; it is shown this one time 新建密钥
    Create(CreateArgs),
    /// List keys without their secrets 列出密钥
    List,
    /// Take a key back, from now on 吊销密钥
    Revoke {
        /// Name or id
        name: String,
    },
    /// Replace a key by one with the same rules 轮换密钥
    Rotate {
        /// Name or id
        name: String,
        /// How long the old key opens on, e.g. 1h [default: not a moment]
        #[arg(long, value_parser = parse_duration)]
        grace: Option<Duration>,
    },
}

/// Does it over the control socket, else on the database.
pub(super) async fn run(args: KeyArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    match args.command {
        KeyCommand::Create(args) => create::run(&args, &host, out).await,
        KeyCommand::List => list::run(&host, out).await,
        KeyCommand::Revoke { name } => revoke(&name, &host, out).await,
        KeyCommand::Rotate { name, grace } => rotate(&name, grace, &host, out).await,
    }
}

async fn revoke(name: &str, host: &Host, out: &Out) -> Result<Exit, Failure> {
    let key = match host.reach().await? {
        Reach::Running(gateway) => gateway.delete(&format!("/v1/keys/{}", segment(name))).await?,
        Reach::Stopped(held) => json!(ring(&held, host)?.revoke(name, BY).await?.as_ref()),
    };
    if out.json {
        out.value(&key)?;
    } else {
        let (name, id) = (text(&key, "name"), text(&key, "id"));
        out.line(host.language().pick(
            &format!("密钥 {name}（{id}）已吊销，即刻生效"),
            &format!("the key {name} ({id}) is revoked, from now on"),
        ))?;
    }
    Ok(Exit::Done)
}

async fn rotate(
    name: &str,
    grace: Option<Duration>,
    host: &Host,
    out: &Out,
) -> Result<Exit, Failure> {
    let key = match host.reach().await? {
        Reach::Running(gateway) => {
            let form = RotateForm { grace_s: grace.map(|grace| grace.as_secs()) };
            gateway.post(&format!("/v1/keys/{}/rotate", segment(name)), &form).await?
        }
        Reach::Stopped(held) => {
            let (key, text) = ring(&held, host)?.rotate(name, grace, BY).await?;
            made(&key, &text)
        }
    };
    create::show(&key, None, host, out)?;
    Ok(Exit::Done)
}

/// The keys of a gateway that does not run.
fn ring(held: &Held, host: &Host) -> Result<Arc<KeyRing>, Failure> {
    let clock = Arc::new(SystemClock);
    Ok(KeyRing::load(held.db.clone(), &host.config.keys, clock, AccessMetrics::default())?)
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn text<'a>(key: &'a Value, field: &str) -> &'a str {
    key.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Who did it, in the audit: somebody with a shell on the host.
const BY: &str = "cli";

#[cfg(test)]
mod tests;
