//! Tokens at rest: sealed rows of the table `sealed`.
//!
//! A value opens only for the slot, AppID, AppSecret and provider that it was sealed for, so a
//! row that was copied to another account, or kept through a change of the secret, is useless.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    issued::Issued,
    provider::{Credential, TokenProvider},
    slot_id::SlotId,
};
use crate::{
    base::{
        clock::{from_unix_ms, unix_ms},
        secret::Secret,
    },
    store::{InstallationKey, SealError},
};

/// Seals and opens tokens.
pub(super) struct Vault {
    key: Arc<InstallationKey>,
}

/// A token that survived a restart.
pub(super) struct Kept {
    pub(super) secret: Secret,
    pub(super) generation: u64,
    pub(super) born_at: SystemTime,
    /// What is left of its life.
    pub(super) left: Duration,
}

impl Vault {
    pub(super) fn new(key: Arc<InstallationKey>) -> Self {
        Self { key }
    }

    /// The value for the slot's row.
    pub(super) fn seal(
        &self,
        slot: &SlotId,
        provider: &dyn TokenProvider,
        issued: &Issued,
    ) -> Result<Vec<u8>, SealError> {
        let value = Value {
            token: issued.secret.expose(),
            generation: issued.generation,
            born_ms: unix_ms(issued.born_at),
            fetched_ms: unix_ms(issued.expires_at) - millis(issued.life),
            life_ms: millis(issued.life),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&value).unwrap_or_default());
        self.key.seal(&context(slot, provider), &plain)
    }

    /// The token in a row, unless its life is over.
    ///
    /// The wall clock is all that tells how long the gateway was down. Should it have been set
    /// back since, the token gets at most the life that it had.
    pub(super) fn open(
        &self,
        slot: &SlotId,
        provider: &dyn TokenProvider,
        sealed: &[u8],
        wall_now: SystemTime,
    ) -> Result<Option<Kept>, SealError> {
        let plain = self.key.open(&context(slot, provider), sealed)?;
        let value: Value<String> =
            serde_json::from_slice(&plain).map_err(|_| SealError::Foreign)?;
        let passed_ms = unix_ms(wall_now).saturating_sub(value.fetched_ms).max(0);
        let left_ms = value.life_ms.saturating_sub(passed_ms);
        Ok((left_ms > 0).then(|| Kept {
            secret: Secret::new(value.token),
            generation: value.generation,
            born_at: from_unix_ms(value.born_ms),
            left: Duration::from_millis(left_ms.unsigned_abs()),
        }))
    }
}

/// All rows of slots, and those of third-party platforms, still sealed.
pub(super) fn read_all(connection: &Connection) -> rusqlite::Result<HashMap<String, Vec<u8>>> {
    connection
        .prepare(
            "SELECT slot, value FROM sealed WHERE slot LIKE '%/token' OR slot LIKE '%/ticket/%'
             OR slot LIKE '%/verify_ticket' OR slot LIKE '%/refresh_token'",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Puts the slot's row in place.
pub(super) fn put(
    t: &Transaction<'_>,
    slot: &str,
    sealed: &[u8],
    now_ms: i64,
) -> rusqlite::Result<()> {
    t.execute(
        "INSERT INTO sealed (slot, value, updated_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (slot) DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms",
        params![slot, sealed, now_ms],
    )?;
    Ok(())
}

/// Removes the slot's row.
pub(super) fn remove(t: &Transaction<'_>, slot: &str) -> rusqlite::Result<()> {
    t.execute("DELETE FROM sealed WHERE slot = ?1", params![slot])?;
    Ok(())
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Value<T> {
    token: T,
    generation: u64,
    born_ms: i64,
    fetched_ms: i64,
    life_ms: i64,
}

/// Authenticated but not stored. A line break can stand in none of the parts before the last.
fn context(slot: &SlotId, provider: &dyn TokenProvider) -> Zeroizing<String> {
    let Credential { app_id, app_secret } = provider.credential();
    let family = provider.family();
    Zeroizing::new(format!("{slot}\n{family}\n{app_id}\n{}", app_secret.expose()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
