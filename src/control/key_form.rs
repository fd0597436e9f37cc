//! The forms in which keys are asked for, and the answer that shows a new one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    access::{Accounts, Key, KeyText, NewKey},
    base::{
        cidr::Cidr,
        name::Name,
        permission::{ErrorStyle, Lane, Role},
        subject::Subject,
        units::BadUnit,
    },
};

/// `POST /v1/keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyForm {
    /// Its name.
    pub name: Name,
    /// Who it belongs to.
    pub role: Role,
    /// How far its calls reach.
    pub lane: Lane,
    /// Whether dangerous calls are allowed.
    #[serde(default)]
    pub allow_danger: bool,
    /// How refusals look.
    pub errors: ErrorStyle,
    /// Accounts it may call; empty = all.
    #[serde(default)]
    pub accounts: Vec<Name>,
    /// Path prefixes it may call; empty = all.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Networks it may call from; empty = all.
    #[serde(default)]
    pub networks: Vec<Cidr>,
    /// Whose client certificate counts as it, `CN=ci,O=Shop`.
    #[serde(default)]
    pub subject: Option<Subject>,
    /// Its own rate, `50/s`.
    #[serde(default)]
    pub rate: Option<String>,
    /// How long it lives, in seconds; none = until it is revoked.
    #[serde(default)]
    pub expires_s: Option<u64>,
}

impl KeyForm {
    /// What the key ring is asked for.
    ///
    /// # Errors
    /// [`KeyFormError`] for what no key can have.
    pub fn into_new_key(self) -> Result<NewKey, KeyFormError> {
        if self.expires_s == Some(0) {
            return Err(KeyFormError::NoLife);
        }
        Ok(NewKey {
            name: self.name,
            role: self.role,
            lane: self.lane,
            allow_danger: self.allow_danger,
            errors: self.errors,
            accounts: Accounts::from_list(self.accounts),
            paths: self.paths,
            networks: self.networks,
            subject: self.subject,
            rate: self.rate.map(|rate| rate.parse()).transpose()?,
            lifetime: self.expires_s.map(Duration::from_secs),
        })
    }
}

/// `POST /v1/keys/{name}/rotate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateForm {
    /// How long the old key opens on, in seconds; none = not a moment.
    #[serde(default)]
    pub grace_s: Option<u64>,
}

/// Why there can be no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormError {
    /// It would be dead at birth.
    #[error("a key that expires at once opens nothing; give it at least a second, or no end")]
    NoLife,
    /// The rate is none.
    #[error(transparent)]
    Rate(#[from] BadUnit),
}

/// A new key with its text under `key`: the one time that anybody sees it.
#[must_use]
pub fn made(key: &Key, text: &KeyText) -> Value {
    let mut shown = json!(key);
    if let Value::Object(fields) = &mut shown {
        fields.insert("key".to_owned(), json!(text.reveal()));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(rest: &str) -> Result<KeyForm, serde_json::Error> {
        serde_json::from_str(&format!(
            r#"{{"name":"alice","role":"developer","lane":"live","errors":"http"{rest}}}"#
        ))
    }

    #[test]
    fn a_form_without_rules_is_a_key_without_rules() {
        let new = form("").unwrap().into_new_key().unwrap();
        assert_eq!(new.accounts, Accounts::All);
        assert!(new.paths.is_empty() && new.networks.is_empty() && !new.allow_danger);
        assert!(new.rate.is_none() && new.lifetime.is_none());
    }

    #[test]
    fn rules_are_read_and_nonsense_is_refused() {
        let rules =
            r#","accounts":["shop"],"rate":"50/s","expires_s":60,"networks":["10.0.0.0/8"]"#;
        let new = form(rules).unwrap().into_new_key().unwrap();
        assert_eq!(new.rate.unwrap().to_string(), "50/s");
        assert_eq!(new.lifetime, Some(Duration::from_secs(60)));
        assert_eq!(new.networks.len(), 1);
        for bad in [r#","rate":"50""#, r#","expires_s":0"#] {
            assert!(form(bad).unwrap().into_new_key().is_err(), "{bad}");
        }
        for bad in [r#","networks":["x"]"#, r#","accounts":["Shop"]"#, r#","extra":1"#] {
            assert!(form(bad).is_err(), "{bad}");
        }
    }
}
