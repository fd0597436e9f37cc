//! `wxgate export`: recorded requests as an HTTP archive, lines of JSON, or a scenario.

mod scenario;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use clap::Args;

use self::scenario::ScenarioArgs;
use super::{
    exit::{Exit, Failure, because},
    host::Host,
    output::Out,
    show::reader,
};
use crate::{
    base::clock::{Clock as _, SystemClock},
    capture::{CaptureError, Filter, StoredExchange, har},
    control::Mask,
};

/// Which requests, and where to.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Write an HTTP archive into this file, - for stdout; without it lines of JSON are printed
    #[arg(long, value_name = "FILE", conflicts_with = "json", value_hint = clap::ValueHint::FilePath)]
    har: Option<PathBuf>,
    /// A filter, e.g. 'account:shop since:1h'
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// Export private fields too; this is written into the audit
    #[arg(long)]
    pub(super) unmask: bool,
    #[command(flatten)]
    scenario: ScenarioArgs,
}

/// Reads `capture.db`, whether a gateway runs or not; oldest first.
pub(super) async fn run(
    args: ExportArgs,
    config: Option<&Path>,
    out: &Out,
) -> Result<Exit, Failure> {
    let host = Host::load(config)?;
    let text = args.filter.join(" ");
    let filter = Filter::parse(&text, SystemClock.now())
        .map_err(|error| Failure::say(Exit::Usage, error.render()))?;
    if args.unmask {
        host.audit("unmask", &format!("export of `{text}`")).await?;
    }
    let mask = (!args.unmask).then(|| Mask::of(&host.config.capture));
    let reader = reader(&host)?;
    let found = reader.iter().flat_map(|reader| reader.export(&filter, None));
    let shown = found.map(|found| {
        found.map(|exchange| match &mask {
            Some(mask) => mask.hide(&exchange),
            None => exchange,
        })
    });
    if args.scenario.scenario {
        return scenario::export(shown, &args.scenario, out);
    }
    match args.har.as_deref() {
        None => count(&host, lines(shown, BufWriter::new(io::stdout().lock())), out),
        Some(file) if file == Path::new("-") => {
            count(&host, har::export(shown, BufWriter::new(io::stdout().lock())), out)
        }
        Some(file) => {
            let fresh = create(file)?;
            count(&host, har::export(shown, BufWriter::new(fresh)), out)
        }
    }
}

fn lines<W: Write>(
    exchanges: impl Iterator<Item = Result<StoredExchange, CaptureError>>,
    mut to: W,
) -> Result<u64, CaptureError> {
    let mut count = 0;
    for exchange in exchanges {
        writeln!(to, "{}", exchange?.to_json())
            .map_err(|source| CaptureError::Export { source })?;
        count += 1;
    }
    to.flush().map_err(|source| CaptureError::Export { source })?;
    Ok(count)
}

fn count(host: &Host, exported: Result<u64, CaptureError>, out: &Out) -> Result<Exit, Failure> {
    match exported {
        Ok(count) if !out.json => {
            out.note(
                host.language()
                    .pick(&format!("已导出 {count} 条"), &format!("exported {count} request(s)")),
            );
            Ok(Exit::Done)
        }
        Ok(_) => Ok(Exit::Done),
        // The reader of the pipe has seen enough.
        Err(CaptureError::Export { source }) if source.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Exit::Done)
        }
        Err(other) => Err(other.into()),
    }
}

/// Bodies of requests are nobody else's business: 0600, also over an older file.
fn create(file: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let wrap = |error| because(&format!("cannot write {}", file.display()), error);
    let created = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .map_err(wrap)?;
    created.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(wrap)?;
    Ok(created)
}

#[cfg(test)]
mod tests;
