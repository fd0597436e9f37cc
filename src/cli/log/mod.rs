//! The log: lines on stderr without a secret in them, written without making anybody wait.

mod lines;
mod sink;

use std::{io, sync::Arc};

use tracing_subscriber::{
    EnvFilter, Registry, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use self::{
    lines::Lines,
    sink::{Sink, WritesOut},
};
use super::{
    exit::{Exit, Failure},
    panics,
};
use crate::{base::redact::Redactor, config::model::Log};

/// The log of this process. Dropping it writes out what is queued.
pub(super) struct LogOutput {
    level: reload::Handle<EnvFilter, Registry>,
    sink: Sink,
    told_lines: usize,
    _writes_out: WritesOut,
}

impl LogOutput {
    /// Begins to log, and to log panics. Once in a process.
    ///
    /// # Errors
    /// When the process logs already.
    pub(super) fn start(settings: &Log, redactor: Arc<Redactor>) -> Result<Self, Failure> {
        let (sink, writes_out) = Sink::start(io::stderr(), redactor)?;
        let (filter, level) = reload::Layer::new(filter(&settings.level));
        let lines = Lines::new(settings.format, sink.clone());
        let begun = tracing_subscriber::registry().with(filter).with(lines).try_init();
        begun.map_err(|error| Failure::new(Exit::Failed, error))?;
        panics::log_them();
        Ok(Self { level, sink, told_lines: 0, _writes_out: writes_out })
    }

    /// Changes the level while the program runs.
    pub(super) fn level(&self) -> LogLevel {
        LogLevel(self.level.clone())
    }

    /// Says how many lines were lost since it was last said; from time to time.
    pub(super) fn tell_dropped(&mut self) {
        let lines = self.sink.dropped_lines();
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

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Mutex, PoisonError},
    };

    use super::*;
    use crate::{base::secret::Secret, config::model::LogFormat};

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

    /// What is written while `work` runs.
    pub(super) fn logged(format: LogFormat, redactor: Redactor, work: impl FnOnce()) -> String {
        let kept = Kept::default();
        let (sink, writes_out) = Sink::start(kept.clone(), Arc::new(redactor)).unwrap();
        let subscriber = tracing_subscriber::registry().with(Lines::new(format, sink));
        tracing::subscriber::with_default(subscriber, work);
        drop(writes_out);
        kept.text()
    }

    /// A line without its time.
    fn untimed(line: &str) -> &str {
        let (time, rest) = line.split_at("2026-11-22T09:30:00.123456Z".len());
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
        rest
    }

    #[test]
    fn no_secret_reaches_the_log_in_a_message_or_field() {
        let redactor = Redactor::new();
        redactor.protect("shop/token", &Secret::new("81_very-long-token-0123456789".into()));
        let text = logged(LogFormat::Json, redactor, || {
            tracing::error!(url = "https://x/?access_token=81_very-long-token-0123456789", "sent");
            tracing::error!("a key: wxgk_0123456789_abcdefgh");
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains("very-long-token") && !text.contains("_abcdefgh"), "{text}");
        assert!(text.contains("access_token=****") && text.contains("wxgk_****"), "{text}");
    }

    #[test]
    fn a_line_of_text_reads_alone_and_has_fields() {
        let text = logged(LogFormat::Text, Redactor::new(), || {
            tracing::info!(target: "wxgate::request", id = %"01JD", path = "/a b", n = 3_usize,
                code = -1, ms = 41.25, fp = Option::<u8>::None, ok = true, "{} {}", "GET", "/a");
            tracing::warn!("客户端的钟慢了");
        });
        let lines: Vec<_> = text.lines().map(untimed).collect();
        assert_eq!(
            lines[0],
            r#"  INFO wxgate::request: GET /a id=01JD path="/a b" n=3 code=-1 ms=41.250 ok=true"#
        );
        assert!(lines[1].starts_with("  WARN wxgate::cli::log"), "{}", lines[1]);
        assert!(lines[1].ends_with(": 客户端的钟慢了"), "{}", lines[1]);
    }

    #[test]
    fn a_line_of_json_is_one_object_with_its_fields_at_the_top() {
        let text = logged(LogFormat::Json, Redactor::new(), || {
            tracing::error!(n = 3_u64, why = "\"x\\", ms = f64::NAN, what = ?Some("a\tb"), "it {}", "broke");
        });
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["level"], "ERROR");
        assert_eq!(value["message"], "it broke");
        assert_eq!((&value["n"], &value["why"]), (&3.into(), &"\"x\\".into()));
        assert_eq!((&value["ms"], &value["what"]), (&"NaN".into(), &r#"Some("a\tb")"#.into()));
        assert!(value["target"].as_str().unwrap().starts_with("wxgate"));
        assert!(value["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }

    #[test]
    fn what_a_peer_sent_cannot_begin_a_line_or_turn_the_text() {
        let hostile = "a\nERROR forged\u{1b}[31m\u{202e}\u{2028}\u{85}\u{7f}";
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged(format, Redactor::new(), || {
                tracing::info!(text = hostile, shown = %hostile, "{hostile}");
            });
            assert_eq!(text.lines().count(), 1, "{text}");
            let is_tame = |c: char| !c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c);
            assert!(text.trim_end().chars().all(is_tame), "{text:?}");
            if format == LogFormat::Json {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(value["text"], hostile);
            }
        }
    }

    #[test]
    fn an_impossible_level_still_logs() {
        assert_eq!(filter("wxgate=debug").to_string(), "wxgate=debug");
        assert_eq!(filter("===").to_string(), "info");
    }
}
