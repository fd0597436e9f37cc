//! Secrets at rest that are no tokens: a platform's verify ticket, its merchants' refresh tokens.
//!
//! Rows of the table `sealed`, beside those of the slots. A value opens only for its row and
//! the component AppID that it was sealed for.

use std::{sync::Arc, time::SystemTime};

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    journal::{Entry, Journal},
    slot_id::SlotId,
    vault,
};
use crate::{
    base::{
        clock::{from_unix_ms, unix_ms},
        name::Name,
        secret::Secret,
    },
    store::{InstallationKey, SealError},
};

/// A secret with the moment since when it is known.
#[derive(Clone, Debug)]
pub(super) struct Keepsake {
    pub(super) secret: Secret,
    pub(super) since: SystemTime,
}

/// Seals, opens and forgets them for one platform.
pub(super) struct Strongbox {
    key: Arc<InstallationKey>,
    /// `open` or `open~sandbox`.
    owner: String,
    component_app_id: String,
    /// Whether anything is written: what the sandbox of this process gave is worth nothing to
    /// the next one.
    is_kept: bool,
}

impl Strongbox {
    pub(super) fn new(
        key: Arc<InstallationKey>,
        platform: &SlotId,
        component_app_id: String,
        is_kept: bool,
    ) -> Self {
        Self { key, owner: platform.owner(), component_app_id, is_kept }
    }

    /// Whose secrets these are.
    pub(super) fn component_app_id(&self) -> &str {
        &self.component_app_id
    }

    /// Whether anything is written.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// The row of the verify ticket.
    pub(super) fn ticket_row(&self) -> String {
        format!("{}/{TICKET_ROW}", self.owner)
    }

    /// The row of a merchant's refresh token.
    pub(super) fn merchant_row(&self, app_id: &str) -> String {
        format!("{}/{MERCHANT_ROWS}/{app_id}/{REFRESH_ROW}", self.owner)
    }

    /// The merchant whose refresh token is in `row`, if it is such a row of this platform.
    pub(super) fn merchant_of<'a>(&self, row: &'a str) -> Option<&'a str> {
        row.strip_prefix(self.owner.as_str())?
            .strip_prefix('/')?
            .strip_prefix(MERCHANT_ROWS)?
            .strip_prefix('/')?
            .strip_suffix(REFRESH_ROW)?
            .strip_suffix('/')
    }

    /// Has the secret written down.
    pub(super) fn put(&self, journal: &Journal, row: String, kept: &Keepsake) {
        if !self.is_kept {
            return;
        }
        match seal(&self.key, &row, &self.component_app_id, kept) {
            Ok(sealed) => journal.note(Entry::Kept { row, sealed }),
            Err(error) => tracing::warn!(%error, row, "a secret could not be sealed"),
        }
    }

    /// Has the row removed. One that is there although nothing is written is another's.
    pub(super) fn forget(&self, journal: &Journal, row: String) {
        if !self.is_kept {
            return;
        }
        journal.note(Entry::Forgotten { slot: row });
    }

    /// What an earlier run left in `row`; none where it is not ours.
    pub(super) fn open(&self, row: &str, sealed: &[u8]) -> Option<Keepsake> {
        let opened = self.key.open(&context(row, &self.component_app_id), sealed);
        let plain = opened
            .inspect_err(|error| {
                tracing::warn!(row, %error, "what was stored in {row} is not used: it is of another AppID, or from elsewhere");
            })
            .ok()?;
        let value: Value<String> = serde_json::from_slice(&plain).ok()?;
        Some(Keepsake { secret: Secret::new(value.secret), since: from_unix_ms(value.since_ms) })
    }
}

/// Stores a verify ticket for the next start: for the command line, while no gateway runs.
///
/// # Errors
/// [`SealError`] when the system has no random bytes; as SQLite says.
pub fn store_ticket(
    key: &InstallationKey,
    account: &Name,
    component_app_id: &str,
    ticket: &Secret,
    now: SystemTime,
) -> Result<impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static, SealError> {
    let row = format!("{account}/{TICKET_ROW}");
    let kept = Keepsake { secret: ticket.clone(), since: now };
    let sealed = seal(key, &row, component_app_id, &kept)?;
    Ok(move |t: &Transaction<'_>| vault::put(t, &row, &sealed, unix_ms(now)))
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Value<T> {
    secret: T,
    since_ms: i64,
}

fn seal(
    key: &InstallationKey,
    row: &str,
    component_app_id: &str,
    kept: &Keepsake,
) -> Result<Vec<u8>, SealError> {
    let value = Value { secret: kept.secret.expose(), since_ms: unix_ms(kept.since) };
    let plain = Zeroizing::new(serde_json::to_vec(&value).unwrap_or_default());
    key.seal(&context(row, component_app_id), &plain)
}

/// Authenticated but not stored. A line break can stand in neither part.
fn context(row: &str, component_app_id: &str) -> String {
    format!("{row}\n{component_app_id}")
}

const TICKET_ROW: &str = "verify_ticket";
const MERCHANT_ROWS: &str = "merchant";
const REFRESH_ROW: &str = "refresh_token";

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(dir: &std::path::Path, app_id: &str) -> Strongbox {
        let key = InstallationKey::load_or_create(&dir.join("installation.key")).unwrap();
        let platform = SlotId::real("open".parse().unwrap());
        Strongbox::new(Arc::new(key), &platform, app_id.into(), true)
    }

    #[test]
    fn a_secret_opens_in_its_row_and_for_its_platform_only() {
        let dir = tempfile::tempdir().unwrap();
        let ours = boxed(dir.path(), "wxopen");
        let kept =
            Keepsake { secret: Secret::new("refreshtoken@@@x".into()), since: from_unix_ms(7) };
        let row = ours.merchant_row("wx1");
        let sealed = seal(&ours.key, &row, "wxopen", &kept).unwrap();
        let opened = ours.open(&row, &sealed).unwrap();
        assert!(opened.secret.matches(b"refreshtoken@@@x"));
        assert_eq!(unix_ms(opened.since), 7);
        assert!(ours.open(&ours.merchant_row("wx2"), &sealed).is_none());
        assert!(boxed(dir.path(), "wxother").open(&row, &sealed).is_none());
    }

    #[test]
    fn rows_name_the_platform_and_the_merchant() {
        let dir = tempfile::tempdir().unwrap();
        let ours = boxed(dir.path(), "wxopen");
        assert_eq!(ours.ticket_row(), "open/verify_ticket");
        assert_eq!(ours.merchant_row("wx1"), "open/merchant/wx1/refresh_token");
        assert_eq!(ours.merchant_of("open/merchant/wx1/refresh_token"), Some("wx1"));
        for other in [
            "open~sandbox/merchant/wx1/refresh_token",
            "opener/merchant/wx1/refresh_token",
            "open/merchant/wx1/token",
            "open/verify_ticket",
        ] {
            assert_eq!(ours.merchant_of(other), None, "{other}");
        }
    }
}
