//! `wxgate key create`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{
    BY, form, ring,
    setup::{self, Plan, Sdk, Setup},
    text,
};
use crate::{
    base::{
        cidr::Cidr,
        name::Name,
        permission::{ErrorStyle, Lane, Role},
        subject::{BadSubject, HOW, Subject},
        units::{Rate, parse_duration},
    },
    cli::{
        exit::{Exit, Failure},
        host::{Host, Reach},
        output::Out,
    },
    control::{KeyForm, made},
};

/// What the key may do.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// Who or what uses it: 1 to 32 of a-z, 0-9 and -
    pub(super) name: Name,
    /// developer, operator or viewer
    #[arg(long, default_value_t = Role::Developer)]
    pub(super) role: Role,
    /// An account it may call; repeat for several [default: all]
    #[arg(long = "account", value_name = "ACCOUNT")]
    pub(super) accounts: Vec<Name>,
    /// live, read-only or sandbox; must be given where real accounts are called [default: live]
    #[arg(long)]
    pub(super) lane: Option<Lane>,
    /// Allow dangerous calls: mass send, refunds, deletes …
    #[arg(long)]
    pub(super) allow_danger: bool,
    /// How refusals look: http, or wechat for HTTP 200 with an errcode [default: what --for reads, else http]
    #[arg(long, value_name = "STYLE")]
    pub(super) errors: Option<ErrorStyle>,
    /// How long it lives, e.g. 30d [default: until it is revoked]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(super) expires: Option<Duration>,
    /// A path prefix it may call, e.g. /shop; repeat for several [default: all]
    #[arg(long = "path", value_name = "PREFIX")]
    pub(super) paths: Vec<String>,
    /// A network it may call from, e.g. 203.0.113.0/24; repeat for several [default: all]
    #[arg(long = "network", value_name = "CIDR")]
    pub(super) networks: Vec<Cidr>,
    /// Whose client certificate counts as this key, e.g. "CN=ci,O=Shop" (see [tls] client_ca)
    #[arg(long, value_name = "SUBJECT", value_parser = parse_subject)]
    pub(super) subject: Option<Subject>,
    /// How often it may call, e.g. 50/s
    #[arg(long)]
    pub(super) rate: Option<Rate>,
    /// Also print what to paste into this SDK or tool
    #[arg(long = "for", value_name = "SDK", value_parser = setup::parser())]
    pub(super) sdk: Option<&'static Sdk>,
}

/// With what to do: subjects have a form that nobody knows by heart.
fn parse_subject(text: &str) -> Result<Subject, String> {
    text.parse().map_err(|error: BadSubject| format!("{error}; {HOW}"))
}

/// Makes the key and shows it, this one time.
pub(super) async fn run(args: &CreateArgs, host: &Host, out: &Out) -> Result<Exit, Failure> {
    let form = form::of(args, host)?;
    // Before the key is made: a wrong `--for` leaves nothing behind.
    let plan = args.sdk.map(|sdk| Plan::of(sdk, &form, host)).transpose()?;
    if form.subject.is_some() && host.config.client_ca.is_none() {
        out.note(host.language().pick(
            "proxy.toml 没有设置 [tls] client_ca：在此之前不会向客户端索取证书",
            "proxy.toml has no [tls] client_ca: until it does, no client is asked for a certificate",
        ));
    }
    let (key, is_running) = match host.reach().await? {
        Reach::Running(gateway) => (gateway.post("/v1/keys", &form).await?, true),
        Reach::Stopped(held) => (create(form, &ring(&held, host)?).await?, false),
    };
    let setup = plan.map(|plan| plan.fill(text(&key, "key"), is_running));
    show(&key, setup.as_ref(), host, out)?;
    Ok(Exit::Done)
}

async fn create(
    form: KeyForm,
    ring: &std::sync::Arc<crate::access::KeyRing>,
) -> Result<Value, Failure> {
    let new = form.into_new_key().map_err(|error| Failure::new(Exit::Usage, error))?;
    let (key, text) = ring.create(new, BY).await?;
    Ok(made(&key, &text))
}

/// Prints a new key: the text on a line of its own, so that it is easy to copy, and behind it
/// the setup of an SDK, if one was asked for.
pub(super) fn show(
    key: &Value,
    setup: Option<&Setup>,
    host: &Host,
    out: &Out,
) -> Result<(), Failure> {
    if out.json {
        let mut shown = key.clone();
        if let (Value::Object(fields), Some(setup)) = (&mut shown, setup) {
            fields.insert("setup".to_owned(), json!(setup));
        }
        return out.value(&shown);
    }
    let told = told(key, host);
    match setup {
        Some(setup) => out.line(format!("{told}\n\n{}", setup.told(host.language()))),
        None => out.line(told),
    }
}

fn told(key: &Value, host: &Host) -> String {
    let (name, id, lane) = (text(key, "name"), text(key, "id"), text(key, "lane"));
    let end = key.get("expires").and_then(Value::as_str);
    let (end_zh, end_en) = end.map_or_else(
        || ("不过期".to_owned(), "no end".to_owned()),
        |end| (format!("{end} 到期"), format!("until {end}")),
    );
    let language = host.language();
    let head = language.pick(
        &format!("密钥 {name}（{id}），{lane} 档，{end_zh}。只显示这一次："),
        &format!("key {name} ({id}), lane {lane}, {end_en}. Shown this one time:"),
    );
    format!("{head}\n{}", text(key, "key"))
}
