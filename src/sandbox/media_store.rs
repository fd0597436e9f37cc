//! Uploaded media, kept for some days.

use std::collections::VecDeque;

use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

/// What kind of file was uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MediaKind {
    /// 10 MB.
    Image,
    /// 2 MB.
    Voice,
    /// 10 MB.
    Video,
    /// 64 KB.
    Thumb,
    /// 20 MB; WeCom only.
    File,
}

impl MediaKind {
    /// As the `type` parameter names it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "image" => Self::Image,
            "voice" => Self::Voice,
            "video" => Self::Video,
            "thumb" => Self::Thumb,
            _ => return None,
        })
    }

    /// The same for WeCom.
    pub(super) fn parse_corp(text: &str) -> Option<Self> {
        match text {
            "file" => Some(Self::File),
            _ => Self::parse(text).filter(|kind| *kind != Self::Thumb),
        }
    }

    /// The documented limit (read 2026-08).
    pub(super) fn limit_bytes(self) -> u64 {
        match self {
            Self::Image | Self::Video => 10 << 20,
            Self::Voice => 2 << 20,
            Self::Thumb => 64 << 10,
            Self::File => 20 << 20,
        }
    }
}

/// One file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Medium {
    /// Names it in later calls.
    pub(super) media_id: String,
    /// Its kind.
    pub(super) kind: MediaKind,
    /// Its very bytes.
    #[serde(with = "base64_text")]
    pub(super) bytes: Bytes,
    /// When it is gone.
    pub(super) expires_ms: i64,
}

/// Oldest first; bounded in number and bytes, the oldest make room.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Vec<Medium>")]
pub(super) struct MediaStore {
    media: VecDeque<Medium>,
    held_bytes: usize,
}

impl MediaStore {
    /// Keeps `medium`.
    pub(super) fn keep(&mut self, medium: Medium) {
        self.held_bytes += medium.bytes.len();
        self.media.push_back(medium);
        while self.media.len() > MOST_MEDIA
            || (self.held_bytes > MOST_BYTES && self.media.len() > 1)
        {
            match self.media.pop_front() {
                Some(oldest) => self.held_bytes -= oldest.bytes.len(),
                None => break,
            }
        }
    }

    /// The file called `media_id`, unless it is gone.
    pub(super) fn find(&self, media_id: &str, now_ms: i64) -> Option<Medium> {
        let found = self.media.iter().rev().find(|medium| medium.media_id == media_id);
        found.filter(|medium| now_ms < medium.expires_ms).cloned()
    }

    /// All files without their bytes.
    pub(super) fn to_json(&self) -> Value {
        let shown = |medium: &Medium| {
            json!({
                "media_id": medium.media_id,
                "kind": medium.kind,
                "size_bytes": medium.bytes.len(),
                "expires_ms": medium.expires_ms,
            })
        };
        self.media.iter().map(shown).collect()
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.media.len()
    }
}

/// What is held is counted anew when it is read.
impl Serialize for MediaStore {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.media.serialize(to)
    }
}

impl From<Vec<Medium>> for MediaStore {
    fn from(media: Vec<Medium>) -> Self {
        let mut store = Self::default();
        media.into_iter().for_each(|medium| store.keep(medium));
        store
    }
}

/// Bytes as JSON writes them.
pub(super) mod base64_text {
    use super::{Bytes, STANDARD};
    use base64::Engine as _;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::sandbox) fn serialize<S: Serializer>(
        bytes: &Bytes,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(&base64::display::Base64Display::new(bytes, &STANDARD))
    }

    pub(in crate::sandbox) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Bytes, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        STANDARD.decode(&*text).map(Bytes::from).map_err(D::Error::custom)
    }
}

const MOST_MEDIA: usize = 1000;
const MOST_BYTES: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn medium(id: usize, size: usize) -> Medium {
        let bytes = Bytes::from(vec![0; size]);
        Medium { media_id: id.to_string(), kind: MediaKind::Image, bytes, expires_ms: 10 }
    }

    #[test]
    fn media_are_found_until_they_expire_or_make_room() {
        let mut store = MediaStore::default();
        (0..MOST_MEDIA + 1).for_each(|id| store.keep(medium(id, 3)));
        assert!(store.find("0", 0).is_none(), "made room");
        assert!(store.find("1", 9).is_some());
        assert!(store.find("1", 10).is_none(), "expired");
        assert_eq!(store.held_bytes, MOST_MEDIA * 3);
        store.keep(medium(5000, MOST_BYTES));
        assert_eq!((store.len(), store.held_bytes), (1, MOST_BYTES));
    }
}
