//! `wxgate export --scenario`: recorded requests as a file for `wxgate sandbox run`.

use clap::Args;

use crate::{
    capture::{CaptureError, StoredExchange, StoredMessage},
    cli::{
        exit::{Exit, Failure},
        output::Out,
    },
    scenario::recording::{FieldRules, Recorded, RecordedBody, write},
};

/// What the scenario expects of answers.
#[derive(Debug, Default, Args)]
pub(super) struct ScenarioArgs {
    /// Print a scenario for wxgate sandbox run
    #[arg(long, conflicts_with_all = ["har", "json"])]
    pub(super) scenario: bool,
    /// Expect this field of answers as it was, e.g. data.final_price
    #[arg(long = "match", value_name = "FIELD", requires = "scenario")]
    exact: Vec<String>,
    /// Do not look at this field inside of an expected one
    #[arg(long = "ignore", value_name = "FIELD", requires = "scenario")]
    ignored: Vec<String>,
    /// Expect this field to be as in the request
    #[arg(long = "echo", value_name = "FIELD", requires = "scenario")]
    echoed: Vec<String>,
}

/// Prints the scenario, and on stderr what could not be taken over.
pub(super) fn export(
    exchanges: impl Iterator<Item = Result<StoredExchange, CaptureError>>,
    args: &ScenarioArgs,
    out: &Out,
) -> Result<Exit, Failure> {
    let mut kept = Vec::new();
    for exchange in exchanges {
        if kept.len() == MOST_STEPS {
            let text = format!("more than {MOST_STEPS} requests make no scenario");
            return Err(
                Failure::say(Exit::Usage, text).hint("a filter such as since:10m takes fewer")
            );
        }
        kept.push(exchange?);
    }
    // They are stored in the order in which they ended; a scenario plays them as they began.
    kept.sort_by_key(|exchange| exchange.time_ms);
    let recorded: Vec<Recorded<'_>> = kept.iter().map(recorded).collect();
    let rules = FieldRules {
        exact: args.exact.clone(),
        ignored: args.ignored.clone(),
        echoed: args.echoed.clone(),
    };
    let writing = write("recorded", &recorded, &rules);
    out.line(&writing.text)?;
    for remark in &writing.remarks {
        out.note(remark);
    }
    out.note(format!("{} step(s)", writing.steps));
    Ok(Exit::Done)
}

fn recorded(exchange: &StoredExchange) -> Recorded<'_> {
    let content_type = exchange.request.header("content-type").unwrap_or_default();
    Recorded {
        time_ms: exchange.time_ms,
        method: &exchange.method,
        path: &exchange.path,
        query: &exchange.query,
        content_type: std::str::from_utf8(content_type).unwrap_or_default(),
        request: body(&exchange.request),
        response: body(&exchange.response),
        status: exchange.status,
        redacted: &exchange.redacted,
    }
}

fn body(message: &StoredMessage) -> RecordedBody<'_> {
    RecordedBody { bytes: message.body(), is_cut: message.truncated }
}

/// All of them are in memory at once, each with two bodies of `body_cap` bytes at most.
const MOST_STEPS: usize = 2000;
