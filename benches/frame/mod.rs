//! What every bench does: says what is missing, measures, and ends cleanly, also on Ctrl-C.

use std::{fs, path::Path, process::ExitCode};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Says what is missing, each with what to do about it; then there is nothing to measure.
pub(crate) fn refused(what: &str, missing: &[String]) -> Option<ExitCode> {
    if missing.is_empty() {
        return None;
    }
    eprintln!("the {what} needs what this machine does not have:");
    missing.iter().for_each(|what| eprintln!("  - {what}"));
    Some(ExitCode::from(2))
}

/// Success, or what went wrong.
pub(crate) fn told(outcome: Outcome<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures in one thread and waits in another for the end, for Ctrl-C or for SIGTERM; then
/// `folder` is removed.
pub(crate) fn run(
    folder: &Path,
    measure: impl FnOnce() -> Outcome<()> + Send + 'static,
) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("bench".into()).spawn(move || {
        // The receiver is gone only after Ctrl-C.
        drop(ended.send(measure()));
    })?;
    let outcome = runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            outcome = end => outcome?,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("told to end".into()),
        }
    });
    remove(folder);
    outcome
}

/// After Ctrl-C the measuring thread goes on until the process is gone, and may put another file
/// into the folder while it is being emptied.
fn remove(folder: &Path) {
    for _ in 0..REMOVALS {
        if fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            return;
        }
    }
    eprintln!("{} is left, please remove it", folder.display());
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Cores, their name, and the kernel.
pub(crate) fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let model = model.map_or("an unknown CPU", |(_, name)| name.trim());
    format!("{} cores of {model}, Linux {}", cores(), kernel.trim())
}

const REMOVALS: u32 = 100;
