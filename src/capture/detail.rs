//! What of an exchange stands neither in its line nor in its parts, as compact JSON.
//!
//! Read only for exchanges that are shown. Names are short and what is absent is left out,
//! because every exchange pays for writing them.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    exchange::Marks,
    stored::{StoredAttempt, StoredPhases},
};
use crate::base::id::RequestId;

impl<'a> Detail<'a> {
    /// Appends it to `out`.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(out, self)
    }

    /// `None` for one of a damaged file.
    pub(super) fn read(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Detail<'a> {
    #[serde(rename = "c")]
    pub(super) client: IpAddr,
    /// Of request and response.
    #[serde(rename = "s")]
    pub(super) sizes: [u64; 2],
    #[serde(rename = "t", default, skip_serializing_if = "are_whole")]
    pub(super) truncated: [bool; 2],
    #[serde(rename = "q", borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) query: Cow<'a, str>,
    #[serde(rename = "m", borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) errmsg: Option<Cow<'a, str>>,
    #[serde(rename = "e", borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Cow<'a, str>>,
    #[serde(rename = "a", borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) attempts: Vec<AttemptDetail<'a>>,
    #[serde(rename = "k", default, skip_serializing_if = "no_marks")]
    pub(super) marks: Cow<'a, Marks>,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) replay_of: Option<RequestId>,
    #[serde(rename = "n", borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Cow<'a, str>>,
    #[serde(rename = "r", default, skip_serializing_if = "is_nothing")]
    pub(super) redacted: Cow<'a, [String]>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct AttemptDetail<'a> {
    #[serde(rename = "u", borrow)]
    pub(super) upstream: Cow<'a, str>,
    #[serde(rename = "f", borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<Cow<'a, str>>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(super) errcode: Option<i64>,
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) reused: bool,
    /// Microseconds: queue, token, total; dns, connect, tls, first byte.
    #[serde(rename = "d")]
    pub(super) always_us: [u64; 3],
    #[serde(rename = "p", default, skip_serializing_if = "never_happened")]
    pub(super) phases_us: [Option<u64>; 4],
    #[serde(rename = "x", borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Cow<'a, str>>,
}

impl AttemptDetail<'_> {
    pub(super) fn to_stored(&self) -> StoredAttempt {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let [queue, token, total] = self.always_us;
        let [dns, connect, tls, first_byte] = self.phases_us;
        StoredAttempt {
            upstream: Arc::from(&*self.upstream),
            token: text(&self.token),
            status: self.status,
            errcode: self.errcode,
            reused: self.reused,
            us: StoredPhases { queue, token, dns, connect, tls, first_byte, total },
            error: text(&self.error),
        }
    }
}

fn are_whole(truncated: &[bool; 2]) -> bool {
    *truncated == [false; 2]
}

fn never_happened(phases: &[Option<u64>; 4]) -> bool {
    phases.iter().all(Option::is_none)
}

fn is_nothing(redacted: &[String]) -> bool {
    redacted.is_empty()
}

fn no_marks(marks: &Marks) -> bool {
    marks.is_empty()
}
