//! `[log]`: how much is written, and how it looks.

use tracing_subscriber::EnvFilter;

use super::{
    field::Field,
    message::say,
    model::{Log, LogFormat},
    suggest::{closest, did_you_mean, one_of},
    table::Table,
};

/// Reads the table.
pub(super) fn read(table: &Table<'_>) -> Log {
    let format =
        table.field("format").choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]);
    Log {
        level: read_level(&table.field("level")).unwrap_or_else(|| "info".to_owned()),
        format: format.unwrap_or(LogFormat::Text),
    }
}

/// A `tracing` filter. It would take any lone word for the name of a module, so that `inof`
/// silently logged nothing: such a word must be a level here.
fn read_level(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let lone =
        text.split(',').map(str::trim).find(|word| !word.contains(['=', '[']) && !is_level(word));
    let wanted =
        say!("日志级别或 wxgate=debug 这样的过滤", "a level, or a filter such as wxgate=debug");
    if let Some(word) = lone {
        let suggestion = closest(word, LEVELS).map_or_else(|| one_of(LEVELS), did_you_mean);
        return field.not_a(text, &wanted, Some(suggestion));
    }
    match EnvFilter::builder().parse(text) {
        Ok(_) => Some(text.to_owned()),
        Err(_) => field.not_a(text, &wanted, Some(one_of(LEVELS))),
    }
}

/// As `tracing` spells them, quietest first.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    #[test]
    fn a_level_or_a_filter_is_accepted_and_a_misspelt_level_is_not() {
        for good in ["info", "WARN", "wxgate=debug", "info,wxgate::token=trace,hyper=off"] {
            assert_eq!(accept(&format!("[log]\nlevel = '{good}'\n")).log.level, good);
        }
        for (bad, advice) in [
            ("inof", "did you mean \"info\""),
            ("", "one of"),
            ("info,", "one of"),
            ("wxgate=loud", "one of"),
        ] {
            expect_problem(&format!("[log]\nlevel = '{bad}'\n"), (2, "is not a level", advice));
        }
        expect_problem("[log]\nformat = 'jsno'\n", (2, "not one of", "did you mean \"json\""));
    }
}
