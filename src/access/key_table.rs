//! Keys as rows of `wxgate.db`.

use std::{str::FromStr, sync::Arc, time::SystemTime};

use rusqlite::{Connection, Row, Transaction, params};

use super::{
    key::{Accounts, Key},
    key_error::KeyError,
    key_id::KeyId,
    key_index::Entry,
};
use crate::base::{
    clock::{from_unix_ms, unix_ms},
    subject::Subject,
};

/// A row whose columns have been read, but not understood yet.
pub(super) struct RawKey {
    id: String,
    name: String,
    hash: Vec<u8>,
    role: String,
    lane: String,
    allow_danger: bool,
    errors: String,
    accounts: String,
    paths: String,
    networks: String,
    rate: Option<String>,
    subject: Option<String>,
    created_ms: i64,
    expires_ms: Option<i64>,
    revoked_ms: Option<i64>,
}

/// Which rows an end applies to.
#[derive(Clone, Debug)]
pub(super) enum Which {
    /// This key.
    Id(KeyId),
    /// Every key of this name: the live one, and those in their grace after a rotation.
    Name(String),
}

/// Every key, revoked ones too: they are answered differently from unknown ones.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<RawKey>> {
    let mut statement = connection.prepare(
        "SELECT id, name, hash, role, lane, allow_danger, errors, accounts, paths, networks, rate,
                subject, created_ms, expires_ms, revoked_ms FROM key",
    )?;
    statement.query_map([], RawKey::read)?.collect()
}

/// Stores a new key. No other that is not revoked may have the name.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    key: &Key,
    hash: &[u8; 32],
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO key (id, name, hash, role, lane, allow_danger, errors, accounts, paths,
                          networks, rate, created_ms, expires_ms, revoked_ms, subject)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, NULL, ?14)",
        params![
            key.id.as_str(),
            key.name.as_str(),
            hash.as_slice(),
            key.role.as_str(),
            key.lane.as_str(),
            key.allow_danger,
            key.errors.as_str(),
            json(key.accounts.as_list()),
            json(&key.paths),
            json(&key.networks),
            key.rate.map(|rate| rate.to_string()),
            unix_ms(key.created),
            key.expires.map(unix_ms),
            key.subject.as_ref().map(Subject::as_str),
        ],
    )?;
    Ok(())
}

/// Lets keys end at `end_ms`, unless they end sooner. Returns the ids that changed.
pub(super) fn end(
    transaction: &Transaction<'_>,
    which: &Which,
    end_ms: i64,
) -> rusqlite::Result<Vec<String>> {
    let (column, value) = match which {
        Which::Id(id) => ("id", id.as_str()),
        Which::Name(name) => ("name", name.as_str()),
    };
    let mut statement = transaction.prepare(&format!(
        "UPDATE key SET revoked_ms = ?2
         WHERE {column} = ?1 AND (revoked_ms IS NULL OR revoked_ms > ?2) RETURNING id"
    ))?;
    statement.query_map(params![value, end_ms], |row| row.get(0))?.collect()
}

/// Writes down who did what to which key, in the transaction that does it.
pub(super) fn audit(
    transaction: &Transaction<'_>,
    now: SystemTime,
    who: &str,
    what: &str,
    key: &Key,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO audit (time_ms, who, what, subject) VALUES (?1, ?2, ?3, ?4)",
        params![unix_ms(now), who, what, format!("key {} ({})", key.name, key.id)],
    )?;
    Ok(())
}

impl RawKey {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            hash: row.get("hash")?,
            role: row.get("role")?,
            lane: row.get("lane")?,
            allow_danger: row.get("allow_danger")?,
            errors: row.get("errors")?,
            accounts: row.get("accounts")?,
            paths: row.get("paths")?,
            networks: row.get("networks")?,
            rate: row.get("rate")?,
            subject: row.get("subject")?,
            created_ms: row.get("created_ms")?,
            expires_ms: row.get("expires_ms")?,
            revoked_ms: row.get("revoked_ms")?,
        })
    }

    /// Understands the columns.
    ///
    /// # Errors
    /// [`KeyError::Damaged`]: a key whose rules cannot be read must not open anything.
    pub(super) fn parse(self) -> Result<Entry, KeyError> {
        let damaged = |field| KeyError::Damaged { id: self.id.clone(), field };
        let key = Key {
            id: word(&self.id).ok_or_else(|| damaged("id"))?,
            name: word(&self.name).ok_or_else(|| damaged("name"))?,
            role: word(&self.role).ok_or_else(|| damaged("role"))?,
            lane: word(&self.lane).ok_or_else(|| damaged("lane"))?,
            allow_danger: self.allow_danger,
            errors: word(&self.errors).ok_or_else(|| damaged("errors"))?,
            accounts: serde_json::from_str(&self.accounts)
                .map(Accounts::from_list)
                .map_err(|_| damaged("accounts"))?,
            paths: serde_json::from_str(&self.paths).map_err(|_| damaged("paths"))?,
            networks: serde_json::from_str(&self.networks).map_err(|_| damaged("networks"))?,
            rate: match &self.rate {
                Some(rate) => Some(word(rate).ok_or_else(|| damaged("rate"))?),
                None => None,
            },
            subject: match &self.subject {
                Some(subject) => Some(word(subject).ok_or_else(|| damaged("subject"))?),
                None => None,
            },
            created: from_unix_ms(self.created_ms),
            expires: self.expires_ms.map(from_unix_ms),
            revoked: self.revoked_ms.map(from_unix_ms),
            fixed: false,
        };
        let hash = self.hash.as_slice().try_into().map_err(|_| damaged("hash"))?;
        Ok(Entry { key: Arc::new(key), hash })
    }
}

fn word<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// A list of texts as JSON, which cannot fail.
fn json<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
