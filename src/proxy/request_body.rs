//! What is known of the caller's body.

use bytes::Bytes;

use crate::capture::{Captured, TeeHandle};

/// Kept in the passage, so that a caller who leaves in the middle is seen with what came.
#[derive(Default)]
pub(super) enum RequestBody {
    /// Nobody has asked for it.
    #[default]
    Unread,
    /// A short one that is read before anything is sent on: what came so far.
    Coming(Vec<Bytes>),
    /// All of a short one.
    Whole(Bytes),
    /// One that streams.
    Watched(TeeHandle),
}

impl RequestBody {
    /// How many bytes have come.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Unread => 0,
            Self::Coming(chunks) => chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Watched(handle) => handle.size(),
        }
    }

    /// Its beginning, up to `cap` bytes.
    pub(super) fn captured(&self, cap: usize) -> Captured {
        match self {
            Self::Unread => Captured::default(),
            Self::Coming(chunks) => Captured::of(&chunks.concat().into(), cap),
            Self::Whole(bytes) => Captured::of(bytes, cap),
            Self::Watched(handle) => handle.take(),
        }
    }
}
