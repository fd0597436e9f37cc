//! What can go wrong with the capture.

use std::{io, path::PathBuf};

use crate::store::StoreError;

/// Why exchanges could not be stored, read or exported.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The database refused.
    #[error("cannot open the capture")]
    Store(#[from] StoreError),
    /// SQLite refused a statement.
    #[error("cannot {what} in the capture {}", path.display())]
    Sqlite {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: rusqlite::Error,
    },
    /// A stored segment cannot be read back.
    #[error("a part of the capture {} is damaged (segment {segment}); to begin a new file, move it away while the gateway is stopped", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its first exchange.
        segment: u64,
    },
    /// The write-ahead log cannot be emptied.
    #[error("somebody reads {} without an end, so its write-ahead log cannot be emptied; close that reader", path.display())]
    LogHeld {
        /// The file.
        path: PathBuf,
    },
    /// A damaged file could not be moved out of the way.
    #[error("cannot set the damaged {} aside; move it away by hand", path.display())]
    SetAside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An exchange could not be written as JSON.
    #[error("cannot encode an exchange")]
    Encode {
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A segment could not be compressed.
    #[error("cannot compress a segment")]
    Compress {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The beginning of an id fits several exchanges.
    #[error("`{prefix}` is the beginning of several ids; write more of it")]
    AmbiguousId {
        /// What was given.
        prefix: String,
    },
    /// The writer thread could not be started.
    #[error("cannot start the capture's writer")]
    Thread {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The other end of an export broke off.
    #[error("cannot write the export")]
    Export {
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl CaptureError {
    /// Whether somebody else holds the file and the same write may succeed in a moment.
    pub(super) fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        matches!(self.sqlite_code(), Some(DatabaseBusy | DatabaseLocked))
    }

    /// Whether the file is damaged.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, Self::Store(StoreError::Corrupt { .. }) | Self::Damaged { .. })
            || matches!(self.sqlite_code(), Some(DatabaseCorrupt | NotADatabase))
    }

    fn sqlite_code(&self) -> Option<rusqlite::ErrorCode> {
        match self {
            Self::Sqlite { source, .. } => source.sqlite_error_code(),
            _ => None,
        }
    }
}
