//! Calls of the platform, with whatever proves who calls.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::{
    base::{kind::AccountKind, secret::Secret},
    cli::{
        exit::{Exit, Failure},
        sandbox::reach::{Http, Place, header_value},
    },
    wechat::{Credential, credential, rid},
};

/// What a call proves itself with.
#[derive(Debug)]
pub(super) enum Proof {
    /// An access key of a gateway, which adds the token.
    Key(Secret),
    /// AppID and AppSecret: a token is fetched.
    App {
        /// The AppID.
        app_id: String,
        /// The AppSecret.
        secret: Secret,
    },
    /// Nothing is added.
    Nothing,
}

/// Sends calls to one place.
#[derive(Debug)]
pub(super) struct Caller {
    http: Http,
    place: Place,
    proof: Proof,
    account: Option<String>,
    token: Option<Secret>,
}

/// A call with everything filled in.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Map<String, Value>,
    pub(super) content_type: Option<String>,
    pub(super) body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// The JSON; for anything else an object that tells of it.
    pub(super) value: Value,
    /// The platform's request id, else the gateway's.
    pub(super) rid: Option<String>,
    /// What its `Date` said, in milliseconds since 1970.
    pub(super) date_ms: Option<i64>,
}

impl Caller {
    /// `account` is named to a gateway.
    pub(super) fn new(http: Http, place: Place, proof: Proof, account: Option<String>) -> Self {
        Self { http, place, proof, account, token: None }
    }

    /// Sends a call. A token that died meanwhile is fetched anew, once, unless `is_expected` says
    /// that just this errcode is wanted.
    ///
    /// # Errors
    /// When nobody answers, or there is no token.
    pub(super) async fn call(
        &mut self,
        sending: &Sending,
        is_expected: impl Fn(i64) -> bool,
    ) -> Result<Answered, Failure> {
        let answered = self.call_once(sending).await?;
        let errcode = answered.value.get("errcode").and_then(Value::as_i64).unwrap_or(0);
        let is_dead = DEAD_TOKEN.contains(&errcode) && self.token.is_some();
        if !is_dead || is_expected(errcode) || sending.query.contains_key(ACCESS_TOKEN) {
            return Ok(answered);
        }
        self.token = None;
        self.call_once(sending).await
    }

    async fn call_once(&mut self, sending: &Sending) -> Result<Answered, Failure> {
        let mut query = pairs(&sending.query);
        let mut headers = Vec::new();
        match &self.proof {
            Proof::Key(key) => headers.push(bearer(key)?),
            Proof::App { .. } if needs_token(sending) => {
                let token = self.app_token().await?;
                query.push(format!("{ACCESS_TOKEN}={}", encoded(token.expose())));
            }
            Proof::App { .. } | Proof::Nothing => {}
        }
        if let Some(account) = &self.account {
            headers.push((HeaderName::from_static(ACCOUNT_HEADER), header_value(account)?));
        }
        if let Some(kind) = &sending.content_type {
            headers.push((header::CONTENT_TYPE, header_value(kind)?));
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let Place { origin, path, .. } = &self.place;
        let url = format!("{origin}{path}{}{mark}{}", sending.path, query.join("&"));
        let answer = self.http.send(&sending.method, &url, &headers, sending.body.clone()).await?;
        Ok(Answered::of(answer))
    }

    /// The token, fetched if there is none.
    async fn app_token(&mut self) -> Result<Secret, Failure> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let Proof::App { app_id, secret } = &self.proof else {
            return Err(Failure::say(Exit::Usage, "there is no AppID to fetch a token for"));
        };
        let form = json!({
            "grant_type": "client_credential", "appid": app_id, "secret": secret.expose(),
        });
        let url = format!("{}{}/cgi-bin/stable_token", self.place.origin, self.place.path);
        let json = (header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        let answer = self.http.send(&Method::POST, &url, &[json], form.to_string().into()).await?;
        let answered = Answered::of(answer);
        match answered.value.get(ACCESS_TOKEN).and_then(Value::as_str) {
            Some(token) => {
                let token = Secret::new(token.to_owned());
                self.token = Some(token.clone());
                Ok(token)
            }
            None => {
                let text = format!("no token: {}", told(&answered.value));
                Err(Failure::say(Exit::Platform, text))
            }
        }
    }
}

impl Answered {
    fn of(answer: Response<Bytes>) -> Self {
        let (head, body) = answer.into_parts();
        let value = match serde_json::from_slice::<Value>(&body) {
            Ok(value) => value,
            Err(_) => json!({
                "bytes": body.len(),
                "content_type": text_header(&head.headers, header::CONTENT_TYPE.as_str()),
            }),
        };
        let errmsg = value.get("errmsg").and_then(Value::as_str).unwrap_or_default();
        let rid = rid::find(errmsg).map(ToOwned::to_owned);
        let rid = rid.or_else(|| text_header(&head.headers, "x-request-id"));
        let date_ms = text_header(&head.headers, header::DATE.as_str())
            .and_then(|date| jiff::fmt::rfc2822::parse(&date).ok())
            .map(|date| date.timestamp().as_millisecond());
        Self { status: head.status.as_u16(), value, rid, date_ms }
    }
}

/// errcode and errmsg in one line.
pub(super) fn told(value: &Value) -> String {
    let errmsg = value.get("errmsg").and_then(Value::as_str).unwrap_or("no errmsg");
    let errcode = value.get("errcode").map_or_else(|| "none".to_owned(), Value::to_string);
    format!("errcode {errcode}, {errmsg}")
}

fn bearer(key: &Secret) -> Result<(HeaderName, HeaderValue), Failure> {
    let mut value = header_value(&format!("Bearer {}", key.expose()))?;
    value.set_sensitive(true);
    Ok((header::AUTHORIZATION, value))
}

/// Whoever writes a token into the query means just that one.
fn needs_token(sending: &Sending) -> bool {
    let kind = AccountKind::MiniProgram;
    !sending.query.contains_key(ACCESS_TOKEN)
        && credential::needed(kind, &sending.method, &sending.path) == Credential::AppToken
}

fn text_header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}

fn pairs(query: &Map<String, Value>) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    query
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(&text(value))))
        .collect()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// The unreserved characters of RFC 3986.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Where a token stands in the query.
pub(super) const ACCESS_TOKEN: &str = "access_token";
const ACCOUNT_HEADER: &str = "x-wxgate-account";
/// The content type of most calls.
pub(super) const JSON: &str = "application/json";
/// Not valid, malformed, expired.
const DEAD_TOKEN: [i64; 3] = [40001, 40014, 42001];

#[cfg(test)]
mod tests {
    use super::*;

    fn sending(path: &str) -> Sending {
        Sending {
            method: Method::GET,
            path: path.to_owned(),
            query: Map::new(),
            content_type: None,
            body: Bytes::new(),
        }
    }

    #[test]
    fn a_token_goes_where_one_is_wanted_and_none_was_written() {
        assert!(needs_token(&sending("/cgi-bin/getcallbackip")));
        assert!(!needs_token(&sending("/sns/jscode2session")));
        assert!(!needs_token(&sending("/cgi-bin/token")));
        let mut own = sending("/cgi-bin/getcallbackip");
        own.query.insert(ACCESS_TOKEN.to_owned(), json!("bad"));
        assert!(!needs_token(&own));
    }

    #[test]
    fn an_answer_is_json_or_told_of() {
        let mut answer = Response::new(Bytes::from_static(
            b"{\"errcode\":1,\"errmsg\":\"no rid: 6a1b2c3d-12345678-9abcdef0\"}",
        ));
        answer.headers_mut().insert("date", "Mon, 30 Nov 2026 05:14:56 GMT".parse().unwrap());
        let answered = Answered::of(answer);
        assert_eq!(answered.rid.as_deref(), Some("6a1b2c3d-12345678-9abcdef0"));
        assert_eq!(answered.date_ms, Some(1_796_015_696_000));
        let mut picture = Response::new(Bytes::from_static(b"\x89PNG"));
        picture.headers_mut().insert("content-type", "image/png".parse().unwrap());
        let answered = Answered::of(picture);
        assert_eq!(answered.value, json!({"bytes": 4, "content_type": "image/png"}));
    }

    #[test]
    fn a_query_is_encoded() {
        let query = json!({"a b": "店&", "n": 7});
        assert_eq!(pairs(query.as_object().unwrap()), ["a%20b=%E5%BA%97%26", "n=7"]);
    }
}
