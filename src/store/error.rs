//! What goes wrong with a database.

use std::path::{Path, PathBuf};

/// What went wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is damaged.
    #[error("{} is damaged: {detail}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the check found.
        detail: String,
    },
    /// A later version of the program made it.
    #[error("{} was written by a newer wxgate (tables version {found}, this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// SQLite refused.
    #[error("cannot use {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: rusqlite::Error,
    },
    /// The file's rights cannot be changed, and others might read it.
    #[error("cannot make {} readable by its owner only", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No thread could be started.
    #[error("cannot start the database writer")]
    Thread {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The writer has ended; the program is shutting down.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Damage is told apart from everything else that SQLite says.
    pub(super) fn of(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match source.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => {
                Self::Corrupt { path: path.to_owned(), detail: source.to_string() }
            }
            _ => Self::Sqlite { path: path.to_owned(), source },
        }
    }
}
