//! What an answer tells a third-party platform of merchants: where their tokens stand in it.

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;

use super::{
    json_members::{members, plain},
    json_secret::quoted,
};
use crate::base::redact::{MASK, Redactor};

/// What one object of an answer tells of a merchant, by the places of its values.
#[derive(Default)]
pub(super) struct Told {
    /// Whose they are.
    pub(super) app_id: Option<String>,
    pub(super) tokens: Vec<Range<usize>>,
    pub(super) refresh_tokens: Vec<Range<usize>>,
    /// `expires_in`.
    pub(super) lives: Vec<Range<usize>>,
}

impl Told {
    /// Every token of either sort.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Range<usize>> {
        self.tokens.iter().chain(&self.refresh_tokens)
    }
}

/// The objects that hold a token, by number.
pub(super) fn told(whole: &[u8]) -> BTreeMap<usize, Told> {
    let mut all: BTreeMap<usize, Told> = BTreeMap::new();
    for member in members(whole) {
        let told = all.entry(member.object).or_default();
        match member.name.as_str() {
            "authorizer_appid" => told.app_id = plain(whole, &member.value),
            "authorizer_access_token" => told.tokens.push(member.value),
            "authorizer_refresh_token" | "refresh_token" => told.refresh_tokens.push(member.value),
            "expires_in" => told.lives.push(member.value),
            _ => {}
        }
    }
    all.retain(|_, told| told.secrets().next().is_some());
    all
}

/// The text with its edits, which are in order and do not overlap; a live secret in what is
/// left of it is masked.
pub(super) fn rewritten(
    whole: &Bytes,
    edits: &[(Range<usize>, String)],
    redactor: &Redactor,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(whole.len());
    let mut done = 0;
    for (range, text) in edits {
        let between = whole.get(done..range.start).unwrap_or_default();
        out.extend_from_slice(&redactor.bytes(between));
        out.extend_from_slice(text.as_bytes());
        done = range.end;
    }
    out.extend_from_slice(&redactor.bytes(whole.get(done..).unwrap_or_default()));
    out
}

/// As the platform gives them out; whatever else is there names no merchant.
pub(super) fn is_app_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.len() <= APP_ID_MOST_BYTES && text.bytes().all(is_plain)
}

/// A string of the same length that says nothing.
pub(super) fn blank(range: &Range<usize>) -> String {
    let inner = range.len().saturating_sub(2);
    quoted(&char::from(MASK).to_string().repeat(inner))
}

/// As long as proxy.toml allows one to be.
const APP_ID_MOST_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    #[test]
    fn tokens_are_found_with_the_merchant_of_their_object() {
        let answer = br#"{"authorization_info":{"authorizer_appid":"wx1","authorizer_access_token":"T1","expires_in":7200,"authorizer_refresh_token":"R1","func_info":[{"funcscope_category":{"id":1}}]}}"#;
        let found = told(answer);
        let only = found.values().next().unwrap();
        assert_eq!((found.len(), only.app_id.as_deref()), (1, Some("wx1")));
        assert_eq!((only.tokens.len(), only.refresh_tokens.len(), only.lives.len()), (1, 1, 1));
        let list = br#"{"total_count":2,"list":[{"authorizer_appid":"wx1","refresh_token":"R1","auth_time":1},{"refresh_token":"R2","authorizer_appid":"wx2"}]}"#;
        let owners: Vec<_> = told(list).into_values().map(|told| told.app_id.unwrap()).collect();
        assert_eq!(owners, ["wx1", "wx2"]);
        assert!(told(br#"{"authorizer_appid":"wx1","expires_in":1}"#).is_empty());
    }

    #[test]
    fn everything_but_the_tokens_keeps_its_bytes_and_live_secrets_are_masked() {
        let redactor = Redactor::new();
        redactor.protect("t", &Secret::new("0123456789abcdef0123".into()));
        let whole = Bytes::from_static(
            b"{ \"x\" : 1e3,\"refresh_token\" :\"R1\", \"echo\":\"0123456789abcdef0123\",\"y\":\"\\u4e2d\"}\n",
        );
        let place = told(&whole).into_values().next().unwrap().refresh_tokens.remove(0);
        let text = rewritten(&whole, &[(place.clone(), quoted("H"))], &redactor);
        let expected = "{ \"x\" : 1e3,\"refresh_token\" :\"H\", \"echo\":\"********************\",\"y\":\"\\u4e2d\"}\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
        assert_eq!(blank(&place), "\"**\"");
    }

    #[test]
    fn an_app_id_is_plain() {
        assert!(is_app_id("wx0123456789abcdef"));
        for bad in ["", "wx 1", "wx\n", "商", &"w".repeat(65)] {
            assert!(!is_app_id(bad), "{bad}");
        }
    }
}
