//! Where and how an account wants its pushes: what the console asks for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{log::Address, url::PushUrl};
use crate::{
    base::{kind::AccountKind, secret::Secret},
    sandbox::ids::Ids,
    wechat::push_crypto::EncodingAesKey,
};

/// A URL with its Token and EncodingAESKey.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub(super) struct PushConfig {
    /// Where to.
    pub(super) url: PushUrl,
    /// What signatures are made with.
    pub(super) token: Secret,
    /// The key that the console shows.
    pub(super) aes_key: EncodingAesKey,
    /// The one before it, which pushes may go on using for a while.
    pub(super) previous_key: Option<EncodingAesKey>,
    /// Whether they do.
    pub(super) uses_previous: bool,
    /// How much is encrypted.
    pub(super) mode: Mode,
    /// How messages are written.
    pub(super) format: Format,
}

/// How much of a push is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    /// Nothing.
    Plain,
    /// The message comes both plain and encrypted.
    Compatible,
    /// All but the receiver's name.
    Secure,
}

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// A JSON object.
    Json,
    /// An `<xml>` document.
    Xml,
}

/// `POST push`. What is left out stays as it is; a first time, Token and key are made up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PushForm {
    url: Option<String>,
    token: Option<String>,
    aes_key: Option<String>,
    mode: Option<Mode>,
    format: Option<Format>,
    use_previous: Option<bool>,
    /// Whether the URL is asked before it is taken.
    #[serde(default = "yes")]
    pub(super) verify: bool,
}

fn yes() -> bool {
    true
}

/// A configuration that is about to be taken.
pub(super) struct Proposal {
    /// As it will be.
    pub(super) config: PushConfig,
    made_token: bool,
    made_key: bool,
}

impl PushForm {
    /// The form laid over what is set already.
    ///
    /// An error names the field that is missing or wrong.
    pub(super) fn over(
        self,
        now: Option<&PushConfig>,
        kind: AccountKind,
        ids: &Ids,
    ) -> Result<Proposal, String> {
        let url = match (&self.url, now) {
            (Some(text), _) => PushUrl::parse(text)?,
            (None, Some(now)) => now.url.clone(),
            (None, None) => return Err("url is missing".to_owned()),
        };
        let (made_token, made_key) =
            (self.token.is_none() && now.is_none(), self.aes_key.is_none() && now.is_none());
        let token = match (self.token, now) {
            (Some(text), _) => checked_token(text)?,
            (None, Some(now)) => now.token.clone(),
            (None, None) => Secret::new(alphanumeric(ids, MADE_TOKEN_LENGTH)),
        };
        let aes_key = match (self.aes_key, now) {
            (Some(text), _) => parse_key(text)?,
            (None, Some(now)) => now.aes_key.clone(),
            (None, None) => parse_key(alphanumeric(ids, KEY_LENGTH))?,
        };
        let previous_key = now.and_then(|now| {
            let is_other = !now.aes_key.text().matches(aes_key.text().expose().as_bytes());
            if is_other { Some(now.aes_key.clone()) } else { now.previous_key.clone() }
        });
        let uses_previous =
            self.use_previous.unwrap_or_else(|| now.is_some_and(|now| now.uses_previous));
        if uses_previous && previous_key.is_none() {
            return Err("use_previous: there is no previous aes_key yet".to_owned());
        }
        // A third-party platform gets nothing but encrypted XML.
        let (mode, format) = if kind == AccountKind::OpenPlatform {
            (Mode::Secure, Format::Xml)
        } else {
            (Mode::Plain, Format::Json)
        };
        let mode = self.mode.unwrap_or_else(|| now.map_or(mode, |now| now.mode));
        let format = self.format.unwrap_or_else(|| now.map_or(format, |now| now.format));
        let config = PushConfig { url, token, aes_key, previous_key, uses_previous, mode, format };
        Ok(Proposal { config, made_token, made_key })
    }
}

impl Proposal {
    /// As `GET push` shows it, with what was made up in clear: it is never shown again.
    pub(super) fn to_json(&self) -> Value {
        let mut shown = self.config.to_json();
        if self.made_token {
            shown["token"] = self.config.token.expose().into();
        }
        if self.made_key {
            shown["aes_key"] = self.config.aes_key.text().expose().into();
        }
        shown
    }
}

impl PushConfig {
    /// For `GET push`; secrets by their fingerprints.
    pub(super) fn to_json(&self) -> Value {
        let previous = self.previous_key.as_ref().map(|key| key.text().fingerprint().to_string());
        json!({
            "url": self.url.to_string(),
            "token": self.token.fingerprint().to_string(),
            "aes_key": self.aes_key.text().fingerprint().to_string(),
            "previous_aes_key": previous,
            "use_previous": self.uses_previous,
            "mode": self.mode,
            "format": self.format,
        })
    }

    /// What pushes are encrypted with now.
    pub(super) fn key(&self) -> &EncodingAesKey {
        self.previous_key.as_ref().filter(|_| self.uses_previous).unwrap_or(&self.aes_key)
    }

    /// What a reply may be encrypted with, the likeliest first.
    pub(super) fn reply_keys(&self) -> impl Iterator<Item = &EncodingAesKey> {
        let key = self.key();
        let others = [Some(&self.aes_key), self.previous_key.as_ref()].into_iter().flatten();
        std::iter::once(key).chain(others.filter(move |other| !std::ptr::eq(*other, key)))
    }

    /// For the log.
    pub(super) fn address(&self) -> Address {
        Address { url: self.url.to_string(), mode: self.mode, format: self.format }
    }
}

/// How a configuration stands in a snapshot, its made-up secrets in clear.
#[derive(Serialize, Deserialize)]
struct Written {
    url: String,
    token: String,
    aes_key: String,
    previous_aes_key: Option<String>,
    use_previous: bool,
    mode: Mode,
    format: Format,
}

impl From<PushConfig> for Written {
    fn from(config: PushConfig) -> Self {
        let text = |key: &EncodingAesKey| key.text().expose().to_owned();
        Self {
            url: config.url.to_string(),
            token: config.token.expose().to_owned(),
            aes_key: text(&config.aes_key),
            previous_aes_key: config.previous_key.as_ref().map(text),
            use_previous: config.uses_previous,
            mode: config.mode,
            format: config.format,
        }
    }
}

impl TryFrom<Written> for PushConfig {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Ok(Self {
            url: PushUrl::parse(&written.url)?,
            token: checked_token(written.token)?,
            aes_key: parse_key(written.aes_key)?,
            previous_key: written.previous_aes_key.map(parse_key).transpose()?,
            uses_previous: written.use_previous,
            mode: written.mode,
            format: written.format,
        })
    }
}

fn parse_key(text: String) -> Result<EncodingAesKey, String> {
    EncodingAesKey::parse(Secret::new(text)).map_err(|error| format!("aes_key: {error}"))
}

fn checked_token(text: String) -> Result<Secret, String> {
    let is_good = (1..=MOST_TOKEN_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = Secret::new(text);
    if is_good {
        Ok(token)
    } else {
        Err(format!("token has 1 to {MOST_TOKEN_BYTES} printable ASCII characters"))
    }
}

/// Letters and digits, as the console makes keys.
fn alphanumeric(ids: &Ids, length: usize) -> String {
    std::iter::from_fn(|| Some(ids.text(length)))
        .flat_map(|text| text.chars().filter(char::is_ascii_alphanumeric).collect::<Vec<_>>())
        .take(length)
        .collect()
}

const KEY_LENGTH: usize = 43;
const MADE_TOKEN_LENGTH: usize = 32;
const MOST_TOKEN_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: AccountKind = AccountKind::MiniProgram;

    fn form(value: Value) -> PushForm {
        serde_json::from_value(value).unwrap()
    }

    fn first() -> PushConfig {
        let form = form(json!({"url": "http://localhost/a", "aes_key": "a".repeat(43)}));
        form.over(None, KIND, &Ids::new(1, "x")).unwrap().config
    }

    #[test]
    fn what_is_missing_is_made_up_once_and_shown_once() {
        let ids = Ids::new(1, "x");
        let made = form(json!({"url": "http://localhost/a"})).over(None, KIND, &ids).unwrap();
        let shown = made.to_json();
        assert_eq!((&shown["mode"], &shown["format"]), (&json!("plain"), &json!("json")));
        let length = |name: &str| shown[name].as_str().unwrap().len();
        assert_eq!((length("token"), length("aes_key")), (32, 43));
        let again = form(json!({"mode": "secure"})).over(Some(&made.config), KIND, &ids).unwrap();
        let shown_again = again.to_json();
        assert_eq!((&shown_again["mode"], &shown_again["url"]), (&json!("secure"), &shown["url"]));
        assert!(shown_again["token"].as_str().unwrap().starts_with("fp:"));
        assert!(!format!("{:?}", again.config).contains(shown["aes_key"].as_str().unwrap()));
    }

    #[test]
    fn a_new_key_keeps_the_one_before_and_pushes_may_use_it() {
        let now = first();
        let ids = Ids::new(1, "x");
        let refused = form(json!({"use_previous": true})).over(Some(&now), KIND, &ids);
        assert!(refused.is_err_and(|text| text.contains("use_previous")));
        let rotated =
            form(json!({"aes_key": "b".repeat(43)})).over(Some(&now), KIND, &ids).unwrap();
        assert!(rotated.config.key().text().matches("b".repeat(43).as_bytes()));
        let back =
            form(json!({"use_previous": true})).over(Some(&rotated.config), KIND, &ids).unwrap();
        assert!(back.config.key().text().matches("a".repeat(43).as_bytes()));
        assert_eq!(back.config.reply_keys().count(), 2);
        let copy = serde_json::to_string(&back.config).unwrap();
        let copy: PushConfig = serde_json::from_str(&copy).unwrap();
        assert_eq!(copy.to_json(), back.config.to_json());
    }

    #[test]
    fn each_bad_field_is_named() {
        for (bad, named) in [
            (json!({}), "url"),
            (json!({"url": "x"}), "url"),
            (json!({"url": "http://localhost", "token": ""}), "token"),
            (json!({"url": "http://localhost", "token": "a b"}), "token"),
            (json!({"url": "http://localhost", "aes_key": "short"}), "aes_key"),
        ] {
            let refused = form(bad.clone()).over(None, KIND, &Ids::new(1, "x"));
            assert!(refused.is_err_and(|text| text.contains(named)), "{bad}");
        }
        assert!(serde_json::from_value::<PushForm>(json!({"uri": 1})).is_err());
    }
}
