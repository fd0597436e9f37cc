//! Tags that followers can have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sandbox::refusal::Refusal;

/// Names by id. Ids below 100 are the platform's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Tags {
    names: BTreeMap<i64, String>,
    next_id: i64,
}

impl Default for Tags {
    fn default() -> Self {
        Self { names: BTreeMap::from([(2, "星标组".to_owned())]), next_id: FIRST_OWN }
    }
}

impl Tags {
    /// A new tag: 45157 for a name that is taken or empty, 45158 for a long one, 45056 beyond
    /// a hundred.
    pub(in crate::sandbox) fn create(&mut self, name: &str) -> Result<i64, Refusal> {
        self.check_name(name, None)?;
        if self.names.range(FIRST_OWN..).count() >= MOST_TAGS {
            return Err(Refusal::new(45056));
        }
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        self.names.insert(id, name.to_owned());
        Ok(id)
    }

    /// Another name: 45058 for the platform's tags, 45159 for one that does not exist.
    pub(in crate::sandbox) fn rename(&mut self, id: i64, name: &str) -> Result<(), Refusal> {
        check_own(id)?;
        self.check_known(id)?;
        self.check_name(name, Some(id))?;
        self.names.insert(id, name.to_owned());
        Ok(())
    }

    /// Forgets a tag; see [`Tags::rename`].
    pub(super) fn delete(&mut self, id: i64) -> Result<(), Refusal> {
        check_own(id)?;
        self.names.remove(&id).map(|_| ()).ok_or_else(|| Refusal::new(45159))
    }

    /// 45159 unless there is such a tag.
    pub(in crate::sandbox) fn check_known(&self, id: i64) -> Result<(), Refusal> {
        self.names.contains_key(&id).then_some(()).ok_or_else(|| Refusal::new(45159))
    }

    /// All, by id.
    pub(in crate::sandbox) fn iter(&self) -> impl Iterator<Item = (i64, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }

    fn check_name(&self, name: &str, id: Option<i64>) -> Result<(), Refusal> {
        if name.len() > MOST_NAME_BYTES {
            return Err(Refusal::new(45158));
        }
        let is_taken = self.names.iter().any(|(own, known)| known == name && Some(*own) != id);
        if name.is_empty() || is_taken {
            return Err(Refusal::new(45157));
        }
        Ok(())
    }
}

/// 0, 1 and 2 are documented as the platform's.
fn check_own(id: i64) -> Result<(), Refusal> {
    if (0..=2).contains(&id) { Err(Refusal::new(45058)) } else { Ok(()) }
}

const FIRST_OWN: i64 = 100;
/// As documented.
const MOST_TAGS: usize = 100;
const MOST_NAME_BYTES: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_names_of_their_own_and_an_end() {
        let mut tags = Tags::default();
        let code = |result: Result<(), Refusal>| result.map_or_else(|r| r.errcode, |()| 0);
        assert_eq!(tags.create("广东").unwrap(), 100);
        assert_eq!(tags.create("广东").unwrap_err().errcode, 45157);
        assert_eq!(tags.create("").unwrap_err().errcode, 45157);
        assert_eq!(tags.create(&"店".repeat(11)).unwrap_err().errcode, 45158);
        assert_eq!(code(tags.rename(100, "广东")), 0, "its own name");
        assert_eq!(code(tags.rename(2, "x")), 45058);
        assert_eq!(code(tags.rename(777, "x")), 45159);
        assert!((1..100).all(|n| tags.create(&n.to_string()).is_ok()));
        assert_eq!(tags.create("one more").unwrap_err().errcode, 45056);
        assert_eq!((code(tags.delete(100)), code(tags.delete(100))), (0, 45159));
    }
}
