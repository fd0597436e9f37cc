//! How keys come and go: made, revoked, rotated; each change stored, written down, in force.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError, RwLockWriteGuard},
    time::{Duration, SystemTime},
};

use super::{
    key::{Key, NewKey},
    key_error::KeyError,
    key_id::KeyId,
    key_index::Entry,
    key_ring::KeyRing,
    key_subject,
    key_table::{self, Which},
    key_text::KeyText,
};
use crate::{
    base::{clock::unix_ms, name::Name},
    store::StoreError,
};

impl KeyRing {
    /// Makes a key and returns it with its text, this one time. `by` goes into the audit: `cli`,
    /// or the name of the key that asked.
    ///
    /// # Errors
    /// [`KeyError`]; then there is no new key.
    pub async fn create(
        self: &Arc<Self>,
        new: NewKey,
        by: &str,
    ) -> Result<(Arc<Key>, KeyText), KeyError> {
        let by = by.to_owned();
        self.change(move |ring| ring.create_blocking(new, &by)).await
    }

    /// Takes a key back, from now on. By name: the live key, and any that is still in its grace
    /// after a rotation. Returns the newest of them.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`KeyError::AlreadyRevoked`], [`KeyError::Fixed`] or
    /// [`KeyError::Store`]; then nothing has changed.
    pub async fn revoke(
        self: &Arc<Self>,
        name_or_id: &str,
        by: &str,
    ) -> Result<Arc<Key>, KeyError> {
        let (given, by) = (name_or_id.to_owned(), by.to_owned());
        self.change(move |ring| ring.revoke_blocking(&given, &by)).await
    }

    /// Replaces a live key by one with the same name, rules and length of life. The old one
    /// opens for `grace` more; without a grace, no earlier key of this name opens any longer.
    ///
    /// # Errors
    /// As [`KeyRing::revoke`].
    pub async fn rotate(
        self: &Arc<Self>,
        name_or_id: &str,
        grace: Option<Duration>,
        by: &str,
    ) -> Result<(Arc<Key>, KeyText), KeyError> {
        let (given, by) = (name_or_id.to_owned(), by.to_owned());
        self.change(move |ring| ring.rotate_blocking(&given, grace, &by)).await
    }

    /// Makes the key of a first start: an operator named `first`, every account, lane `live`,
    /// no dangerous calls.
    ///
    /// # Errors
    /// As [`KeyRing::create`].
    pub async fn first_key(self: &Arc<Self>) -> Result<(Arc<Key>, KeyText), KeyError> {
        self.create(NewKey::first(), "first start").await
    }

    /// [`KeyRing::create`] for a thread that may block. An expired key gives up its name; so
    /// does one that is in its grace and whose successor was revoked.
    ///
    /// # Errors
    /// As [`KeyRing::create`].
    pub fn create_blocking(&self, new: NewKey, by: &str) -> Result<(Arc<Key>, KeyText), KeyError> {
        let _one_at_a_time = self.lock();
        let now = self.clock.now();
        let name = new.name.as_str();
        let is_live = self.live_key(name).is_some_and(|key| key.usable_at(now).is_ok());
        if is_live || self.fixed.load().with_name(name).is_some() {
            return Err(KeyError::NameTaken { name: new.name });
        }
        if let Some(subject) = &new.subject
            && let Some(holder) = self.subject_holder(subject, now)
            && (holder.fixed || holder.name != new.name)
        {
            return Err(key_subject::taken(subject, &holder, &new.name));
        }
        let (key, text) = self.make(new, now)?;
        self.succeed("create", &key, &text, now, by)?;
        Ok((key, text))
    }

    /// [`KeyRing::revoke`] for a thread that may block.
    ///
    /// # Errors
    /// As [`KeyRing::revoke`].
    pub fn revoke_blocking(&self, name_or_id: &str, by: &str) -> Result<Arc<Key>, KeyError> {
        let _one_at_a_time = self.lock();
        let now = self.clock.now();
        let (key, which) = self.named(name_or_id, now)?;
        let end_ms = unix_ms(now);
        let ended = self.write(by, now, "revoke", &key, move |transaction, _| {
            key_table::end(transaction, &which, end_ms)
        })?;
        self.end_in_memory(&ended, now);
        Ok(self.with_id(&key.id).unwrap_or(key))
    }

    /// [`KeyRing::rotate`] for a thread that may block.
    ///
    /// # Errors
    /// As [`KeyRing::rotate`].
    pub fn rotate_blocking(
        &self,
        name_or_id: &str,
        grace: Option<Duration>,
        by: &str,
    ) -> Result<(Arc<Key>, KeyText), KeyError> {
        let _one_at_a_time = self.lock();
        let now = self.clock.now();
        let (old, _) = self.named(name_or_id, now)?;
        if old.revoked.is_some() {
            return Err(KeyError::AlreadyRevoked { name: old.name.clone(), id: old.id });
        }
        let end = now.checked_add(grace.unwrap_or_default()).filter(is_writable);
        let end = end.ok_or_else(|| KeyError::TooLong { name: old.name.clone() })?;
        let (key, text) = self.make(NewKey::like(&old), now)?;
        self.succeed("rotate", &key, &text, end, by)?;
        Ok((key, text))
    }

    /// Stores a new key that takes over its name at once; earlier keys of the name end at `end`.
    fn succeed(
        &self,
        what: &'static str,
        key: &Arc<Key>,
        text: &KeyText,
        end: SystemTime,
        by: &str,
    ) -> Result<(), KeyError> {
        let (hash, end_ms) = (text.sha256(), unix_ms(end));
        let ended = self.write(by, key.created, what, key, move |transaction, key| {
            let earlier = Which::Name(key.name.to_string());
            let ended = key_table::end(transaction, &earlier, end_ms)?;
            key_table::insert(transaction, key, &hash)?;
            Ok(ended)
        })?;
        self.end_in_memory(&ended, end);
        self.index.put(Entry { key: key.clone(), hash });
        if let Some(subject) = &key.subject {
            self.subjects.put(subject.clone(), key.id);
        }
        self.live_mut().insert(key.name.clone(), key.id);
        self.count();
        Ok(())
    }

    /// Runs a change where it may block, and to its end even if the caller goes away: a key
    /// that is revoked on disk must not stay open in memory.
    async fn change<T, F>(self: &Arc<Self>, change: F) -> Result<T, KeyError>
    where
        T: Send + 'static,
        F: FnOnce(&Self) -> Result<T, KeyError> + Send + 'static,
    {
        let ring = self.clone();
        tokio::task::spawn_blocking(move || change(&ring))
            .await
            .unwrap_or(Err(KeyError::Store(StoreError::Closed)))
    }

    /// Stores a change and its audit line in one transaction.
    fn write<T, F>(
        &self,
        by: &str,
        now: SystemTime,
        what: &'static str,
        key: &Arc<Key>,
        change: F,
    ) -> Result<T, KeyError>
    where
        T: Send + 'static,
        F: FnOnce(&rusqlite::Transaction<'_>, &Key) -> rusqlite::Result<T> + Send + 'static,
    {
        let (who, subject) = (by.to_owned(), key.clone());
        let done = self.db.write_blocking(move |transaction| {
            let done = change(transaction, &subject)?;
            key_table::audit(transaction, now, &who, what, &subject)?;
            Ok(done)
        })?;
        tracing::info!(key.name = %key.name, key.id = %key.id, by, "{what} key {}", key.name);
        Ok(done)
    }

    /// A key of the database that has not ended yet, by its name or id; names go first.
    fn named(&self, given: &str, now: SystemTime) -> Result<(Arc<Key>, Which), KeyError> {
        let by_name = || Which::Name(given.to_owned());
        if let Some(key) = self.live_key(given) {
            return Ok((key, by_name()));
        }
        // No live key has the name: one in its grace, else the last that had it, else an id.
        let earlier = self.index.all().into_iter().filter(|key| key.name.as_str() == given);
        let earlier = earlier.max_by_key(|key| (key.revoked, key.created));
        let by_id = || given.parse().ok().and_then(|id| self.with_id(&id));
        let fixed = || self.fixed.load().with_name(given).cloned();
        let (key, which) = match earlier {
            Some(key) => (key, by_name()),
            None => match by_id().or_else(fixed) {
                Some(key) => (key.clone(), Which::Id(key.id)),
                None => return Err(KeyError::NotFound { given: given.to_owned() }),
            },
        };
        if key.fixed {
            return Err(KeyError::Fixed { name: key.name.clone() });
        }
        if key.revoked.is_some_and(|at| at <= now) {
            return Err(KeyError::AlreadyRevoked { name: key.name.clone(), id: key.id });
        }
        Ok((key, which))
    }

    /// A new key with an id of its own, not stored yet.
    fn make(&self, new: NewKey, now: SystemTime) -> Result<(Arc<Key>, KeyText), KeyError> {
        if self.index.len() >= MOST_KEYS {
            return Err(KeyError::Full { most: MOST_KEYS });
        }
        if let Some(bad) = new.paths.iter().find(|path| !is_prefix(path)) {
            return Err(KeyError::BadPath { given: bad.clone() });
        }
        let expires = match new.lifetime {
            Some(life) => match now.checked_add(life).filter(is_writable) {
                Some(end) => Some(end),
                None => return Err(KeyError::TooLong { name: new.name }),
            },
            None => None,
        };
        let text = loop {
            let text = KeyText::generate();
            if self.with_id(&text.id()).is_none() {
                break text;
            }
        };
        Ok((Arc::new(new.into_key(text.id(), now, expires)), text))
    }

    /// Does to the keys in memory what the database just did to its rows.
    fn end_in_memory(&self, ids: &[String], end: SystemTime) {
        for entry in ids.iter().filter_map(|id| self.index.find(&id.parse().ok()?)) {
            let key = Key { revoked: Some(end), ..Key::clone(&entry.key) };
            let mut live = self.live_mut();
            if live.get(&key.name) == Some(&key.id) {
                live.remove(&key.name);
            }
            drop(live);
            self.index.put(Entry { key: Arc::new(key), hash: entry.hash });
        }
        self.count();
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live_mut(&self) -> RwLockWriteGuard<'_, HashMap<Name, KeyId>> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_prefix(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && !b"*?#%\"\\".contains(&b))
}

/// Whether a time has a text: up to the year 9999.
fn is_writable(at: &SystemTime) -> bool {
    jiff::Timestamp::try_from(*at).is_ok()
}

/// Bounds the memory of the index to some hundreds of MiB; nobody comes near it by hand.
const MOST_KEYS: usize = 1_000_000;
