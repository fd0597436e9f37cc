//! The two files: written whole, over nothing that belongs to somebody else.

use std::{
    fs::{self, Permissions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::Value;

use crate::cli::exit::{Exit, Failure, because};

/// A file that is to be written.
pub(super) struct Written {
    /// Where.
    pub(super) path: PathBuf,
    text: String,
    /// Where in the JSON its id stands, and which one is ours.
    mark: (&'static str, &'static str),
    is_secret: bool,
}

impl Written {
    /// What it will hold.
    ///
    /// # Errors
    /// Never in practice: everything in it can be JSON.
    pub(super) fn new(
        path: &Path,
        place: &'static str,
        id: &'static str,
        content: &impl Serialize,
    ) -> Result<Self, Failure> {
        let text = serde_json::to_string_pretty(content)? + "\n";
        Ok(Self { path: path.to_owned(), text, mark: (place, id), is_secret: false })
    }

    /// Only for its owner to read.
    pub(super) fn with_secret(self, is_secret: bool) -> Self {
        Self { is_secret, ..self }
    }

    /// Whether it may be written.
    ///
    /// # Errors
    /// When a file of somebody else stands there, or one with a key.
    pub(super) fn check(&self, is_forced: bool) -> Result<(), Failure> {
        let old = match fs::read(&self.path) {
            Ok(old) => old,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed("read", error)),
        };
        let old: Value = serde_json::from_slice(&old).unwrap_or_default();
        let (place, id) = self.mark;
        let is_ours = old.pointer(place).and_then(Value::as_str) == Some(id);
        let why = match (is_forced, is_ours, has_key(&old)) {
            (true, _, _) | (false, true, false) => return Ok(()),
            (false, false, _) => "is not from wxgate postman",
            (false, true, true) => "holds a key",
        };
        let text = format!("{} {why}; nothing was written", self.path.display());
        Err(Failure::say(Exit::Failed, text)
            .hint("--force overwrites it; --out writes into another folder"))
    }

    /// Writes it beside the old one, then in its place.
    ///
    /// # Errors
    /// When the folder or the disk does not take it.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let mode = if self.is_secret { 0o600 } else { 0o644 };
        let fresh = self.path.with_extension("json.new");
        let mut options = fs::File::options();
        options.write(true).create(true).truncate(true).mode(mode);
        let write = || {
            let mut file = options.open(&fresh)?;
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(self.text.as_bytes())?;
            fs::rename(&fresh, &self.path)
        };
        write().map_err(|error| self.failed("write", error))
    }

    fn failed(&self, what: &str, error: std::io::Error) -> Failure {
        because(&format!("cannot {what} {}", self.path.display()), error)
    }
}

/// Makes the folder for the files.
///
/// # Errors
/// When it cannot be made.
pub(super) fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| because(&format!("cannot make the folder {}", folder.display()), error))
}

/// Whether an environment's variable `key` has a value: somebody put it there.
fn has_key(environment: &Value) -> bool {
    let values = environment["values"].as_array().into_iter().flatten();
    let is_key = |variable: &&Value| variable["key"] == "key";
    values.filter(is_key).any(|variable| variable["value"].as_str().is_some_and(|v| !v.is_empty()))
}
