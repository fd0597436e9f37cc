//! The answer of a call that issues a token or ticket.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use super::envelope;
use crate::base::{
    permission::{UnknownWord, words},
    secret::Secret,
};

/// `GET`: a new token each time, which retires the one before.
pub const CLASSIC_TOKEN_PATH: &str = "/cgi-bin/token";
/// `POST`: the current token until five minutes before its end.
pub const STABLE_TOKEN_PATH: &str = "/cgi-bin/stable_token";
/// `GET`, WeCom.
pub const CORP_TOKEN_PATH: &str = "/cgi-bin/gettoken";
/// `POST`, third-party platforms.
pub const COMPONENT_TOKEN_PATH: &str = "/cgi-bin/component/api_component_token";
/// `GET`: a ticket for web pages or cards, by the account's token.
pub const TICKET_PATH: &str = "/cgi-bin/ticket/getticket";

words! {
    /// The kinds of ticket, by the word in the query's `type`.
    TicketKind {
        /// Signs `wx.config` of a web page.
        Jsapi = "jsapi",
        /// Signs cards.
        WxCard = "wx_card",
    }
}

/// The query of a ticket call, but for the token.
#[must_use]
pub fn ticket_query(kind: TicketKind) -> &'static str {
    match kind {
        TicketKind::Jsapi => "type=jsapi",
        TicketKind::WxCard => "type=wx_card",
    }
}

/// A token or ticket as issued.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The token, or the ticket.
    pub token: Secret,
    /// How long it lives from the moment the answer arrived, at most [`MOST_LIFE`]; whole seconds.
    pub expires_in: Duration,
}

/// Why an answer is no grant. Never holds a part of the answer's credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The platform said no.
    #[error("the platform refused: errcode {errcode} ({errmsg})")]
    Refused {
        /// Its code, never 0.
        errcode: i64,
        /// Its text.
        errmsg: String,
    },
    /// The answer is not what the platform documents; nothing of it may be used.
    #[error("the platform's answer is no token: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Reads the answer of [`CLASSIC_TOKEN_PATH`] or [`STABLE_TOKEN_PATH`].
///
/// # Errors
/// [`GrantError`] for anything but a complete, well-formed grant: what is accepted here is
/// sent with every call of the team.
pub fn parse_grant(body: &[u8]) -> Result<Grant, GrantError> {
    parse(body, LEAST_LIFE, |wire| wire.access_token)
}

/// Reads the answer of [`CORP_TOKEN_PATH`]. It tells what is left of the token that everybody
/// has, in whole seconds: 0 in the last one, which is taken for 1.
///
/// # Errors
/// As [`parse_grant`].
pub fn parse_corp_grant(body: &[u8]) -> Result<Grant, GrantError> {
    parse_kept(body, |wire| wire.access_token)
}

/// Reads the answer of [`COMPONENT_TOKEN_PATH`].
///
/// # Errors
/// As [`parse_grant`].
pub fn parse_component_grant(body: &[u8]) -> Result<Grant, GrantError> {
    parse(body, LEAST_LIFE, |wire| wire.component_access_token)
}

/// Reads the token in the answer of [`super::authorizer::AUTHORIZER_TOKEN_PATH`].
///
/// # Errors
/// As [`parse_grant`].
pub fn parse_authorizer_grant(body: &[u8]) -> Result<Grant, GrantError> {
    parse(body, LEAST_LIFE, |wire| wire.authorizer_access_token)
}

/// Reads the answer of [`TICKET_PATH`]; as with WeCom's token, 0 is taken for 1.
///
/// # Errors
/// As [`parse_grant`].
pub fn parse_ticket(body: &[u8]) -> Result<Grant, GrantError> {
    parse_kept(body, |wire| wire.ticket)
}

/// What everybody gets until its end, with what is left of it.
fn parse_kept(body: &[u8], pick: fn(Wire) -> Option<String>) -> Result<Grant, GrantError> {
    let mut grant = parse(body, Duration::ZERO, pick)?;
    grant.expires_in = grant.expires_in.max(LEAST_LIFE);
    Ok(grant)
}

fn parse(
    body: &[u8],
    least_life: Duration,
    pick: fn(Wire) -> Option<String>,
) -> Result<Grant, GrantError> {
    // First without a parser: a refusal may be in any encoding and still names its reason.
    let envelope = envelope::peek(body, true);
    if let Some(errcode) = envelope.errcode.filter(|errcode| *errcode != 0) {
        let errmsg = envelope.errmsg.unwrap_or_default();
        return Err(GrantError::Refused { errcode, errmsg });
    }
    if envelope.state == envelope::Peeked::Empty {
        return malformed("the body is empty");
    }
    let wire: Wire = match serde_json::from_slice(body) {
        Ok(wire) => wire,
        Err(_) => return malformed("the body is not the documented JSON object"),
    };
    // A code that is neither a number nor one in quotes: whoever wrote it is not the platform.
    if wire.errcode.is_some() && envelope.errcode.is_none() {
        return malformed("errcode is no number");
    }
    let expires_in = life(wire.expires_in.as_ref(), least_life)?;
    let Some(token) = pick(wire) else {
        return malformed("the token is missing");
    };
    let token = Secret::new(token);
    check(&token)?;
    Ok(Grant { token, expires_in })
}

/// Strict where it matters: a name that occurs twice is an error, other names are ignored.
#[derive(Deserialize)]
struct Wire {
    errcode: Option<serde_json::Value>,
    access_token: Option<String>,
    component_access_token: Option<String>,
    authorizer_access_token: Option<String>,
    ticket: Option<String>,
    expires_in: Option<serde_json::Value>,
}

/// Whole seconds, as a number or as one in quotes.
fn life(
    expires_in: Option<&serde_json::Value>,
    least_life: Duration,
) -> Result<Duration, GrantError> {
    let seconds = match expires_in {
        None => return malformed("expires_in is missing"),
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        Some(value) => value.as_u64(),
    };
    match seconds.map(Duration::from_secs) {
        Some(life) if life >= least_life && life <= MOST_LIFE => Ok(life),
        Some(_) => malformed("expires_in is not within 1 to 7200 seconds"),
        None => malformed("expires_in is no whole number of seconds"),
    }
}

fn check(token: &Secret) -> Result<(), GrantError> {
    match super::crypto::token_fault(token) {
        Some(reason) => malformed(reason),
        None => Ok(()),
    }
}

fn malformed<T>(reason: &'static str) -> Result<T, GrantError> {
    Err(GrantError::Malformed { reason })
}

/// The platform's own limit.
pub const MOST_LIFE: Duration = Duration::from_secs(7200);

/// A sandbox may hand out tokens of a few seconds; a dead one is none.
const LEAST_LIFE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "75_Abc-def_0123456789";

    fn reason(body: &[u8]) -> &'static str {
        match parse_grant(body) {
            Err(GrantError::Malformed { reason }) => reason,
            other => panic!("{other:?} for {}", String::from_utf8_lossy(body)),
        }
    }

    #[test]
    fn every_documented_answer_is_read() {
        for (body, seconds) in [
            (format!(r#"{{"access_token":"{TOKEN}","expires_in":7200}}"#), 7200),
            (format!(r#"{{"expires_in":345,"access_token":"{TOKEN}"}}"#), 345),
            (
                format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"{TOKEN}","expires_in":5}}"#),
                5,
            ),
            (
                format!(r#"{{"errcode":"0","access_token":"{TOKEN}","expires_in":"7200","x":[]}}"#),
                7200,
            ),
            (format!("\n{{\"access_token\":\"{TOKEN}\",\"expires_in\":1}}\n"), 1),
        ] {
            let grant = parse_grant(body.as_bytes()).unwrap();
            assert!(grant.token.matches(TOKEN.as_bytes()), "{body}");
            assert_eq!(grant.expires_in, Duration::from_secs(seconds), "{body}");
        }
    }

    #[test]
    fn each_call_reads_its_own_field() {
        let body = format!(r#"{{"component_access_token":"{TOKEN}","expires_in":7200}}"#);
        assert!(parse_component_grant(body.as_bytes()).is_ok());
        let own = format!(
            r#"{{"authorizer_access_token":"{TOKEN}","expires_in":7200,"authorizer_refresh_token":"r"}}"#
        );
        assert!(parse_authorizer_grant(own.as_bytes()).is_ok());
        assert_eq!(reason(own.as_bytes()), "the token is missing");
        assert_eq!(reason(body.as_bytes()), "the token is missing");
        let body = format!(r#"{{"errcode":0,"errmsg":"ok","ticket":"{TOKEN}","expires_in":7200}}"#);
        assert!(parse_ticket(body.as_bytes()).is_ok());
        assert_eq!(reason(body.as_bytes()), "the token is missing");
    }

    #[test]
    fn the_last_second_of_a_corp_token_is_one_and_nothing_longer_than_two_hours_is() {
        let body = |life: &str| {
            format!(r#"{{"errcode":0,"errmsg":"ok","access_token":"{TOKEN}","expires_in":{life}}}"#)
        };
        let life = |text: &str| parse_corp_grant(body(text).as_bytes()).map(|g| g.expires_in);
        for (text, seconds) in [("0", 1), ("1", 1), ("269", 269), ("7200", 7200)] {
            assert_eq!(life(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["-1", "7201", "null"] {
            assert!(life(text).is_err(), "{text}");
        }
        assert_eq!(reason(body("0").as_bytes()), "expires_in is not within 1 to 7200 seconds");
    }

    #[test]
    fn a_refusal_keeps_code_and_text_in_any_encoding() {
        let refused = |body: &[u8]| match parse_grant(body) {
            Err(GrantError::Refused { errcode, errmsg }) => (errcode, errmsg),
            other => panic!("{other:?}"),
        };
        let body =
            br#"{"errcode":40125,"errmsg":"invalid appsecret rid: 658cff8e-7783352d-44cb33e5"}"#;
        let (errcode, errmsg) = refused(body);
        assert_eq!(errcode, 40125);
        assert!(errmsg.starts_with("invalid appsecret"));
        assert_eq!(refused(b"{\"errcode\":-1,\"errmsg\":\"\xcf\xb5\xcd\xb3\x01\"}").0, -1);
        assert_eq!(refused(br#"{"errcode":"45009"}"#), (45009, String::new()));
        let both = format!(r#"{{"access_token":"{TOKEN}","expires_in":7200,"errcode":40164}}"#);
        assert_eq!(refused(both.as_bytes()).0, 40164);
    }

    #[test]
    fn no_broken_answer_becomes_a_token() {
        let with = |token: &str, rest: &str| format!(r#"{{"access_token":{token}{rest}}}"#);
        let good = format!("\"{TOKEN}\"");
        let long = format!("\"{}\"", "a".repeat(513));
        for body in [
            String::new(),
            "   ".into(),
            "{}".into(),
            "[]".into(),
            "null".into(),
            "<html>502</html>".into(),
            format!("access_token={TOKEN}&expires_in=7200"),
            good.clone(),
            with(&good, ""),
            with(&good, r#","expires_in":0"#),
            with(&good, r#","expires_in":-1"#),
            with(&good, r#","expires_in":7201"#),
            with(&good, r#","expires_in":1e18"#),
            with(&good, r#","expires_in":18446744073709551615"#),
            with(&good, r#","expires_in":7200.5"#),
            with(&good, r#","expires_in":null"#),
            with(&good, r#","expires_in":true"#),
            with(&good, r#","expires_in":"soon""#),
            with(&good, r#","expires_in":" 7200""#),
            with(&good, r#","expires_in":7200,"expires_in":7200"#),
            with(&good, &format!(r#","access_token":{good},"expires_in":7200"#)),
            with(&good, r#","expires_in":7200,"errcode":{}"#),
            with(&good, r#","expires_in":7200,"errcode":"none""#),
            with(&good, r#","expires_in":7200"#) + "trailing",
            with("null", r#","expires_in":7200"#),
            with("12345678901234567890", r#","expires_in":7200"#),
            with(r#""""#, r#","expires_in":7200"#),
            with(r#""short""#, r#","expires_in":7200"#),
            with(&long, r#","expires_in":7200"#),
            with(r#""75_Abc def 0123456789""#, r#","expires_in":7200"#),
            with(r#""75_Abc\r\nX-Evil: 12345""#, r#","expires_in":7200"#),
            with(r#""75_Abc&appid=wx123456""#, r#","expires_in":7200"#),
            with(r#""75_中文中文中文中文""#, r#","expires_in":7200"#),
            format!(r#"{{"data":{{"access_token":{good},"expires_in":7200}}}}"#),
            format!(r#"{{"ACCESS_TOKEN":{good},"expires_in":7200}}"#),
        ] {
            assert!(!reason(body.as_bytes()).is_empty());
        }
        let cut = with(&good, r#","expires_in":7200"#);
        for length in 0..cut.len() {
            reason(&cut.as_bytes()[..length]);
        }
        assert_eq!(reason(b""), "the body is empty");
    }

    #[test]
    fn no_error_holds_a_part_of_the_answer() {
        let body = format!(r#"{{"access_token":"{TOKEN} ","expires_in":7200}}"#);
        let error = parse_grant(body.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("75_"));
    }

    #[test]
    fn the_ticket_query_names_its_kind() {
        for kind in TicketKind::ALL {
            assert_eq!(ticket_query(*kind), format!("type={kind}"));
        }
    }
}
