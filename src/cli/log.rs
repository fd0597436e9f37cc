//! The log: lines on stderr without a secret in them, written without making anybody wait.

use std::{
    io::{self, Write},
    panic::PanicHookInfo,
    sync::Arc,
};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    EnvFilter, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use super::exit::{Exit, Failure};
use crate::{
    base::redact::Redactor,
    config::model::{Log, LogFormat},
};

/// The log of this process. Dropping it writes out what is queued.
pub(super) struct LogOutput {
    level: reload::Handle<EnvFilter, Registry>,
    dropped: ErrorCounter,
    told_lines: usize,
    _writes_out: WorkerGuard,
}

impl LogOutput {
    /// Begins to log, and to log panics. Once in a process.
    ///
    /// # Errors
    /// When the process logs already.
    pub(super) fn start(settings: &Log, redactor: Arc<Redactor>) -> Result<Self, Failure> {
        let (writer, guard) = queue(Redacting { out: io::stderr(), redactor });
        let dropped = writer.error_counter();
        let (filter, level) = reload::Layer::new(filter(&settings.level));
        let registry = tracing_subscriber::registry().with(filter);
        let layer = fmt::layer().with_writer(writer);
        let begun = match settings.format {
            LogFormat::Text => registry.with(layer.with_ansi(false)).try_init(),
            LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        };
        begun.map_err(|error| Failure::new(Exit::Failed, error))?;
        std::panic::set_hook(Box::new(log_panic));
        Ok(Self { level, dropped, told_lines: 0, _writes_out: guard })
    }

    /// Changes the level while the program runs.
    pub(super) fn level(&self) -> LogLevel {
        LogLevel(self.level.clone())
    }

    /// Says how many lines were lost since it was last said; from time to time.
    pub(super) fn tell_dropped(&mut self) {
        let lines = self.dropped.dropped_lines();
        if lines > self.told_lines {
            let lost = lines - self.told_lines;
            self.told_lines = lines;
            tracing::warn!(lines = lost, "stderr was too slow: {lost} log lines were dropped");
        }
    }
}

/// The level of the running log; it goes along with a reload. The format needs a restart.
#[derive(Clone)]
pub(super) struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Takes over the level of a configuration.
    pub(super) fn apply(&self, settings: &Log) {
        if self.0.reload(filter(&settings.level)).is_err() {
            tracing::warn!("the log's level could not be changed");
        }
    }
}

/// The configuration was checked, so what is not understood is a bug: better a log than none.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"))
}

fn queue<W: Write + Send + 'static>(out: W) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUED_LINES).finish(out)
}

/// Masks every live secret and everything of the shape of a key. A write is a whole line.
struct Redacting<W> {
    out: W,
    redactor: Arc<Redactor>,
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.out.write_all(self.redactor.text(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A formatted message may hold data of a request, so only literal ones are logged; the place
/// tells the rest.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(formatted)");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    tracing::error!(place, thread, message, "a bug: thread {thread} panicked at {place}");
}

/// Some seconds of a busy log; beyond that lines are dropped and counted.
const QUEUED_LINES: usize = 16_384;

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::base::secret::Secret;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_secret_reaches_the_log_in_a_message_field_or_panic() {
        let redactor = Arc::new(Redactor::new());
        redactor.protect("shop/token", &Secret::new("81_very-long-token-0123456789".into()));
        let kept = Kept::default();
        let (writer, guard) = queue(Redacting { out: kept.clone(), redactor });
        let subscriber =
            tracing_subscriber::registry().with(fmt::layer().with_writer(writer).json());
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(url = "https://x/?access_token=81_very-long-token-0123456789", "sent");
            tracing::error!("a key: wxgk_0123456789_abcdefgh");
        });
        drop(guard);
        let text = kept.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains("very-long-token") && !text.contains("_abcdefgh"), "{text}");
        assert!(text.contains("access_token=****") && text.contains("wxgk_****"), "{text}");
    }

    #[test]
    fn an_impossible_level_still_logs() {
        assert_eq!(filter("wxgate=debug").to_string(), "wxgate=debug");
        assert_eq!(filter("===").to_string(), "info");
    }
}
