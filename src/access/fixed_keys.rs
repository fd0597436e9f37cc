//! Keys that stand in proxy.toml.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use super::{
    key::{Accounts, Key},
    key_id::KeyId,
    key_text::sha256,
};
use crate::{
    base::{name::Name, subject::Subject},
    config::model::FixedKey,
};

/// The `[[key]]` tables. The file has the hash of a key and not its id, so the hash finds it,
/// or the subject of a client certificate.
#[derive(Default)]
pub(super) struct FixedKeys {
    by_hash: HashMap<[u8; 32], Arc<Key>>,
    by_subject: HashMap<Subject, Arc<Key>>,
    by_id: HashMap<KeyId, Arc<Key>>,
}

impl FixedKeys {
    /// Reads the tables; a key that `before` had keeps the time it was first read.
    pub(super) fn new(tables: &[FixedKey], before: &Self, now: SystemTime) -> Self {
        let mut this = Self::default();
        for table in tables {
            let Some(id) = id_of(table) else { continue };
            let created = before.by_id.get(&id).map_or(now, |key| key.created);
            let key = Arc::new(key_of(table, id, created));
            this.by_id.insert(id, key.clone());
            if let Some(subject) = &table.subject {
                this.by_subject.insert(subject.clone(), key.clone());
            }
            if let Some(hash) = table.sha256 {
                this.by_hash.insert(hash, key);
            }
        }
        this
    }

    /// The key with this hash. The map compares hashes in the open: they are no secret that
    /// can be found piece by piece, for nobody can make a text with a wanted hash.
    pub(super) fn with_hash(&self, hash: &[u8; 32]) -> Option<&Arc<Key>> {
        self.by_hash.get(hash)
    }

    /// The key that a client certificate counts as.
    pub(super) fn with_subject(&self, subject: &Subject) -> Option<&Arc<Key>> {
        self.by_subject.get(subject)
    }

    /// The key with this id.
    pub(super) fn with_id(&self, id: &KeyId) -> Option<&Arc<Key>> {
        self.by_id.get(id)
    }

    /// The key with this name.
    pub(super) fn with_name(&self, name: &str) -> Option<&Arc<Key>> {
        self.by_id.values().find(|key| key.name.as_str() == name)
    }

    /// Every key.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.by_id.values()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The names, to find clashes.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.by_id.values().map(|key| &key.name)
    }
}

/// The same after every start: made from the hash, or from the subject of a key without one.
/// None for a table with neither, which the config does not let through.
fn id_of(table: &FixedKey) -> Option<KeyId> {
    let of_subject = || table.subject.as_ref().map(|subject| sha256(&format!("subject {subject}")));
    table.sha256.or_else(of_subject).map(|hash| KeyId::of_hash(&hash))
}

fn key_of(table: &FixedKey, id: KeyId, created: SystemTime) -> Key {
    Key {
        id,
        name: table.name.clone(),
        role: table.role,
        lane: table.lane,
        allow_danger: table.allow_danger,
        errors: table.errors,
        accounts: Accounts::from_list(table.accounts.clone()),
        paths: table.paths.clone(),
        networks: table.networks.clone(),
        subject: table.subject.clone(),
        rate: table.rate,
        created,
        expires: None,
        revoked: None,
        fixed: true,
    }
}
