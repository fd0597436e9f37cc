//! Keys that stand in proxy.toml.

use std::{collections::HashMap, sync::Arc, time::SystemTime};

use super::{
    key::{Accounts, Key},
    key_id::KeyId,
};
use crate::{base::name::Name, config::model::FixedKey};

/// The `[[key]]` tables. The file has the hash of a key and not its id, so the hash finds it.
#[derive(Default)]
pub(super) struct FixedKeys {
    by_hash: HashMap<[u8; 32], Arc<Key>>,
    by_id: HashMap<KeyId, Arc<Key>>,
}

impl FixedKeys {
    /// Reads the tables; a key that `before` had keeps the time it was first read.
    pub(super) fn new(tables: &[FixedKey], before: &Self, now: SystemTime) -> Self {
        let mut this = Self::default();
        for table in tables {
            let created = before.by_hash.get(&table.sha256).map_or(now, |key| key.created);
            let key = Arc::new(key_of(table, created));
            this.by_id.insert(key.id, key.clone());
            this.by_hash.insert(table.sha256, key);
        }
        this
    }

    /// The key with this hash. The map compares hashes in the open: they are no secret that
    /// can be found piece by piece, for nobody can make a text with a wanted hash.
    pub(super) fn with_hash(&self, hash: &[u8; 32]) -> Option<&Arc<Key>> {
        self.by_hash.get(hash)
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

fn key_of(table: &FixedKey, created: SystemTime) -> Key {
    Key {
        id: KeyId::of_hash(&table.sha256),
        name: table.name.clone(),
        role: table.role,
        lane: table.lane,
        allow_danger: table.allow_danger,
        errors: table.errors,
        accounts: Accounts::from_list(table.accounts.clone()),
        paths: table.paths.clone(),
        networks: table.networks.clone(),
        rate: table.rate,
        created,
        expires: None,
        revoked: None,
        fixed: true,
    }
}
