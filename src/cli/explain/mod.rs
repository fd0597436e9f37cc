//! `wxgate explain`: what an errcode means, what helps, and what the gateway does about it.

mod answer;
mod gateway_does;
mod pasted;
mod shown;

use clap::Args;

use super::{
    exit::{Exit, Failure},
    output::Out,
};

/// What is asked about.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// An errcode, words in Chinese or English, or the whole error as it was answered
    #[arg(required = true, allow_negative_numbers = true, value_name = "ERRCODE|WORDS")]
    words: Vec<String>,
}

/// Explains; 1 when nothing is known.
pub(super) fn run(args: &ExplainArgs, out: &Out) -> Result<Exit, Failure> {
    let answer = answer::to(&args.words.join(" "));
    if out.json {
        out.value(&answer)?;
    } else {
        out.line(shown::text(&answer, out.color))?;
    }
    Ok(if answer.is_known() { Exit::Done } else { Exit::Failed })
}

#[cfg(test)]
mod tests;
