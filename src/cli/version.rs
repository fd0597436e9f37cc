//! `wxgate version`.

use serde_json::json;

use super::{
    exit::{Exit, Failure},
    output::Out,
};

/// Prints the version, with what a bug report needs beside it.
pub(super) fn run(out: &Out) -> Result<Exit, Failure> {
    let (version, os, arch) =
        (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    if out.json {
        out.value(&json!({ "name": "wxgate", "version": version, "os": os, "arch": arch }))?;
    } else {
        out.line(format!("wxgate {version} ({os} {arch})"))?;
    }
    Ok(Exit::Done)
}
