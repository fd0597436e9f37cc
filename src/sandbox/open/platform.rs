//! A third-party platform's tickets, codes and authorizations.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authorization::Authorization;
use crate::sandbox::{refusal::Refusal, token_family::Standing};

/// What an account of another kind has too, and never fills.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct OpenPlatform {
    /// Newest last.
    tickets: VecDeque<Code>,
    /// Codes for the page on which an account authorizes.
    preauth_codes: VecDeque<Code>,
    /// Codes that an authorization gave, to be exchanged once.
    codes: VecDeque<AuthorizationCode>,
    authorizations: BTreeMap<String, Authorization>,
}

/// A text with an end.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Code {
    text: String,
    expires_ms: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct AuthorizationCode {
    code: Code,
    app_id: String,
}

impl OpenPlatform {
    /// Keeps a ticket.
    pub(super) fn add_ticket(&mut self, text: String, expires_ms: i64) {
        push(&mut self.tickets, Code { text, expires_ms });
    }

    /// The newest ticket.
    pub(super) fn newest_ticket(&self) -> Option<&str> {
        self.tickets.back().map(|ticket| ticket.text.as_str())
    }

    /// Any ticket of the last hours is good: 61006 and 61005.
    pub(super) fn check_ticket(&self, text: &str, now_ms: i64) -> Result<(), Refusal> {
        find(&self.tickets, text, now_ms, (61006, 61005))
    }

    /// Keeps a pre-authorization code.
    pub(super) fn add_preauth_code(&mut self, text: String, expires_ms: i64) {
        push(&mut self.preauth_codes, Code { text, expires_ms });
    }

    /// Whether an account may authorize by that code: 61009 and 61010.
    pub(super) fn check_preauth_code(&self, text: &str, now_ms: i64) -> Result<(), Refusal> {
        find(&self.preauth_codes, text, now_ms, (61009, 61010))
    }

    /// An account authorizes, for the first time or again: its older refresh token and all
    /// tokens with it are dead. False for the first time.
    pub(super) fn authorize(
        &mut self,
        app_id: &str,
        authorization: Authorization,
        (code, expires_ms): (String, i64),
    ) -> Result<bool, Refusal> {
        if self.authorizations.len() >= MOST_AUTHORIZATIONS
            && !self.authorizations.contains_key(app_id)
        {
            return Err(Refusal::full());
        }
        let code = Code { text: code, expires_ms };
        push(&mut self.codes, AuthorizationCode { code, app_id: app_id.to_owned() });
        Ok(self.authorizations.insert(app_id.to_owned(), authorization).is_some())
    }

    /// An account takes its authorization back; false if there is none.
    pub(super) fn unauthorize(&mut self, app_id: &str) -> bool {
        self.codes.retain(|code| code.app_id != app_id);
        self.authorizations.remove(app_id).is_some()
    }

    /// Uses up an authorization code; whose it is. 61009 and 61010.
    pub(super) fn spend_code(&mut self, text: &str, now_ms: i64) -> Result<String, Refusal> {
        let at = self.codes.iter().position(|known| known.code.text == text);
        let spent = at.and_then(|at| self.codes.remove(at));
        let spent = spent.ok_or_else(|| Refusal::new(61009))?;
        if now_ms >= spent.code.expires_ms {
            return Err(Refusal::new(61010));
        }
        Ok(spent.app_id)
    }

    /// An account's authorization: 61003.
    pub(super) fn authorization(&self, app_id: &str) -> Result<&Authorization, Refusal> {
        self.authorizations.get(app_id).ok_or_else(|| Refusal::new(61003))
    }

    /// The same, to change it.
    pub(super) fn authorization_mut(
        &mut self,
        app_id: &str,
    ) -> Result<&mut Authorization, Refusal> {
        self.authorizations.get_mut(app_id).ok_or_else(|| Refusal::new(61003))
    }

    /// All authorizations by AppID.
    pub(super) fn authorizations(&self) -> impl Iterator<Item = (&str, &Authorization)> {
        self.authorizations.iter().map(|(app_id, one)| (app_id.as_str(), one))
    }

    /// The account that `token` acts for, with the token's standing.
    pub(super) fn acting(
        &self,
        token: &str,
        now_ms: i64,
    ) -> Option<(&str, &Authorization, Standing)> {
        self.authorizations().find_map(|(app_id, one)| match one.standing(token, now_ms) {
            Standing::Unknown => None,
            standing @ (Standing::Good | Standing::Expired | Standing::Replaced) => {
                Some((app_id, one, standing))
            }
        })
    }

    /// What anybody may see: no codes and no tokens but the newest ticket, which is pushed.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        let shown = |(app_id, one): (&str, &Authorization)| json!({ "appid": app_id, "func_info": one.permissions });
        json!({
            "component_verify_ticket": self.newest_ticket(),
            "authorizations": self.authorizations().map(shown).collect::<Vec<_>>(),
        })
    }

    /// Ends the life of every token that acts for an account: 42001.
    pub(in crate::sandbox) fn expire_tokens(&mut self, now_ms: i64) {
        self.authorizations.values_mut().for_each(|one| one.expire_tokens(now_ms));
    }

    /// Replaces every token that acts for the account: 40001.
    pub(super) fn replace_tokens_of(&mut self, app_id: &str, now_ms: i64) {
        if let Some(one) = self.authorizations.get_mut(app_id) {
            one.replace_tokens(now_ms);
        }
    }
}

/// The oldest makes room.
fn push<T>(codes: &mut VecDeque<T>, code: T) {
    if codes.len() == MOST_CODES {
        codes.pop_front();
    }
    codes.push_back(code);
}

/// The errcode of a text that is not there, and of one that is past its end.
fn find(
    codes: &VecDeque<Code>,
    text: &str,
    now_ms: i64,
    (unknown, expired): (i64, i64),
) -> Result<(), Refusal> {
    match codes.iter().find(|known| known.text == text) {
        None => Err(Refusal::new(unknown)),
        Some(code) if now_ms >= code.expires_ms => Err(Refusal::new(expired)),
        Some(_) => Ok(()),
    }
}

/// Tickets of a day, so that one which expired is told from one that never was.
const MOST_CODES: usize = 144;
/// Every call with a token looks through them.
const MOST_AUTHORIZATIONS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_good_until_their_end_and_the_oldest_are_forgotten() {
        let mut platform = OpenPlatform::default();
        for at in 0..=MOST_CODES as i64 {
            platform.add_ticket(format!("t{at}"), at + 10);
        }
        let check = |text: &str, now_ms| {
            platform.check_ticket(text, now_ms).map_err(|refusal| refusal.errcode)
        };
        assert_eq!(check("t0", 0), Err(61006), "made room");
        assert_eq!((check("t1", 10), check("t1", 11)), (Ok(()), Err(61005)));
        assert_eq!(platform.newest_ticket(), Some("t144"));
    }

    #[test]
    fn authorizations_are_bounded() {
        let mut platform = OpenPlatform::default();
        let mut authorize = |app_id: &str| {
            let one = Authorization::new("r".to_owned(), vec![1], 0);
            platform.authorize(app_id, one, ("c".to_owned(), 10)).map_err(|full| full.errcode)
        };
        for n in 0..MOST_AUTHORIZATIONS {
            assert_eq!(authorize(&n.to_string()), Ok(false));
        }
        assert_eq!((authorize("0"), authorize("more")), (Ok(true), Err(-1)));
    }
}
