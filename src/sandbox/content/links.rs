//! Short ways to long places: links into the mini program, short keys, tickets of QR codes.

use serde::{Deserialize, Serialize};

use crate::sandbox::{drawer::Drawer, refusal::Refusal};

/// Of each sort the latest; the oldest make room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Links {
    /// Schemes and URL links, by their whole text.
    pub(in crate::sandbox) links: Drawer<Link, MOST_LINKS>,
    /// Short keys.
    pub(in crate::sandbox) shorts: Drawer<ShortText, MOST_LINKS>,
    /// Tickets of QR codes.
    pub(in crate::sandbox) scenes: Drawer<Scene, MOST_LINKS>,
    /// Mini program codes of the sort that has an end.
    pub(in crate::sandbox) codes_made: u32,
}

/// A link into the mini program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Link {
    /// Page.
    pub(in crate::sandbox) path: String,
    /// What the page gets.
    pub(in crate::sandbox) query: String,
    /// `release`, `trial` or `develop`.
    pub(in crate::sandbox) env_version: String,
    /// When it was made.
    pub(in crate::sandbox) created_ms: i64,
    /// When it ends.
    pub(in crate::sandbox) expires_ms: i64,
}

/// A text behind a short key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct ShortText {
    /// The text.
    pub(in crate::sandbox) text: String,
    /// When it was kept.
    pub(in crate::sandbox) created_ms: i64,
    /// When it is gone.
    pub(in crate::sandbox) expires_ms: i64,
}

/// What a QR code leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Scene {
    /// What stands in the code.
    pub(in crate::sandbox) url: String,
    /// When it is gone; none for a code that stays.
    pub(in crate::sandbox) expires_ms: Option<i64>,
}

impl Links {
    /// The text behind a short key: 40097 where there is none.
    pub(in crate::sandbox) fn short(&self, key: &str, now_ms: i64) -> Result<&ShortText, Refusal> {
        let found = self.shorts.find(key).filter(|short| now_ms < short.expires_ms);
        found.ok_or_else(|| Refusal::with(40097, "short_key"))
    }

    /// What the code of a ticket leads to, while it does.
    pub(in crate::sandbox) fn scene(&self, ticket: &str, now_ms: i64) -> Option<&Scene> {
        let scene = self.scenes.find(ticket)?;
        scene.expires_ms.is_none_or(|expires_ms| now_ms < expires_ms).then_some(scene)
    }

    /// Counts a code; 45029 beyond the documented number.
    pub(in crate::sandbox) fn count_code(&mut self) -> Result<u32, Refusal> {
        if self.codes_made >= MOST_CODES {
            return Err(Refusal::new(45029));
        }
        self.codes_made += 1;
        Ok(self.codes_made)
    }
}

const MOST_LINKS: usize = 1000;
/// "100 000 altogether" (read 2026-08).
const MOST_CODES: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_an_end_is_gone_after_it() {
        let mut links = Links::default();
        let scene = |expires_ms| Scene { url: "u".to_owned(), expires_ms };
        links.scenes.put_for_oldest("a", scene(Some(10)));
        links.scenes.put_for_oldest("b", scene(None));
        assert!(links.scene("a", 9).is_some() && links.scene("a", 10).is_none());
        assert!(links.scene("b", i64::MAX).is_some());
        links.codes_made = MOST_CODES - 1;
        assert_eq!(links.count_code().unwrap(), MOST_CODES);
        assert_eq!(links.count_code().unwrap_err().errcode, 45029);
    }
}
