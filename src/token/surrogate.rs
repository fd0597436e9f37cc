//! Surrogates: tokens that stand for the real ones and are worth nothing anywhere else.
//!
//! `wxgt_` + base64url of: version (1 byte), the installation key's tag (2), the day (2), a nonce
//! (12), the sealed claims, a tag (16). The claims are sealed with AES-256-GCM under a key of that
//! day, made from the installation's key; so no key seals more than a day's worth, and what an
//! earlier one sealed opens until it expires. No table: who holds a surrogate is known from the
//! surrogate alone.
//!
//! Handles (`wxgr_…`) stand for the refresh tokens of merchants in the same way. They are good for
//! as long as the refresh token is, so their key does not depend on the day.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::claims::{CLAIMS_MOST_BYTES, Claims, Handle};
use crate::{
    base::clock::unix_ms,
    store::{InstallationKey, PurposeKey, SealError},
};

/// Seals and opens surrogates. Shared by all worker threads; opening takes no lock.
pub struct Surrogates {
    installation: Arc<InstallationKey>,
    /// Keys of days that may still be good, and were used already.
    recent: ArcSwap<Vec<Arc<DayKey>>>,
}

/// The key of one day (UTC), made from one of the installation's keys.
struct DayKey {
    day: u16,
    key: PurposeKey,
}

/// Why a text is no surrogate of this installation. A caller is told no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Not the form of a surrogate.
    #[error("it is not a whole surrogate")]
    Form,
    /// Sealed with a key that this installation does not have, or has no more.
    #[error("it was sealed by another installation, or with a key that is gone")]
    Key,
    /// The seal is broken: changed, or made up.
    #[error("its seal is broken")]
    Seal,
}

impl Surrogates {
    /// Nothing is made before the first use.
    #[must_use]
    pub fn new(installation: Arc<InstallationKey>) -> Self {
        Self { installation, recent: ArcSwap::default() }
    }

    /// A surrogate for these claims.
    ///
    /// # Errors
    /// [`SealError`] when the system has no random bytes.
    pub fn seal(&self, claims: &Claims, now: SystemTime) -> Result<String, SealError> {
        let key = self.day_key(self.installation.newest(), day_of(now), day_of(now));
        let key = key.ok_or(SealError::Random)?;
        let mut plain = Vec::with_capacity(CLAIMS_MOST_BYTES);
        claims.write(&mut plain);
        self.text(PREFIX, key.day, &key.key, &plain)
    }

    /// The claims of a surrogate. Whether they still hold is for the caller to ask.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn open(&self, text: &str, now: SystemTime) -> Result<Claims, Damage> {
        let mut opened = Opened::parse(PREFIX, text)?;
        let today = day_of(now);
        // A key is made for any day within reach of what can still expire, so that an old
        // surrogate is told from a forged one.
        if opened.day > today.saturating_add(1) || today.saturating_sub(opened.day) > DAYS_MOST {
            return Err(Damage::Key);
        }
        let key = self.day_key(opened.root, opened.day, today).ok_or(Damage::Key)?;
        let plain = opened.open(PREFIX, &key.key)?;
        Claims::read(plain).ok_or(Damage::Seal)
    }

    /// A handle for a merchant's refresh token.
    ///
    /// # Errors
    /// [`SealError`] when the system has no random bytes.
    pub fn seal_handle(&self, handle: &Handle) -> Result<String, SealError> {
        let key = self.installation.derive(self.installation.newest(), HANDLE_PURPOSE);
        let mut plain = Vec::with_capacity(CLAIMS_MOST_BYTES);
        handle.write(&mut plain);
        self.text(HANDLE_PREFIX, NO_DAY, &key.ok_or(SealError::Random)?, &plain)
    }

    /// What a handle stands for.
    ///
    /// # Errors
    /// [`Damage`].
    pub fn open_handle(&self, text: &str) -> Result<Handle, Damage> {
        let mut opened = Opened::parse(HANDLE_PREFIX, text)?;
        let key = self.installation.derive(opened.root, HANDLE_PURPOSE).ok_or(Damage::Key)?;
        let plain = opened.open(HANDLE_PREFIX, &key)?;
        Handle::read(plain).ok_or(Damage::Seal)
    }

    /// From memory, or made: a key costs a microsecond or two, so those in use are kept.
    fn day_key(&self, root: u16, day: u16, today: u16) -> Option<Arc<DayKey>> {
        let recent = self.recent.load();
        if let Some(known) = recent.iter().find(|known| known.day == day && known.key.root == root)
        {
            return Some(known.clone());
        }
        let key = self.installation.derive(root, &format!("surrogate/{day}"))?;
        let made = Arc::new(DayKey { day, key });
        if today.abs_diff(day) <= DAYS_KEPT {
            let is_near = |known: &&Arc<DayKey>| today.abs_diff(known.day) <= DAYS_KEPT;
            let mut kept: Vec<_> = recent.iter().filter(is_near).cloned().collect();
            kept.truncate(KEYS_KEPT - 1);
            kept.insert(0, made.clone());
            self.recent.store(Arc::new(kept));
        }
        Some(made)
    }

    fn text(
        &self,
        prefix: &str,
        day: u16,
        key: &PurposeKey,
        plain: &[u8],
    ) -> Result<String, SealError> {
        let nonce = self.installation.nonce()?;
        let head = head(key.root, day);
        let mut bytes = Vec::with_capacity(SEALED_MOST_BYTES);
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&nonce);
        let mut sealed = plain.to_vec();
        key.aead
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(authenticated(prefix, head)),
                &mut sealed,
            )
            .map_err(|_| SealError::Random)?;
        bytes.extend_from_slice(&sealed);
        let mut text = String::with_capacity(prefix.len() + bytes.len() * 4 / 3 + 1);
        text.push_str(prefix);
        BASE64_URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
        Ok(text)
    }
}

impl fmt::Debug for Surrogates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surrogates(..)")
    }
}

/// When a surrogate made now ends, in ms since 1970.
#[must_use]
pub fn expiry_ms(now: SystemTime, life: Duration) -> i64 {
    unix_ms(now).saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX))
}

/// A surrogate taken apart, on the stack.
struct Opened {
    bytes: [u8; BUFFER_BYTES],
    length: usize,
    root: u16,
    day: u16,
}

impl Opened {
    fn parse(prefix: &str, text: &str) -> Result<Self, Damage> {
        let text = text.strip_prefix(prefix).ok_or(Damage::Form)?;
        let mut bytes = [0; BUFFER_BYTES];
        let length =
            BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| Damage::Form)?;
        let [version, root_0, root_1, day_0, day_1, ..] = bytes;
        if length < HEAD_BYTES + NONCE_LEN + SEAL_BYTES || version != VERSION {
            return Err(Damage::Form);
        }
        let (root, day) =
            (u16::from_be_bytes([root_0, root_1]), u16::from_be_bytes([day_0, day_1]));
        Ok(Self { bytes, length, root, day })
    }

    fn open(&mut self, prefix: &str, key: &PurposeKey) -> Result<&[u8], Damage> {
        let aad = Aad::from(authenticated(prefix, head(self.root, self.day)));
        let behind_head = self.bytes.get_mut(HEAD_BYTES..self.length).ok_or(Damage::Form)?;
        let (nonce, sealed) =
            behind_head.split_first_chunk_mut::<NONCE_LEN>().ok_or(Damage::Form)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key.aead.open_in_place(nonce, aad, sealed).map_err(|_| Damage::Seal)?;
        Ok(plain)
    }
}

fn head(root: u16, day: u16) -> [u8; HEAD_BYTES] {
    let ([root_0, root_1], [day_0, day_1]) = (root.to_be_bytes(), day.to_be_bytes());
    [VERSION, root_0, root_1, day_0, day_1]
}

/// What the seal covers beside the claims: a handle cannot be taken for a surrogate.
fn authenticated(prefix: &str, head: [u8; HEAD_BYTES]) -> [u8; HEAD_BYTES + PREFIX.len()] {
    let mut out = [0; HEAD_BYTES + PREFIX.len()];
    let all = prefix.bytes().chain(head);
    out.iter_mut().zip(all).for_each(|(place, byte)| *place = byte);
    out
}

fn day_of(now: SystemTime) -> u16 {
    u16::try_from(unix_ms(now).max(0) / MS_A_DAY).unwrap_or(u16::MAX)
}

/// What every surrogate begins with.
const PREFIX: &str = "wxgt_";
/// What every handle begins with.
const HANDLE_PREFIX: &str = "wxgr_";
const HANDLE_PURPOSE: &str = "handle";
/// Handles are of no day.
const NO_DAY: u16 = 0;
/// The first byte; another form gets another.
const VERSION: u8 = 1;

const HEAD_BYTES: usize = 5;
const SEAL_BYTES: usize = 16;
const SEALED_MOST_BYTES: usize = HEAD_BYTES + NONCE_LEN + CLAIMS_MOST_BYTES + SEAL_BYTES;

/// A decoder wants whole groups of three.
const BUFFER_BYTES: usize = SEALED_MOST_BYTES + 2;

/// Longer than any `surrogate_life`, and than a laptop sleeps.
const DAYS_MOST: u16 = 400;
/// As long as the longest `surrogate_life`, and a day for clocks.
const DAYS_KEPT: u16 = 31;
/// A month of one installation key, and half of one of its successor.
const KEYS_KEPT: usize = 48;
const MS_A_DAY: i64 = 86_400_000;

#[cfg(test)]
#[path = "surrogate_test.rs"]
mod tests;
