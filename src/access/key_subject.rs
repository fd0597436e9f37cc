//! Keys by the subject of the client certificate that counts as them.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::SystemTime,
};

use arc_swap::ArcSwap;

use super::{key::Key, key_error::KeyError, key_id::KeyId, key_ring::KeyRing, refusal::KeyRefusal};
use crate::{
    base::{name::Name, subject::Subject},
    config::model::FixedKey,
};

impl KeyRing {
    /// The key that a verified certificate with this subject counts as; none when it is bound
    /// to no key. Its end is looked up here each time, so that a revoked key is refused by the
    /// next request of a connection that is open already.
    ///
    /// # Errors
    /// Within, [`KeyRefusal`]; counted.
    pub fn check_subject(
        &self,
        subject: &Subject,
        now: SystemTime,
    ) -> Option<Result<Arc<Key>, KeyRefusal>> {
        let key = self.with_subject(subject, now)?;
        let usable = key.usable_at(now).map(|()| key);
        Some(usable.inspect_err(|refusal| self.metrics.refused(refusal.code())))
    }

    /// Whether the keys of the file could be taken in beside those of the database.
    ///
    /// # Errors
    /// [`KeyError::SubjectTaken`]: one certificate cannot be two people.
    pub fn check_fixed(&self, tables: &[FixedKey]) -> Result<(), KeyError> {
        let now = self.clock.now();
        for table in tables {
            let Some(subject) = &table.subject else { continue };
            if let Some(holder) = self.stored(subject).filter(|key| key.usable_at(now).is_ok()) {
                return Err(taken(subject, &holder, &table.name));
            }
        }
        Ok(())
    }

    /// The key that has the subject and still opens something.
    pub(super) fn subject_holder(&self, subject: &Subject, now: SystemTime) -> Option<Arc<Key>> {
        self.with_subject(subject, now).filter(|key| key.usable_at(now).is_ok())
    }

    /// A key that has ended gives its subject up to one of the file.
    fn with_subject(&self, subject: &Subject, now: SystemTime) -> Option<Arc<Key>> {
        let stored = self.stored(subject);
        if stored.as_ref().is_some_and(|key| key.usable_at(now).is_ok()) {
            return stored;
        }
        self.fixed.load().with_subject(subject).cloned().or(stored)
    }

    fn stored(&self, subject: &Subject) -> Option<Arc<Key>> {
        Some(self.index.find(&self.subjects.find(subject)?)?.key)
    }
}

/// The refusal names both.
pub(super) fn taken(subject: &Subject, holder: &Key, name: &Name) -> KeyError {
    let (subject, holder) = (subject.clone(), holder.name.clone());
    KeyError::SubjectTaken { subject, holder, name: name.clone() }
}

/// Maps subjects to the ids of keys of the database. Readers never wait; a change copies the
/// map, which has an entry for each key that was ever bound to a certificate.
pub(super) struct SubjectIndex(ArcSwap<HashMap<Subject, KeyId>>);

impl SubjectIndex {
    fn find(&self, subject: &Subject) -> Option<KeyId> {
        self.0.load().get(subject).copied()
    }

    /// The caller makes sure that changes do not overlap.
    pub(super) fn put(&self, subject: Subject, id: KeyId) {
        let mut changed = HashMap::clone(&self.0.load());
        changed.insert(subject, id);
        self.0.store(Arc::new(changed));
    }
}

/// Finds out, at the start, which key had each subject last.
#[derive(Default)]
pub(super) struct Subjects(HashMap<Subject, Arc<Key>>);

impl Subjects {
    /// One of all keys, in any order. One that is not revoked goes first; else the newest.
    pub(super) fn offer(&mut self, key: &Arc<Key>) {
        let Some(subject) = &key.subject else { return };
        let rank = |key: &Key| (key.revoked.is_none(), key.created);
        match self.0.entry(subject.clone()) {
            Entry::Occupied(mut held) if rank(held.get()) < rank(key) => {
                held.insert(key.clone());
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(free) => {
                free.insert(key.clone());
            }
        }
    }

    pub(super) fn into_index(self) -> SubjectIndex {
        let ids = self.0.into_iter().map(|(subject, key)| (subject, key.id)).collect();
        SubjectIndex(ArcSwap::from_pointee(ids))
    }
}
