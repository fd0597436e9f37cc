//! What can go wrong when keys are read or changed.

use crate::{
    base::{name::Name, subject::Subject},
    store::StoreError,
};

use super::key_id::KeyId;

/// Why keys could not be read or changed. Written for the person at the command line.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A live key has the name.
    #[error("there is a key `{name}` already; rotate or revoke it, or take another name")]
    NameTaken {
        /// The name.
        name: Name,
    },
    /// Another live key has the subject.
    #[error(
        "the subject {subject} is bound to the key `{holder}` already, so not to `{name}` as well; \
         revoke `{holder}`, or give `{name}` a certificate of its own"
    )]
    SubjectTaken {
        /// The subject.
        subject: Subject,
        /// Who has it.
        holder: Name,
        /// Who wanted it.
        name: Name,
    },
    /// No key has this name or id.
    #[error("there is no key `{given}`; `wxgate key list` shows them all")]
    NotFound {
        /// What was asked for.
        given: String,
    },
    /// The key is no longer live, so there is nothing to revoke or rotate.
    #[error(
        "the key `{name}` ({id}) is revoked already; make a new one with `wxgate key create {name}`"
    )]
    AlreadyRevoked {
        /// Its name.
        name: Name,
        /// Its id.
        id: KeyId,
    },
    /// The key stands in the config file.
    #[error(
        "the key `{name}` stands in proxy.toml; change its [[key]] there, then run `wxgate reload`"
    )]
    Fixed {
        /// Its name.
        name: Name,
    },
    /// A path prefix that could never fit, or would fit by accident.
    #[error("`{given}` is not a path prefix: it begins with / and has no *, ?, # or space")]
    BadPath {
        /// What was given.
        given: String,
    },
    /// An end beyond the calendar.
    #[error(
        "the key `{name}` would live beyond the year 9999; give a shorter time, or none for a key without end"
    )]
    TooLong {
        /// The name.
        name: Name,
    },
    /// The table is full.
    #[error("there are {most} keys already, revoked ones included")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// A row that this program did not write, or not in this form.
    #[error(
        "the key `{id}` in the database cannot be read: its {field} is damaged; restore the database from a backup"
    )]
    Damaged {
        /// The row's id.
        id: String,
        /// The column.
        field: &'static str,
    },
    /// The database failed; nothing was changed.
    #[error("the keys could not be read or stored")]
    Store(#[from] StoreError),
}
