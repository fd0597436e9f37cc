//! One follower.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::refusal::Refusal;

/// What the account knows and notes of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Follower {
    /// Since when.
    pub(in crate::sandbox) since_ms: i64,
    /// The account's own note.
    pub(in crate::sandbox) remark: String,
    /// Tags, the oldest first.
    pub(in crate::sandbox) tags: Vec<i64>,
    /// On the blacklist.
    pub(in crate::sandbox) is_blocked: bool,
}

impl Follower {
    /// A follower without notes.
    pub(in crate::sandbox) fn new(since_ms: i64) -> Self {
        Self { since_ms, remark: String::new(), tags: Vec::new(), is_blocked: false }
    }

    /// Adds a tag: 45059 beyond twenty.
    pub(in crate::sandbox) fn tag(&mut self, tag: i64) -> Result<(), Refusal> {
        if self.tags.contains(&tag) {
            return Ok(());
        }
        if self.tags.len() >= MOST_TAGS {
            return Err(Refusal::new(45059));
        }
        self.tags.push(tag);
        Ok(())
    }

    /// As `user/info` tells it. Names and pictures are no longer given by the platform.
    pub(in crate::sandbox) fn to_json(&self, openid: &str, lang: &str) -> Value {
        json!({
            "subscribe": 1,
            "openid": openid,
            "language": lang,
            "subscribe_time": self.since_ms / 1000,
            "remark": self.remark,
            "groupid": self.tags.first().copied().unwrap_or(0),
            "tagid_list": self.tags,
            "subscribe_scene": "ADD_SCENE_SEARCH",
            "qr_scene": 0,
            "qr_scene_str": "",
        })
    }
}

/// As documented for one user.
const MOST_TAGS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_has_at_most_twenty_tags() {
        let mut follower = Follower::new(5000);
        assert!((100..120).all(|tag| follower.tag(tag).is_ok()));
        assert!(follower.tag(100).is_ok(), "has it already");
        assert_eq!(follower.tag(120).unwrap_err().errcode, 45059);
        let shown = follower.to_json("o1", "zh_CN");
        assert_eq!((&shown["subscribe_time"], &shown["groupid"]), (&5.into(), &100.into()));
    }
}
