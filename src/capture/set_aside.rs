//! A damaged `capture.db` makes way for a new one and is kept for whoever wants to look.

use std::path::{Path, PathBuf};

use super::{error::CaptureError, shape::rfc3339, storage::Storage};
use crate::base::chain::Chain;

/// Tells that a damaged file was moved away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where the file is now.
    pub moved_to: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}

/// Opens the capture; if the file is damaged, moves it away and begins a new one.
pub(super) fn open_or_set_aside(
    path: &Path,
    now_ms: i64,
) -> Result<(Storage, u64, Option<SetAside>), CaptureError> {
    match open(path) {
        Ok((storage, next_seq)) => Ok((storage, next_seq, None)),
        Err(error) if error.is_damage() => {
            let set_aside = set_aside(path, now_ms, &error)?;
            let (storage, next_seq) = open(path)?;
            Ok((storage, next_seq, Some(set_aside)))
        }
        Err(error) => Err(error),
    }
}

fn open(path: &Path) -> Result<(Storage, u64), CaptureError> {
    let storage = Storage::open(path)?;
    let next_seq = storage.next_seq()?;
    Ok((storage, next_seq))
}

/// Renames the file and what SQLite keeps beside it, and logs that.
pub(super) fn set_aside(
    path: &Path,
    now_ms: i64,
    error: &CaptureError,
) -> Result<SetAside, CaptureError> {
    let date: String = rfc3339(now_ms).chars().filter(|c| *c != ':' && *c != '-').collect();
    let moved_to = beside(path, &format!(".damaged-{date}"));
    for suffix in ["", "-wal", "-shm"] {
        let (from, to) = (beside(path, suffix), beside(&moved_to, suffix));
        match std::fs::rename(&from, &to) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(CaptureError::SetAside { path: from, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    let reason = Chain(error).to_string();
    tracing::error!(
        path = %path.display(), moved_to = %moved_to.display(), %reason,
        "the capture was damaged and set aside; a new one begins"
    );
    Ok(SetAside { moved_to, reason })
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
