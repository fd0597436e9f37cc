//! Where token buckets keep their state: eight bytes each.

use std::sync::Arc;

use governor::{
    nanos::Nanos,
    state::{
        InMemoryState, NotKeyed, StateStore,
        keyed::{DashMapStateStore, ShrinkableKeyedStateStore},
    },
};

use crate::base::name::Name;

/// A bucket for each name, and one for all names that came when the table was full.
///
/// A bucket is only ever removed when it is full again, so nobody gains by an eviction; who
/// comes too late shares a bucket with the other late ones, and gains nothing either.
pub(super) struct BucketTable {
    own: DashMapStateStore<Name>,
    shared: SingleBucket,
    most: usize,
}

impl BucketTable {
    /// A table for at most `most` names (a few more when threads race).
    pub(super) fn new(most: usize) -> Self {
        Self { own: DashMapStateStore::default(), shared: SingleBucket::default(), most }
    }
}

impl StateStore for BucketTable {
    type Key = Name;

    fn measure_and_replace<T, F, E>(&self, name: &Name, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // The guard of the map goes out of scope here: `len` and `entry` would wait for it.
        if let Some(bucket) = self.own.get(name) {
            return bucket.measure_and_replace(&NotKeyed::NonKey, measure);
        }
        if self.own.len() >= self.most {
            return self.shared.measure_and_replace(&(), measure);
        }
        self.own.measure_and_replace(name, measure)
    }
}

impl ShrinkableKeyedStateStore<Name> for BucketTable {
    fn retain_recent(&self, drop_below: Nanos) {
        self.own.retain_recent(drop_below);
    }

    fn shrink_to_fit(&self) {
        self.own.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.own.len()
    }

    fn is_empty(&self) -> bool {
        self.own.is_empty()
    }
}

/// One bucket. Its key is `()`: governor's own direct store has a key that cannot be hashed.
#[derive(Default)]
pub(super) struct SingleBucket(InMemoryState);

impl StateStore for SingleBucket {
    type Key = ();

    fn measure_and_replace<T, F, E>(&self, (): &(), measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(&NotKeyed::NonKey, measure)
    }
}

/// A store that governor's limiter and its meter both hold.
pub(super) struct Shared<S>(pub(super) Arc<S>);

impl<S: StateStore> StateStore for Shared<S> {
    type Key = S::Key;

    fn measure_and_replace<T, F, E>(&self, key: &S::Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, measure)
    }
}

impl ShrinkableKeyedStateStore<Name> for Shared<BucketTable> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.retain_recent(drop_below);
    }

    fn shrink_to_fit(&self) {
        self.0.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
