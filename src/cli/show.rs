//! `wxgate show ID`: one recorded request, with headers and bodies.

use std::path::Path;

use clap::Args;

use super::{
    detail,
    exit::{Exit, Failure},
    host::Host,
    output::Out,
};
use crate::{
    capture::{CaptureError, Reader, StoredExchange},
    control::Mask,
};

/// Which request.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The request id (X-Request-Id), or its beginning
    pub(super) id: String,
    /// Show private fields too; this is written into the audit
    #[arg(long)]
    pub(super) unmask: bool,
}

/// Reads `capture.db`, whether a gateway runs or not.
pub(super) async fn run(args: ShowArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    let found = reader(&host)?.map(|reader| reader.show(&args.id)).transpose();
    let exchange = match found {
        Ok(found) => found.flatten(),
        Err(error @ CaptureError::AmbiguousId { .. }) => {
            return Err(Failure::new(Exit::Usage, error));
        }
        Err(other) => return Err(other.into()),
    };
    let Some(exchange) = exchange else {
        let text = format!("no recorded request has the id {}", args.id);
        return Err(Failure::say(Exit::Failed, text).hint(
            "it may be too old (keep_meta), or made without a known key: those are not recorded",
        ));
    };
    let exchange = if args.unmask {
        host.audit("unmask", &format!("exchange {}", exchange.id)).await?;
        exchange
    } else {
        Mask::of(&host.config.capture).hide(&exchange)
    };
    print(&exchange, out)?;
    Ok(Exit::Done)
}

fn print(exchange: &StoredExchange, out: &Out) -> Result<(), Failure> {
    let json = exchange.to_json();
    if out.json {
        return out.line(json);
    }
    out.line(detail::of(&serde_json::from_str(&json)?, out.color))
}

/// The recorded exchanges; none before the first start.
pub(super) fn reader(host: &Host) -> Result<Option<Reader>, Failure> {
    let file = host.data_file(CAPTURE);
    if file.exists() { Ok(Some(Reader::open(&file)?)) } else { Ok(None) }
}

/// The recorded exchanges.
const CAPTURE: &str = "capture.db";
