//! A key as the gateway knows it: everything but its secret.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use super::{key_id::KeyId, refusal::KeyRefusal};
use crate::base::{
    cidr::Cidr,
    name::Name,
    permission::{ErrorStyle, Lane, Role},
    subject::Subject,
    units::Rate,
};

/// What a person or machine may do. Never changes: a change makes a new value, so that a
/// request that has begun keeps the rights it began with.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// Names the key in logs and exchanges; a rotated key has a new one.
    pub id: KeyId,
    /// Names the holder; a rotated key keeps it.
    pub name: Name,
    /// Who it belongs to.
    pub role: Role,
    /// How far its calls reach.
    pub lane: Lane,
    /// Whether calls of class `danger` are allowed.
    pub allow_danger: bool,
    /// How refusals look.
    pub errors: ErrorStyle,
    /// Accounts it may call.
    pub accounts: Accounts,
    /// Path prefixes it may call, by whole segments; empty = all.
    pub paths: Vec<String>,
    /// Networks it may call from; empty = all.
    pub networks: Vec<Cidr>,
    /// Whose client certificate counts as this key.
    pub subject: Option<Subject>,
    /// Its own limit; none = `[limits] per_key`.
    #[serde(serialize_with = "as_text")]
    pub rate: Option<Rate>,
    /// When it was made; for a fixed key, when it was first read.
    #[serde(serialize_with = "as_time")]
    pub created: SystemTime,
    /// From when on it is refused; none = never.
    #[serde(serialize_with = "as_optional_time")]
    pub expires: Option<SystemTime>,
    /// From when on it is taken back. In the future while a rotated key has its grace.
    #[serde(serialize_with = "as_optional_time")]
    pub revoked: Option<SystemTime>,
    /// Whether it stands in proxy.toml, where alone it can be changed.
    pub fixed: bool,
}

impl Key {
    /// Whether the key opens anything at `now`; else the reason that came first.
    ///
    /// # Errors
    /// [`KeyRefusal::Expired`] or [`KeyRefusal::Revoked`].
    pub fn usable_at(&self, now: SystemTime) -> Result<(), KeyRefusal> {
        let past = |at: &SystemTime| *at <= now;
        let expired = self.expires.filter(past);
        match (expired, self.revoked.filter(past)) {
            (None, None) => Ok(()),
            (Some(at), revoked) if revoked.is_none_or(|revoked| at <= revoked) => {
                Err(KeyRefusal::Expired { name: self.name.clone(), at })
            }
            (_, Some(at)) => Err(KeyRefusal::Revoked { name: self.name.clone(), at }),
            (Some(at), None) => Err(KeyRefusal::Expired { name: self.name.clone(), at }),
        }
    }
}

/// Which accounts a key may call. In JSON: `null` for all, else the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Every one, also those that are added later.
    All,
    /// These.
    Some(Vec<Name>),
}

impl Accounts {
    /// As config and database write it: no name means all.
    #[must_use]
    pub fn from_list(names: Vec<Name>) -> Self {
        if names.is_empty() { Self::All } else { Self::Some(names) }
    }

    /// The inverse of [`Accounts::from_list`].
    #[must_use]
    pub fn as_list(&self) -> &[Name] {
        match self {
            Self::All => &[],
            Self::Some(names) => names,
        }
    }

    /// Whether `account` is among them.
    #[must_use]
    pub fn contains(&self, account: &Name) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(account),
        }
    }
}

impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_none(),
            Self::Some(names) => serializer.collect_seq(names),
        }
    }
}

/// What a new key shall be.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// A name that no other live key has.
    pub name: Name,
    /// Who it belongs to.
    pub role: Role,
    /// How far its calls reach.
    pub lane: Lane,
    /// Whether calls of class `danger` are allowed.
    pub allow_danger: bool,
    /// How refusals look.
    pub errors: ErrorStyle,
    /// Accounts it may call.
    pub accounts: Accounts,
    /// Path prefixes it may call; empty = all.
    pub paths: Vec<String>,
    /// Networks it may call from; empty = all.
    pub networks: Vec<Cidr>,
    /// Whose client certificate counts as this key; no other live key has it.
    pub subject: Option<Subject>,
    /// Its own limit.
    pub rate: Option<Rate>,
    /// How long it lives; none = until it is revoked.
    pub lifetime: Option<Duration>,
}

impl NewKey {
    /// The key of a first start: an operator who may call everything but dangerous calls.
    pub(super) fn first() -> Self {
        Self {
            name: "first".parse().expect("`first` is a name"),
            role: Role::Operator,
            lane: Lane::Live,
            allow_danger: false,
            errors: ErrorStyle::Http,
            accounts: Accounts::All,
            paths: Vec::new(),
            networks: Vec::new(),
            subject: None,
            rate: None,
            lifetime: None,
        }
    }

    /// What a rotated key is replaced by: the same rules, as long a life.
    pub(super) fn like(old: &Key) -> Self {
        Self {
            name: old.name.clone(),
            role: old.role,
            lane: old.lane,
            allow_danger: old.allow_danger,
            errors: old.errors,
            accounts: old.accounts.clone(),
            paths: old.paths.clone(),
            networks: old.networks.clone(),
            subject: old.subject.clone(),
            rate: old.rate,
            lifetime: old.expires.map(|end| end.duration_since(old.created).unwrap_or_default()),
        }
    }

    /// The key that this becomes.
    pub(super) fn into_key(
        self,
        id: KeyId,
        created: SystemTime,
        expires: Option<SystemTime>,
    ) -> Key {
        Key {
            id,
            name: self.name,
            role: self.role,
            lane: self.lane,
            allow_danger: self.allow_danger,
            errors: self.errors,
            accounts: self.accounts,
            paths: self.paths,
            networks: self.networks,
            subject: self.subject,
            rate: self.rate,
            created,
            expires,
            revoked: None,
            fixed: false,
        }
    }
}

fn as_text<S: Serializer>(rate: &Option<Rate>, serializer: S) -> Result<S::Ok, S::Error> {
    match rate {
        Some(rate) => serializer.collect_str(rate),
        None => serializer.serialize_none(),
    }
}

fn as_time<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    // Beyond the year 9999 there is no text for a time.
    match jiff::Timestamp::try_from(*at) {
        Ok(at) => serializer.collect_str(&at),
        Err(_) => serializer.serialize_none(),
    }
}

fn as_optional_time<S: Serializer>(
    at: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => as_time(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::clock::from_unix_ms;

    /// A developer's live key for account `shop`, without any further rule.
    pub(in crate::access) fn sample(name: &str) -> Key {
        Key {
            id: "4fZ0aQ81bC".parse().unwrap(),
            name: name.parse().unwrap(),
            role: Role::Developer,
            lane: Lane::Live,
            allow_danger: false,
            errors: ErrorStyle::Http,
            accounts: Accounts::Some(vec!["shop".parse().unwrap()]),
            paths: Vec::new(),
            networks: Vec::new(),
            subject: None,
            rate: None,
            created: from_unix_ms(1_000),
            expires: None,
            revoked: None,
            fixed: false,
        }
    }

    #[test]
    fn a_key_ends_at_the_first_of_its_two_ends() {
        let at = from_unix_ms;
        for (expires, revoked, now, verdict) in [
            (None, None, 9_000, "ok"),
            (Some(5_000), None, 4_999, "ok"),
            (Some(5_000), None, 5_000, "expired"),
            (None, Some(5_000), 4_999, "ok"),
            (None, Some(5_000), 5_000, "revoked"),
            (Some(4_000), Some(5_000), 6_000, "expired"),
            (Some(5_000), Some(4_000), 6_000, "revoked"),
            (Some(5_000), Some(4_000), 4_500, "revoked"),
            (Some(5_000), Some(5_000), 6_000, "expired"),
        ] {
            let key = Key { expires: expires.map(at), revoked: revoked.map(at), ..sample("a") };
            let got = match key.usable_at(at(now)) {
                Ok(()) => "ok",
                Err(KeyRefusal::Expired { .. }) => "expired",
                Err(KeyRefusal::Revoked { .. }) => "revoked",
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(got, verdict, "expires {expires:?}, revoked {revoked:?}, now {now}");
        }
    }

    #[test]
    fn json_has_times_and_rates_as_people_write_them() {
        let mut key = sample("alice");
        key.rate = "50/s".parse().ok();
        key.networks = vec!["203.0.113.0/24".parse().unwrap()];
        key.subject = "CN=alice".parse().ok();
        let json = serde_json::to_value(&key).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "id": "4fZ0aQ81bC", "name": "alice", "role": "developer", "lane": "live",
                "allow_danger": false, "errors": "http", "accounts": ["shop"], "paths": [],
                "networks": ["203.0.113.0/24"], "subject": "CN=alice", "rate": "50/s", "created": "1970-01-01T00:00:01Z",
                "expires": null, "revoked": null, "fixed": false,
            })
        );
        key.accounts = Accounts::from_list(Vec::new());
        assert!(serde_json::to_value(&key).unwrap()["accounts"].is_null());
    }
}
