//! The keys in memory, made for looking up: no lock, no allocation.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;

use super::{key::Key, key_id::KeyId};

/// A key with the hash of its text.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: Arc<Key>,
    pub(super) hash: [u8; 32],
}

/// Maps ids to keys. Readers never wait. A change copies one of [`SHARDS`] maps: with 100,000
/// keys that is 400 entries, some microseconds; the other maps stay as they are.
pub(super) struct KeyIndex {
    shards: Box<[ArcSwap<Shard>]>,
}

type Shard = HashMap<KeyId, Entry>;

impl KeyIndex {
    /// Builds the index in one go, each map once.
    pub(super) fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut shards: Vec<Shard> = vec![Shard::new(); SHARDS];
        for entry in entries {
            shards[entry.key.id.shard(SHARDS)].insert(entry.key.id, entry);
        }
        Self { shards: shards.into_iter().map(ArcSwap::from_pointee).collect() }
    }

    /// The key of this id, revoked and expired ones too.
    pub(super) fn find(&self, id: &KeyId) -> Option<Entry> {
        self.shard(id).load().get(id).cloned()
    }

    /// Adds a key, or replaces it. The caller makes sure that changes do not overlap.
    pub(super) fn put(&self, entry: Entry) {
        let shard = self.shard(&entry.key.id);
        let mut changed = Shard::clone(&shard.load());
        changed.insert(entry.key.id, entry);
        shard.store(Arc::new(changed));
    }

    /// Every key.
    pub(super) fn all(&self) -> Vec<Arc<Key>> {
        let keys = |shard: &ArcSwap<Shard>| -> Vec<Arc<Key>> {
            shard.load().values().map(|entry| entry.key.clone()).collect()
        };
        self.shards.iter().flat_map(keys).collect()
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    fn shard(&self, id: &KeyId) -> &ArcSwap<Shard> {
        // `KeyId::shard` stays below its argument, and there are exactly so many.
        &self.shards[id.shard(SHARDS)]
    }
}

/// A power of two is not needed; enough that one map stays small.
const SHARDS: usize = 256;
