//! `wxgate man [DIR]`.

use std::{fs, path::PathBuf};

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use serde_json::json;

use super::{
    args::Cli,
    exit::{Exit, Failure, because},
    output::Out,
};

/// Where to.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// A folder for one page a command; without it the main page is printed
    #[arg(value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Prints the main page, or writes all pages.
pub(super) fn run(args: &ManArgs, out: &Out) -> Result<Exit, Failure> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        Man::new(Cli::command()).render(&mut page)?;
        if out.json {
            out.value(&json!({ "page": String::from_utf8_lossy(&page) }))?;
        } else {
            out.raw(&page)?;
        }
        return Ok(Exit::Done);
    };
    let wrap = |error| because(&format!("cannot write the manual to {}", dir.display()), error);
    fs::create_dir_all(dir).map_err(wrap)?;
    clap_mangen::generate_to(Cli::command(), dir).map_err(wrap)?;
    if out.json {
        out.value(&json!({ "dir": dir }))?;
    } else {
        out.line(format!(
            "the manual is in {0}; read it with: man -l {0}/wxgate.1",
            dir.display()
        ))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let dir = tempfile::tempdir().unwrap();
        let args = ManArgs { dir: Some(dir.path().join("man")) };
        run(&args, &Out { json: true, color: false }).unwrap();
        for page in ["wxgate.1", "wxgate-key-create.1", "wxgate-explain.1"] {
            assert!(dir.path().join("man").join(page).exists(), "{page}");
        }
    }
}
