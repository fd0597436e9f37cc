//! `wxgate serve`: runs the gateway until it is told to stop.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use super::{
    exit::{Exit, Failure},
    first_start,
    host::Host,
    log::{LogLevel, LogOutput},
    output::Out,
    signals::{Signals, Wish},
};
use crate::{
    app::{App, AppOptions, ReadConfig, Running, StartError},
    base::{chain::Chain, redact::Redactor},
    config::{self, remarks},
};

/// Starts, says where it listens, and serves. The gateway makes its own runtimes; this thread
/// only waits for signals.
pub(super) fn run(explicit: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load_with_secrets(explicit)?;
    let redactor = Arc::new(Redactor::new());
    let mut log = LogOutput::start(&host.config.log, redactor.clone())?;
    for remark in remarks(&host.config) {
        tracing::warn!("{}", remark.in_language(host.language()));
    }
    let read_config = reader(host.config.file.clone(), log.level());
    let options = AppOptions { redactor, read_config, ..AppOptions::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    let running = App::start(host.config.clone(), options).map_err(not_started)?;
    first_start::tell(&running.ready, &host.config, out)?;
    while runtime.block_on(next_wish(&mut signals, &mut log)) == Wish::Reload {
        // What became of it stands in the log; a bad file changes nothing.
        let _ = running.reload();
    }
    Ok(stop(running, &runtime, signals))
}

/// Reads the file that the gateway was started with; without one, looks where a start would.
/// The log's level is in force as soon as the file is right.
fn reader(file: Option<PathBuf>, level: LogLevel) -> ReadConfig {
    Arc::new(move || {
        let source = config::find(file.as_deref()).map_err(|error| Chain(&error).to_string())?;
        let config = config::load(&source, &|name| std::env::var(name).ok())
            .map_err(|problems| problems.to_string())?;
        level.apply(&config.log);
        Ok(config)
    })
}

async fn next_wish(signals: &mut Signals, log: &mut LogOutput) -> Wish {
    let mut ticks = interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            wish = signals.next() => return wish,
            _ = ticks.tick() => log.tell_dropped(),
        }
    }
}

/// Ends in order; a second signal ends at once, with what is under way lost.
fn stop(running: Running, runtime: &tokio::runtime::Runtime, mut signals: Signals) -> Exit {
    tracing::info!("stopping; a second signal stops at once");
    let (ended, mut end) = tokio::sync::oneshot::channel();
    let drain = std::thread::Builder::new().name("drain".into()).spawn(move || {
        let report = running.shutdown();
        // Nobody waits any more after a second signal.
        let _ = ended.send(report);
    });
    if let Err(error) = drain {
        tracing::error!(%error, "no thread could be started to stop in order");
        return Exit::Failed;
    }
    runtime.block_on(async {
        loop {
            tokio::select! {
                _ = &mut end => return Exit::Done,
                wish = signals.next() => if wish == Wish::Stop { return Exit::Failed },
            }
        }
    })
}

/// Another process on the port or on the folder, a folder that cannot be written: 1, with what
/// to do. A damaged database names the command that restores it.
fn not_started(error: StartError) -> Failure {
    Failure::new(Exit::Failed, error)
}

/// Lost log lines are told this often.
const TELL_EVERY: Duration = Duration::from_secs(10);
