//! A drawer: things by id, in the order in which they came, never more than `MOST`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::refusal::Refusal;

/// Small collections whose order is shown to callers; found by looking through.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Drawer<T, const MOST: usize>(Vec<(String, T)>);

/// Ids may be tokens, and are not printed.
impl<T: fmt::Debug, const MOST: usize> fmt::Debug for Drawer<T, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(_, thing)| thing)).finish()
    }
}

impl<T, const MOST: usize> Default for Drawer<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MOST: usize> Drawer<T, MOST> {
    /// Puts `thing` in, in place of the one of that id.
    pub(super) fn put(&mut self, id: &str, thing: T) -> Result<(), Refusal> {
        if let Some(slot) = self.find_mut(id) {
            *slot = thing;
            return Ok(());
        }
        if self.0.len() >= MOST {
            return Err(Refusal::full());
        }
        self.0.push((id.to_owned(), thing));
        Ok(())
    }

    /// Puts `thing` in; when the drawer is full, the oldest makes room.
    pub(super) fn put_for_oldest(&mut self, id: &str, thing: T) {
        if self.0.len() >= MOST && self.find(id).is_none() {
            self.0.remove(0);
        }
        // Room was just made, so that this cannot be refused.
        let _ = self.put(id, thing);
    }

    /// The thing of that id.
    pub(super) fn find(&self, id: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, thing)| thing)
    }

    /// The thing of that id, to change it.
    pub(super) fn find_mut(&mut self, id: &str) -> Option<&mut T> {
        self.0.iter_mut().find(|(known, _)| known == id).map(|(_, thing)| thing)
    }

    /// Takes the thing of that id out.
    pub(super) fn take(&mut self, id: &str) -> Option<T> {
        let at = self.0.iter().position(|(known, _)| known == id)?;
        Some(self.0.remove(at).1)
    }

    /// How many things there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All with their ids, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &T)> {
        self.0.iter().map(|(id, thing)| (id.as_str(), thing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_drawer_refuses_or_makes_room() {
        let mut drawer = Drawer::<u32, 2>::default();
        assert!(drawer.put("a", 1).is_ok() && drawer.put("b", 2).is_ok());
        assert!(drawer.put("a", 3).is_ok(), "in place of the old one");
        assert_eq!(drawer.put("c", 4).unwrap_err().errcode, -1);
        drawer.put_for_oldest("c", 4);
        assert_eq!((drawer.find("a"), drawer.find("c"), drawer.len()), (None, Some(&4), 2));
        assert_eq!(drawer.take("b"), Some(2));
        assert_eq!(drawer.take("b"), None);
        assert_eq!(drawer.iter().next(), Some(("c", &4)));
    }
}
