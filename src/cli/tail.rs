//! `wxgate tail`: requests as they happen.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::{
    detail,
    exit::{Exit, Failure},
    host::Host,
    line,
    output::{Out, paint},
};

/// Which requests, and how much of them.
#[derive(Debug, Args)]
pub(super) struct TailArgs {
    /// A filter, e.g. 'account:shop errcode:!0 -path:/cgi-bin'
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// Show headers and bodies
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// Prints until the gateway stops or the user does. Private fields are masked.
pub(super) async fn run(args: TailArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    let filter = args.filter.join(" ");
    let filter = percent_encoding::utf8_percent_encode(&filter, percent_encoding::NON_ALPHANUMERIC);
    let mut lines = host.gateway().await?.lines(&format!("/v1/tail?filter={filter}")).await?;
    if !out.json && out.is_terminal() {
        out.note(
            host.language()
                .pick("等待请求…（Ctrl-C 结束）", "waiting for requests … (Ctrl-C ends)"),
        );
    }
    while let Some(text) = lines.next().await? {
        if let Some(text) = shown(&text, args.verbose, out)? {
            out.line(text)?;
        }
    }
    Err(Failure::say(Exit::Unreachable, "the gateway has stopped; start it and run this again"))
}

/// One line of the stream as it is printed; none for a heartbeat.
fn shown(text: &str, is_verbose: bool, out: &Out) -> Result<Option<String>, Failure> {
    let value: Value = serde_json::from_str(text)?;
    if value.get("heartbeat").is_some() {
        return Ok(None);
    }
    if out.json {
        // As it was sent: the order of fields and the spelling of numbers are kept.
        return Ok(Some(text.to_owned()));
    }
    if let Some(missed) = value.get("gap").and_then(Value::as_u64) {
        let text = format!("… {missed} requests were too fast to be shown; see wxgate export");
        return Ok(Some(paint(&text, line::DIM, out.color)));
    }
    let text = if is_verbose { detail::of(&value, out.color) } else { line::of(&value, out.color) };
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: Out = Out { json: false, color: false };
    const PROGRAMS: Out = Out { json: true, color: false };

    #[test]
    fn heartbeats_are_silent_and_gaps_are_told() {
        assert_eq!(shown(r#"{"heartbeat":1}"#, false, &PROGRAMS).unwrap(), None);
        assert_eq!(shown(r#"{"heartbeat":1}"#, false, &PEOPLE).unwrap(), None);
        let gap = r#"{"gap":7}"#;
        assert!(shown(gap, false, &PEOPLE).unwrap().unwrap().contains("7 requests"));
        assert_eq!(shown(gap, false, &PROGRAMS).unwrap().as_deref(), Some(gap));
    }

    #[test]
    fn programs_get_the_exchange_as_it_was_sent() {
        let text = r#"{"path":"/a","id":"x","n":1.50}"#;
        assert_eq!(shown(text, true, &PROGRAMS).unwrap().as_deref(), Some(text));
        assert!(shown("no json", false, &PEOPLE).is_err());
    }

    #[test]
    fn verbose_adds_headers_and_bodies() {
        let text = line::tests::documented().to_string();
        let short = shown(&text, false, &PEOPLE).unwrap().unwrap();
        let long = shown(&text, true, &PEOPLE).unwrap().unwrap();
        assert!(long.starts_with(&short) && long.contains("\n> content-type"), "{long}");
    }
}
