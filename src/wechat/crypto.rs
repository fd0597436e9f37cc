//! The wire shapes that hold a secret's text.
//!
//! The only file of this room that may expose one: everything else works on what is public.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::base::secret::Secret;

/// The JSON body of `stable_token`. `force` retires the current token; the platform allows it
/// 20 times a day, 30 seconds apart.
#[must_use]
pub fn stable_request(app_id: &str, secret: &Secret, force: bool) -> Bytes {
    #[derive(Serialize)]
    struct Body<'a> {
        grant_type: &'static str,
        appid: &'a str,
        secret: &'a str,
        force_refresh: bool,
    }
    let secret = secret.expose();
    json(&Body { grant_type: GRANT_TYPE, appid: app_id, secret, force_refresh: force })
}

/// The query of `/cgi-bin/token`.
#[must_use]
pub fn classic_query(app_id: &str, secret: &Secret) -> String {
    format!(
        "grant_type={GRANT_TYPE}&appid={}&secret={}",
        utf8_percent_encode(app_id, QUERY_VALUE),
        utf8_percent_encode(secret.expose(), QUERY_VALUE),
    )
}

/// The query of WeCom's `/cgi-bin/gettoken`.
#[must_use]
pub fn corp_query(corp_id: &str, secret: &Secret) -> String {
    format!(
        "corpid={}&corpsecret={}",
        utf8_percent_encode(corp_id, QUERY_VALUE),
        utf8_percent_encode(secret.expose(), QUERY_VALUE),
    )
}

/// The JSON body of `api_component_token`. `ticket` is the newest that the platform pushed.
#[must_use]
pub fn component_request(app_id: &str, secret: &Secret, ticket: &Secret) -> Bytes {
    #[derive(Serialize)]
    struct Body<'a> {
        component_appid: &'a str,
        component_appsecret: &'a str,
        component_verify_ticket: &'a str,
    }
    json(&Body {
        component_appid: app_id,
        component_appsecret: secret.expose(),
        component_verify_ticket: ticket.expose(),
    })
}

/// The JSON body of `api_authorizer_token`.
#[must_use]
pub fn authorizer_request(component_app_id: &str, app_id: &str, refresh_token: &Secret) -> Bytes {
    #[derive(Serialize)]
    struct Body<'a> {
        component_appid: &'a str,
        authorizer_appid: &'a str,
        authorizer_refresh_token: &'a str,
    }
    json(&Body {
        component_appid: component_app_id,
        authorizer_appid: app_id,
        authorizer_refresh_token: refresh_token.expose(),
    })
}

/// The JSON body of `api_get_authorizer_info`.
#[must_use]
pub fn authorizer_info_request(component_app_id: &str, app_id: &str) -> Bytes {
    #[derive(Serialize)]
    struct Body<'a> {
        component_appid: &'a str,
        authorizer_appid: &'a str,
    }
    json(&Body { component_appid: component_app_id, authorizer_appid: app_id })
}

/// What is wrong with a refresh token or a verify ticket, if anything: `refreshtoken@@@…` and
/// `ticket@@@…`, which nothing promises. Any visible ASCII will do but what JSON and XML are made
/// of. What is taken for a secret is masked everywhere, so no word of a text may pass for one.
pub(super) fn keepsake_fault(secret: &Secret) -> Option<&'static str> {
    let bytes = secret.expose().as_bytes();
    if bytes.first() == Some(&b'<') {
        Some("it is XML: decrypt it, and give what stands in <ComponentVerifyTicket>")
    } else if bytes.len() < 8 {
        Some("it is shorter than 8 bytes")
    } else if bytes.len() > 1024 {
        Some("it is longer than 1024 bytes")
    } else if !bytes.iter().all(u8::is_ascii_graphic) {
        Some("it holds a space, a line break or a character beyond ASCII")
    } else if bytes.iter().any(|byte| b"\"<>\\,{}".contains(byte)) {
        Some("it holds a quote, a comma, a bracket or a backslash")
    } else if !bytes.contains(&b'@') && !is_no_word(bytes) {
        Some("it looks like a word: without a digit, or shorter than 12 bytes")
    } else {
        None
    }
}

/// Whether random characters are likelier than a word such as `application/json`.
fn is_no_word(bytes: &[u8]) -> bool {
    bytes.len() >= 12 && bytes.iter().any(u8::is_ascii_digit)
}

/// What is wrong with an issued token, if anything.
///
/// The platform promises a length of at most 512 and no alphabet; every token seen is made of
/// `[A-Za-z0-9_-]`. All of RFC 3986's unreserved characters are let through: they need no escape
/// in a query and cannot end a header, so `.` or `~` do no harm, while to refuse a token for
/// one would stop the whole team.
pub(super) fn token_fault(token: &Secret) -> Option<&'static str> {
    let bytes = token.expose().as_bytes();
    let is_unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    if bytes.len() < 16 {
        Some("the token is shorter than 16 bytes")
    } else if bytes.len() > 512 {
        Some("the token is longer than 512 bytes")
    } else if !bytes.iter().all(is_unreserved) {
        Some("the token holds a character that none has")
    } else {
        None
    }
}

fn json(body: &impl Serialize) -> Bytes {
    // A struct of strings and booleans has no way to fail.
    serde_json::to_vec(body).map(Bytes::from).unwrap_or_default()
}

const GRANT_TYPE: &str = "client_credential";

/// Everything but RFC 3986's unreserved characters is escaped.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn requests_have_the_documented_shape() {
        let body = stable_request("wx0123456789abcdef", &secret("s3cret"), false);
        assert_eq!(
            body,
            r#"{"grant_type":"client_credential","appid":"wx0123456789abcdef","secret":"s3cret","force_refresh":false}"#
        );
        let forced = stable_request("wx1", &secret("a\"b"), true);
        let forced: serde_json::Value = serde_json::from_slice(&forced).unwrap();
        assert_eq!((&forced["secret"], &forced["force_refresh"]), (&"a\"b".into(), &true.into()));
        let body = component_request("wx1", &secret("s"), &secret("ticket@@@x"));
        assert_eq!(
            body,
            r#"{"component_appid":"wx1","component_appsecret":"s","component_verify_ticket":"ticket@@@x"}"#
        );
        let body = authorizer_request("wx1", "wx2", &secret("refreshtoken@@@\"x"));
        assert_eq!(
            body,
            r#"{"component_appid":"wx1","authorizer_appid":"wx2","authorizer_refresh_token":"refreshtoken@@@\"x"}"#
        );
        let body = authorizer_info_request("wx1", "wx2");
        assert_eq!(body, r#"{"component_appid":"wx1","authorizer_appid":"wx2"}"#);
    }

    #[test]
    fn a_secret_cannot_break_out_of_the_query() {
        let query = classic_query("wx&1", &secret("a=b&c d#é+%"));
        assert_eq!(
            query,
            "grant_type=client_credential&appid=wx%261&secret=a%3Db%26c%20d%23%C3%A9%2B%25"
        );
        assert_eq!(corp_query("ww1", &secret("A-b_c.d~")), "corpid=ww1&corpsecret=A-b_c.d~");
    }

    #[test]
    fn tokens_are_measured_and_their_alphabet_checked() {
        for good in ["75_abcDEF-0123456".to_owned(), "a".repeat(16), "a.b~".repeat(128)] {
            assert_eq!(token_fault(&secret(&good)), None, "{good}");
        }
        let tail = "a".repeat(20);
        for bad in ["", "short", &"a".repeat(15), &"a".repeat(513)] {
            assert!(token_fault(&secret(bad)).is_some(), "{bad}");
        }
        for character in [' ', '&', '=', '%', '+', '/', '"', '\r', '\n', '\0', '#', '中', '\u{7f}']
        {
            assert!(token_fault(&secret(&format!("{character}{tail}"))).is_some(), "{character:?}");
        }
    }
}
