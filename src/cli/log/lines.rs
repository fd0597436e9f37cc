//! What a log line looks like, as text or as JSON.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::sink::Sink;
use crate::{
    base::clock::{Clock as _, SystemClock},
    config::model::LogFormat,
};

/// Turns each event into one line for the [`Sink`].
///
/// Every request writes a line, so this is on the path of each: numbers and plain texts are
/// appended as they are, the date is put together once a second, and nothing is allocated.
pub(super) struct Lines {
    format: LogFormat,
    sink: Sink,
}

impl Lines {
    pub(super) fn new(format: LogFormat, sink: Sink) -> Self {
        Self { format, sink }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let now = SystemClock.now();
        // Taken, not borrowed: a value may log while it is formatted.
        let mut line = LINE.take();
        line.begin(self.format, event, now);
        event.record(&mut Fields { line: &mut line, format: self.format });
        line.end(self.format, event);
        self.sink.push(&line.text, *event.metadata().level() <= Level::WARN);
        LINE.set(line);
    }
}

thread_local! {
    /// Room for the line that this thread writes.
    static LINE: RefCell<Line> = RefCell::default();
}

#[derive(Default)]
struct Line {
    /// UTF-8.
    text: Vec<u8>,
    /// The second since 1970 of which `date` is.
    second: Option<u64>,
    /// `2026-11-22T09:30:00`.
    date: String,
}

impl Line {
    fn begin(&mut self, format: LogFormat, event: &Event<'_>, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.second != Some(since.as_secs()) {
            self.second = Some(since.as_secs());
            let second = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
            let time = jiff::Timestamp::from_second(second).unwrap_or_default();
            self.date.clear();
            let _ = write!(self.date, "{}", time.strftime("%Y-%m-%dT%H:%M:%S"));
        }
        let level = event.metadata().level().as_str();
        self.text.clear();
        // A long line of once must not be kept for ever.
        self.text.shrink_to(LINE_KEPT_BYTES);
        if format == LogFormat::Json {
            self.text.extend_from_slice(b"{\"timestamp\":\"");
        }
        self.text.extend_from_slice(self.date.as_bytes());
        self.text.push(b'.');
        self.push_number(u64::from(since.subsec_micros()), 6);
        self.text.push(b'Z');
        match format {
            LogFormat::Text => {
                self.text.extend_from_slice(if level.len() < 5 { b"  " } else { b" " });
                self.text.extend_from_slice(level.as_bytes());
                self.text.push(b' ');
                self.text.extend_from_slice(event.metadata().target().as_bytes());
                self.text.push(b':');
            }
            LogFormat::Json => {
                self.text.extend_from_slice(b"\",\"level\":\"");
                self.text.extend_from_slice(level.as_bytes());
                self.text.push(b'"');
            }
        }
    }

    fn end(&mut self, format: LogFormat, event: &Event<'_>) {
        if format == LogFormat::Json {
            self.text.extend_from_slice(b",\"target\":\"");
            self.text.extend_from_slice(event.metadata().target().as_bytes());
            self.text.extend_from_slice(b"\"}");
        }
        self.text.push(b'\n');
    }

    /// In decimal, with at least so many digits.
    fn push_number(&mut self, number: u64, least_digits: usize) {
        let mut digits = [b'0'; 20];
        let mut begin = digits.len() - least_digits;
        let (mut at, mut rest) = (digits.len(), number);
        while rest > 0 {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        begin = begin.min(at);
        self.text.extend_from_slice(&digits[begin..]);
    }
}

/// Appends each field of an event.
struct Fields<'a> {
    line: &'a mut Line,
    format: LogFormat,
}

impl Fields<'_> {
    /// Whether the field is what the line says in words.
    fn name(&mut self, field: &Field) -> bool {
        let is_message = field.name() == "message";
        let text = &mut self.line.text;
        match self.format {
            LogFormat::Text => {
                text.push(b' ');
                if !is_message {
                    text.extend_from_slice(field.name().as_bytes());
                    text.push(b'=');
                }
            }
            LogFormat::Json => {
                text.extend_from_slice(b",\"");
                text.extend_from_slice(field.name().as_bytes());
                text.extend_from_slice(b"\":");
            }
        }
        is_message
    }

    fn quoted(&mut self, value: impl FnOnce(&mut Escaped<'_>)) {
        self.line.text.push(b'"');
        value(&mut Escaped { text: &mut self.line.text, is_quoted: true });
        self.line.text.push(b'"');
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_message = self.name(field);
        let is_text = self.format == LogFormat::Text;
        if is_text && is_word(value) {
            self.line.text.extend_from_slice(value.as_bytes());
        } else if is_text && is_message {
            Escaped { text: &mut self.line.text, is_quoted: false }.push(value);
        } else {
            self.quoted(|escaped| escaped.push(value));
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        self.line.push_number(value, 1);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field);
        if value < 0 {
            self.line.text.push(b'-');
        }
        self.line.push_number(value.unsigned_abs(), 1);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        self.line.text.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Three digits behind the point are what a log needs.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.name(field);
        let thousandths = (value.abs() * 1e3).round();
        if !thousandths.is_finite() || thousandths > 1e15 {
            self.quoted(|escaped| {
                let _ = write!(escaped, "{value}");
            });
            return;
        }
        if value < 0.0 && thousandths > 0.0 {
            self.line.text.push(b'-');
        }
        let thousandths = thousandths as u64;
        self.line.push_number(thousandths / 1000, 1);
        self.line.text.push(b'.');
        self.line.push_number(thousandths % 1000, 3);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        match self.format {
            // What cannot be formatted is left out.
            LogFormat::Text => {
                let mut escaped = Escaped { text: &mut self.line.text, is_quoted: false };
                let _ = write!(escaped, "{value:?}");
            }
            LogFormat::Json => self.quoted(|escaped| {
                let _ = write!(escaped, "{value:?}");
            }),
        }
    }
}

/// Whether a text can stand without quotation marks and still be told from what is around it.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\');
    !text.is_empty() && all(text, is_plain)
}

/// Looks at every byte, good or bad: without a way out the loop takes many at once.
fn all(text: &str, is_good: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & is_good(byte))
}

/// Nothing that a peer sent may begin a line, move the cursor or turn the text around.
struct Escaped<'a> {
    text: &'a mut Vec<u8>,
    /// Quotation marks and backslashes are escaped too, as in JSON.
    is_quoted: bool,
}

impl Escaped<'_> {
    fn push(&mut self, value: &str) {
        let is_quoted = self.is_quoted;
        let is_plain =
            |byte: u8| matches!(byte, b' '..=b'~') & !(is_quoted & matches!(byte, b'"' | b'\\'));
        if all(value, is_plain) {
            self.text.extend_from_slice(value.as_bytes());
        } else {
            value.chars().for_each(|character| self.push_char(character));
        }
    }

    fn push_char(&mut self, character: char) {
        match character {
            '"' | '\\' if self.is_quoted => self.text.extend([b'\\', character as u8]),
            _ if !character.is_control() && !turns_text(character) => {
                self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            '\n' => self.text.extend_from_slice(b"\\n"),
            '\r' => self.text.extend_from_slice(b"\\r"),
            '\t' => self.text.extend_from_slice(b"\\t"),
            _ => {
                let escape = format!("\\u{:04x}", u32::from(character));
                self.text.extend_from_slice(escape.as_bytes());
            }
        }
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, value: &str) -> fmt::Result {
        self.push(value);
        Ok(())
    }
}

/// Characters that change the direction of what follows (Unicode, UAX #9), and line ends that
/// are no control characters. All lie below U+10000, so four digits name them.
fn turns_text(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Room that a thread keeps for its next line.
const LINE_KEPT_BYTES: usize = 4 << 10;
