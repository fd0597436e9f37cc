//! What a surrogate says of its holder, and a handle of its refresh token.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::base::{
    clock::from_unix_ms,
    key_id::KeyId,
    name::Name,
    permission::{Lane, UnknownWord, words},
};

/// What a surrogate says. Whether the key still opens anything is known by the key ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The key that it was given for; it dies with that.
    pub key: KeyId,
    /// The account whose token it stands for.
    pub account: Name,
    /// The lane that it was given on.
    pub lane: Lane,
    /// The merchant for whom a third-party platform acts with it, by AppID.
    pub merchant: Option<Arc<str>>,
    /// When it ends, in ms since 1970.
    pub expires_ms: i64,
}

/// What a handle stands for: the refresh token that a merchant gave a third-party platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// The platform's account.
    pub account: Name,
    /// Whether it is of the account's shadow in the sandbox.
    pub shadow: bool,
    /// The merchant's AppID.
    pub merchant: Arc<str>,
    /// Tells the merchant's refresh tokens apart: an old one's handle is not the new one's.
    pub mark: u32,
}

impl Claims {
    /// Whether its time is over.
    #[must_use]
    pub fn is_over_at(&self, now: SystemTime) -> bool {
        from_unix_ms(self.expires_ms) <= now
    }

    /// How long it has been over; none while it is good.
    #[must_use]
    pub fn over_since(&self, now: SystemTime) -> Option<Duration> {
        self.is_over_at(now)
            .then(|| now.duration_since(from_unix_ms(self.expires_ms)).unwrap_or_default())
    }

    /// As bytes, to be sealed.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.key.as_str().as_bytes());
        out.push(lane_byte(self.lane));
        out.extend_from_slice(&self.expires_ms.to_be_bytes());
        push_text(out, self.account.as_str());
        push_text(out, self.merchant.as_deref().unwrap_or_default());
    }

    /// The inverse of [`Claims::write`].
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_at_checked(KeyId::LENGTH)?;
        let key = std::str::from_utf8(key).ok()?.parse().ok()?;
        let (lane, rest) = rest.split_first()?;
        let lane = Lane::ALL.iter().copied().find(|known| lane_byte(*known) == *lane)?;
        let (expires, rest) = rest.split_first_chunk()?;
        let (account, rest) = text(rest)?;
        let (merchant, rest) = text(rest)?;
        rest.is_empty().then_some(())?;
        let merchant = (!merchant.is_empty()).then(|| merchant.into());
        let expires_ms = i64::from_be_bytes(*expires);
        Some(Self { key, account: account.parse().ok()?, lane, merchant, expires_ms })
    }
}

impl Handle {
    /// As bytes, to be sealed.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.shadow));
        out.extend_from_slice(&self.mark.to_be_bytes());
        push_text(out, self.account.as_str());
        push_text(out, &self.merchant);
    }

    /// The inverse of [`Handle::write`].
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (shadow, rest) = bytes.split_first()?;
        let (mark, rest) = rest.split_first_chunk()?;
        let (account, rest) = text(rest)?;
        let (merchant, rest) = text(rest)?;
        rest.is_empty().then_some(())?;
        let (shadow, mark) = (*shadow == 1, u32::from_be_bytes(*mark));
        Some(Self { account: account.parse().ok()?, shadow, merchant: merchant.into(), mark })
    }
}

/// With its length before it. What is longer than the longest name or AppID is cut.
fn push_text(out: &mut Vec<u8>, text: &str) {
    let text = text.get(..TEXT_MOST_BYTES).unwrap_or(text);
    out.push(u8::try_from(text.len()).unwrap_or(0));
    out.extend_from_slice(text.as_bytes());
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

/// What stands in a sealed surrogate for a lane; never changes.
fn lane_byte(lane: Lane) -> u8 {
    match lane {
        Lane::Live => 1,
        Lane::ReadOnly => 2,
        Lane::Sandbox => 3,
    }
}

words! {
    /// Why a surrogate that is whole was refused; for the log and the exchange, not for the caller.
    SurrogateFault {
        /// Its key was revoked, has expired or is unknown.
        Key = "surrogate: its key opens nothing any more",
        /// It was used for another account than its own.
        Account = "surrogate: for another account",
        /// It was used on another lane than its own.
        Lane = "surrogate: for another lane",
        /// It came from a network that its key may not be used from.
        Network = "surrogate: from a foreign network",
        /// It was shown at a door of the gateway itself, where only a key counts.
        Door = "surrogate: no key for the gateway's own doors",
    }
}

/// AppIDs have 18 characters, and config allows 64.
const TEXT_MOST_BYTES: usize = 64;

/// The longest claims.
pub(super) const CLAIMS_MOST_BYTES: usize = KeyId::LENGTH + 1 + 8 + 2 * (1 + TEXT_MOST_BYTES);
