//! Whatever the secret and its spelling: no line of the log and no panic tells it.

use std::any::Any;

use proptest::prelude::*;

use super::tests::logged;
use crate::{
    base::{chain::Chain, redact_specimen::Specimen},
    cli::panics,
    config::model::LogFormat,
};

/// An error whose cause knows too much.
#[derive(Debug, thiserror::Error)]
#[error("it broke")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("because of {0}")]
struct Inner(String);

/// As a derived `Debug` prints a text: quoted, once more for each struct around it.
#[derive(Debug)]
#[expect(dead_code, reason = "only printed")]
struct Printed<'a> {
    text: &'a str,
}

/// One event of each kind in which a text gets into the log.
fn tell(text: &str, kind: usize) {
    match kind {
        0 => tracing::error!("{text}"),
        1 => tracing::error!(text, "it broke"),
        2 => tracing::error!(error = %Chain(&Outer(Inner(text.to_owned()))), "it broke"),
        3 => tracing::error!(text = ?Printed { text }, "it broke"),
        _ => {
            let place = "src/a.rs:1:2";
            let payload: Box<dyn Any + Send> = Box::new(text.to_owned());
            panics::log(&panics::Told::of(&*payload, place.to_owned()));
        }
    }
}

/// The text as it would stand in the line if nothing were masked.
fn written(text: &str, kind: usize, format: LogFormat) -> String {
    let quoted = |text: &str| {
        let json = serde_json::to_string(text).unwrap_or_default();
        json.trim_matches('"').to_owned()
    };
    let debug = |text: &str| format!("{text:?}").trim_matches('"').to_owned();
    let inside = if kind == 3 { debug(text) } else { text.to_owned() };
    match format {
        LogFormat::Json => quoted(&inside),
        LogFormat::Text => inside,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_secret_gets_into_a_line_whatever_told_it(
        specimen in Specimen::any(2), kind in 0_usize..5, is_json in any::<bool>(),
    ) {
        let format = if is_json { LogFormat::Json } else { LogFormat::Text };
        let line = logged(format, specimen.redactor(), || tell(&specimen.text, kind));
        prop_assert_eq!(line.lines().count(), 1, "{}", line);
        let core = specimen.core_text();
        for spelled in [core.to_owned(), written(core, kind, format)] {
            prop_assert!(!line.contains(&spelled), "{} in {}", spelled, line);
        }
        // It was there, and is masked; a text that a panic made is not told at all.
        let stars = "*".repeat(core.len());
        prop_assert_eq!(line.contains(&stars), kind < 4, "{}", line);
    }
}
