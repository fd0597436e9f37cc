//! `wxgate completions SHELL`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::{
    args::Cli,
    exit::{Exit, Failure},
    output::Out,
};

/// For which shell.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell; e.g. `source <(wxgate completions bash)`
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &CompletionsArgs, out: &Out) -> Result<Exit, Failure> {
    let script = script(args.shell);
    if out.json {
        out.value(&json!({ "shell": args.shell.to_string(), "script": script }))?;
    } else {
        out.line(script)?;
    }
    Ok(Exit::Done)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wxgate", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            assert!(script(*shell).contains("explain"), "{shell}");
        }
    }
}
