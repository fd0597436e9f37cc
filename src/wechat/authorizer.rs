//! What a third-party platform is told of a merchant's authorization.

use std::time::Duration;

use serde::Deserialize;

use super::{
    crypto::{keepsake_fault, token_fault},
    envelope,
    grant::{Grant, GrantError, MOST_LIFE, parse_authorizer_grant},
};
use crate::base::secret::Secret;

/// `POST`: a merchant's token for its refresh token.
pub const AUTHORIZER_TOKEN_PATH: &str = "/cgi-bin/component/api_authorizer_token";
/// `POST`: a merchant's profile, and its refresh token for a platform that lost it.
pub const AUTHORIZER_INFO_PATH: &str = "/cgi-bin/component/api_get_authorizer_info";

/// `refresh_token is invalid`: the merchant authorized again, or withdrew.
pub const REFRESH_TOKEN_DEAD: i64 = 61023;
/// `component is not authorized by this account`.
pub const NOT_AUTHORIZED: i64 = 61003;
/// `component ticket is expired`.
pub const TICKET_EXPIRED: i64 = 61005;
/// `component ticket is invalid`.
pub const TICKET_INVALID: i64 = 61006;
/// `invalid component`: another platform's AppID.
pub const WRONG_COMPONENT: i64 = 61011;

/// The answer of [`AUTHORIZER_TOKEN_PATH`].
#[derive(Clone, Debug)]
pub struct AuthorizerGrant {
    /// The token to act with.
    pub grant: Grant,
    /// What the next one is fetched with; mostly the one that was sent. None where the answer
    /// does not repeat it.
    pub refresh_token: Option<Secret>,
}

/// Reads the answer of [`AUTHORIZER_TOKEN_PATH`].
///
/// # Errors
/// [`GrantError`] for anything but a complete, well-formed grant.
pub fn parse_authorizer_token(body: &[u8]) -> Result<AuthorizerGrant, GrantError> {
    #[derive(Deserialize)]
    struct Wire {
        authorizer_refresh_token: Option<String>,
    }
    let grant = parse_authorizer_grant(body)?;
    let wire: Option<Wire> = serde_json::from_slice(body).ok();
    let refresh_token = wire.and_then(|wire| wire.authorizer_refresh_token).map(Secret::new);
    Ok(AuthorizerGrant { grant, refresh_token: refresh_token.filter(is_refresh_token) })
}

/// Reads the refresh token out of the answer of [`AUTHORIZER_INFO_PATH`].
///
/// # Errors
/// [`GrantError::Refused`] with the platform's errcode; [`GrantError::Malformed`] when no
/// refresh token is there.
pub fn parse_authorizer_info(body: &[u8]) -> Result<Secret, GrantError> {
    #[derive(Deserialize)]
    struct Wire {
        authorization_info: Authorization,
    }
    #[derive(Deserialize)]
    struct Authorization {
        #[serde(alias = "refresh_token")]
        authorizer_refresh_token: String,
    }
    let envelope = envelope::peek(body, true);
    if let Some(errcode) = envelope.errcode.filter(|errcode| *errcode != 0) {
        let errmsg = envelope.errmsg.unwrap_or_default();
        return Err(GrantError::Refused { errcode, errmsg });
    }
    let missing = GrantError::Malformed { reason: "no authorizer_refresh_token in it" };
    let wire: Wire = serde_json::from_slice(body).map_err(|_| missing.clone())?;
    let refresh_token = Secret::new(wire.authorization_info.authorizer_refresh_token);
    if is_refresh_token(&refresh_token) { Ok(refresh_token) } else { Err(missing) }
}

/// The token that an answer about an authorization brings, if it can be one; `life_s` is its
/// `expires_in`.
#[must_use]
pub fn told_grant(token: Secret, life_s: u64) -> Option<Grant> {
    let expires_in = Duration::from_secs(life_s);
    let is_good = token_fault(&token).is_none() && life_s > 0 && expires_in <= MOST_LIFE;
    is_good.then_some(Grant { token, expires_in })
}

/// Whether a text can be a refresh token.
#[must_use]
pub fn is_refresh_token(text: &Secret) -> bool {
    keepsake_fault(text).is_none()
}

/// A verify ticket as somebody pasted it: without what stands around it.
///
/// # Errors
/// What is wrong with it, without repeating it.
pub fn read_ticket(text: &str) -> Result<Secret, &'static str> {
    let ticket = Secret::new(text.trim().to_owned());
    match keepsake_fault(&ticket) {
        None => Ok(ticket),
        Some(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "75_Abc-def_0123456789";

    #[test]
    fn a_grant_brings_the_next_refresh_token_where_it_has_one() {
        let with = |rest: &str| {
            let body =
                format!(r#"{{"authorizer_access_token":"{TOKEN}","expires_in":7200{rest}}}"#);
            parse_authorizer_token(body.as_bytes()).unwrap()
        };
        let full = with(r#","authorizer_refresh_token":"refreshtoken@@@abc""#);
        assert!(full.grant.token.matches(TOKEN.as_bytes()));
        assert!(full.refresh_token.unwrap().matches(b"refreshtoken@@@abc"));
        assert!(with("").refresh_token.is_none());
        assert!(with(r#","authorizer_refresh_token":"a b c d e""#).refresh_token.is_none());
        let refused = parse_authorizer_token(br#"{"errcode":61023,"errmsg":"invalid"}"#);
        assert!(matches!(refused, Err(GrantError::Refused { errcode: 61023, .. })));
    }

    #[test]
    fn a_lost_refresh_token_is_read_from_either_name() {
        for name in ["authorizer_refresh_token", "refresh_token"] {
            let body = format!(
                r#"{{"authorizer_info":{{}},"authorization_info":{{"{name}":"refreshtoken@@@abc"}}}}"#
            );
            let found = parse_authorizer_info(body.as_bytes()).unwrap();
            assert!(found.matches(b"refreshtoken@@@abc"));
        }
        for body in ["{}", "", "[]", r#"{"authorization_info":{"refresh_token":""}}"#] {
            let read = parse_authorizer_info(body.as_bytes());
            assert!(matches!(read, Err(GrantError::Malformed { .. })), "{body}");
        }
        let refused = parse_authorizer_info(br#"{"errcode":61003,"errmsg":"not authorized"}"#);
        assert!(matches!(refused, Err(GrantError::Refused { errcode: 61003, .. })));
    }

    #[test]
    fn a_token_beside_a_refresh_token_must_be_whole() {
        let grant = |text: &str, life_s| told_grant(Secret::new(text.into()), life_s);
        assert!(grant(TOKEN, 7200).is_some());
        for (text, life_s) in
            [(TOKEN, 0), (TOKEN, 7201), ("short", 7200), ("75_with a space 0123", 1)]
        {
            assert!(grant(text, life_s).is_none(), "{text} {life_s}");
        }
    }

    #[test]
    fn a_pasted_ticket_loses_its_line_break_and_nonsense_is_told() {
        assert!(read_ticket(" ticket@@@abc-_/+=\r\n").unwrap().matches(b"ticket@@@abc-_/+="));
        let words = ["application/json", "\"errcode\"", "/cgi-bin/", "HTTP/1.1"];
        assert!(words.iter().all(|word| read_ticket(word).is_err()), "they are in every answer");
        let xml = "<xml><ComponentVerifyTicket>ticket@@@abc</ComponentVerifyTicket></xml>";
        assert!(read_ticket(xml).unwrap_err().contains("decrypt"));
        for bad in ["", "\n", "short", "ticket@@@a b", "票票票票", &"t".repeat(1025)] {
            assert!(read_ticket(bad).is_err(), "{bad}");
        }
    }
}
