//! What an account has allowed a third-party platform.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::{
    settings::Settings,
    token_family::{Family, Standing},
};

/// Stands until it is withdrawn.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Authorization {
    /// Stays the same until the account authorizes again.
    pub(super) refresh_token: String,
    /// Numbers of the permission sets that were granted.
    pub(super) permissions: Vec<u32>,
    /// When.
    pub(super) authorized_ms: i64,
    /// The tokens with which the platform acts.
    tokens: Family,
}

impl Authorization {
    /// A fresh one, without tokens.
    pub(super) fn new(refresh_token: String, permissions: Vec<u32>, authorized_ms: i64) -> Self {
        Self { refresh_token, permissions, authorized_ms, tokens: Family::default() }
    }

    /// Makes `text` the token to act with. The one before lives on for a while, as with the
    /// tokens of the account itself.
    pub(super) fn issue(&mut self, text: String, settings: &Settings, now_ms: i64) {
        let life_ms = i64::from(settings.token_life_s) * 1000;
        let previous_life_ms = i64::from(settings.previous_life_s) * 1000;
        let kept = settings.classic_previous_kept as usize;
        self.tokens.issue(text, now_ms.saturating_add(life_ms), kept, previous_life_ms, now_ms);
    }

    /// What becomes of a call with `token`.
    pub(super) fn standing(&self, token: &str, now_ms: i64) -> Standing {
        self.tokens.standing(token, now_ms)
    }

    /// Ends the life of every token: 42001.
    pub(super) fn expire_tokens(&mut self, now_ms: i64) {
        self.tokens.expire_all(now_ms);
    }

    /// Every token is replaced at once: 40001.
    pub(super) fn replace_tokens(&mut self, now_ms: i64) {
        self.tokens.replace_all(now_ms);
    }

    /// Whether the platform may call `path` for the account: any of the sets that have the path
    /// will do, and a path that no set has needs none.
    pub(super) fn allows(&self, path: &str, settings: &Settings) -> bool {
        let mut needed = settings
            .open
            .permission_sets
            .iter()
            .filter(|(_, paths)| paths.iter().any(|known| known == path))
            .peekable();
        needed.peek().is_none()
            || needed
                .any(|(set, _)| set.parse().is_ok_and(|number| self.permissions.contains(&number)))
    }

    /// `func_info`.
    pub(super) fn func_info(&self) -> Value {
        let shown = |id: &u32| json!({ "funcscope_category": { "id": id } });
        self.permissions.iter().map(shown).collect()
    }
}
