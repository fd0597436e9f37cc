//! `wxgate init`: a proxy.toml for production, and what to do next.

mod ask;
mod next_steps;
mod plan;
mod toml_text;
mod write;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    exit::{Exit, Failure},
    output::Out,
};
use crate::base::{
    kind::{AccountKind, Language},
    name::Name,
};

/// What is known beforehand; on a terminal the rest is asked for.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// AppID of the first account; for kind wecom the CorpID
    #[arg(long)]
    app_id: Option<String>,
    /// Read its AppSecret from this file; it is never taken from the command line itself
    #[arg(long, value_name = "FILE", conflicts_with = "app_secret_stdin", value_hint = clap::ValueHint::FilePath)]
    app_secret_file: Option<PathBuf>,
    /// Read its AppSecret from stdin
    #[arg(long)]
    app_secret_stdin: bool,
    /// The account's short name [default: shop]
    #[arg(long)]
    name: Option<Name>,
    /// mini-program, official-account, wecom or generic [default: mini-program]
    #[arg(long)]
    kind: Option<AccountKind>,
    /// An origin of the API; repeat for several [default: the platform's own]
    #[arg(long, value_name = "URL")]
    upstream: Vec<String>,
    /// A name or address that the team calls this gateway by; repeat for several
    #[arg(long)]
    host: Vec<String>,
    /// The port [default: 8443]
    #[arg(long)]
    port: Option<u16>,
    /// A certificate chain of your own (PEM) instead of a self-signed one
    #[arg(long, value_name = "FILE", requires = "key", value_hint = clap::ValueHint::FilePath)]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = clap::ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// Language of messages: zh, en or both [default: both]
    #[arg(long)]
    language: Option<Language>,
    /// Overwrite what is there
    #[arg(long)]
    force: bool,
}

/// Writes proxy.toml and the AppSecret's file, both checked, or nothing.
pub(super) fn run(args: InitArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let file = config.unwrap_or_else(|| Path::new("proxy.toml")).to_owned();
    let force = args.force;
    write::refuse_to_overwrite(&file, force)?;
    let plan = ask::complete(args, out)?;
    let written = write::files(&plan, &file, force)?;
    if out.json {
        out.value(&json!({
            "config": written.config, "secret": written.secret, "account": plan.name,
            "enter_ip_at": next_steps::menu_of(&plan),
        }))?;
    } else {
        out.line(next_steps::text(&plan, &written))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests;
