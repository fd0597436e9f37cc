//! Tokens of users who logged in on a web page. They have nothing to do with the account's own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sandbox::{drawer::Drawer, refusal::Refusal, settings::OauthScope};

/// The latest grants, by access token and by refresh token; the oldest make room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct UserTokens {
    access: Drawer<Grant, MOST_GRANTS>,
    refresh: Drawer<Grant, MOST_GRANTS>,
}

/// What a token is good for.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::sandbox) struct Grant {
    /// Whose data.
    pub(in crate::sandbox) openid: String,
    /// What the user agreed to.
    pub(in crate::sandbox) scope: OauthScope,
    /// When the token's life ends.
    pub(in crate::sandbox) expires_ms: i64,
}

impl UserTokens {
    /// Writes down a token with what it is good for.
    pub(in crate::sandbox) fn keep_access(&mut self, token: &str, grant: Grant) {
        self.access.put_for_oldest(token, grant);
    }

    /// Writes down a refresh token.
    pub(in crate::sandbox) fn keep_refresh(&mut self, token: &str, grant: Grant) {
        self.refresh.put_for_oldest(token, grant);
    }

    /// What an access token is good for: 40001 for one that was never given, which holds for
    /// the account's own too, 42001 for an old one.
    pub(in crate::sandbox) fn access(&self, token: &str, now_ms: i64) -> Result<&Grant, Refusal> {
        alive(self.access.find(token), now_ms, (40001, 42001))
    }

    /// The same of a refresh token: 40030 and 42002.
    pub(in crate::sandbox) fn refresh(&self, token: &str, now_ms: i64) -> Result<&Grant, Refusal> {
        alive(self.refresh.find(token), now_ms, (40030, 42002))
    }
}

fn alive(
    found: Option<&Grant>,
    now_ms: i64,
    (unknown, expired): (i64, i64),
) -> Result<&Grant, Refusal> {
    let grant = found.ok_or_else(|| Refusal::new(unknown))?;
    if now_ms < grant.expires_ms { Ok(grant) } else { Err(Refusal::new(expired)) }
}

/// An openid is a person.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("scope", &self.scope).finish_non_exhaustive()
    }
}

const MOST_GRANTS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_known_until_they_expire() {
        let mut tokens = UserTokens::default();
        let grant = Grant { openid: "oA".to_owned(), scope: OauthScope::Base, expires_ms: 10 };
        tokens.keep_access("a", grant.clone());
        tokens.keep_refresh("r", grant);
        let errcode = |result: Result<&Grant, Refusal>| result.map_or_else(|r| r.errcode, |_| 0);
        assert_eq!((errcode(tokens.access("a", 9)), errcode(tokens.access("a", 10))), (0, 42001));
        assert_eq!((errcode(tokens.refresh("r", 9)), errcode(tokens.refresh("r", 10))), (0, 42002));
        assert_eq!(
            (errcode(tokens.access("r", 0)), errcode(tokens.refresh("a", 0))),
            (40001, 40030)
        );
        assert!(!format!("{tokens:?}").contains("\"a\""));
    }
}
