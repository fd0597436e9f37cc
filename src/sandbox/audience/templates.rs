//! Templates that the account picked for its messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sandbox::{drawer::Drawer, refusal::Refusal};

/// Templates of official accounts, and those of subscribe messages, by template id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Templates {
    /// Of template messages.
    pub(in crate::sandbox) official: Drawer<Template, MOST_TEMPLATES>,
    /// Of subscribe messages.
    pub(in crate::sandbox) subscribe: Drawer<Template, MOST_TEMPLATES>,
    /// The two industries of an official account; see `industries`.
    pub(in crate::sandbox) industries: Option<(i64, i64)>,
    used: BTreeMap<String, u32>,
}

/// One template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Template {
    /// Its number in the platform's library.
    pub(in crate::sandbox) library_id: String,
    /// Its title.
    pub(in crate::sandbox) title: String,
    /// Lines with `{{name.DATA}}`.
    pub(in crate::sandbox) content: String,
    /// The same with example values.
    pub(in crate::sandbox) example: String,
    /// The names in `content`.
    pub(in crate::sandbox) keys: Vec<String>,
}

impl Templates {
    /// Uses up one of the `granted` messages that a user agreed to; 43101 if there is none
    /// left.
    pub(in crate::sandbox) fn spend(
        &mut self,
        openid: &str,
        granted: &BTreeMap<String, u32>,
    ) -> Result<(), Refusal> {
        let most = granted.get(openid).copied().unwrap_or(0);
        let used = self.used.get(openid).copied().unwrap_or(0);
        if used >= most {
            return Err(Refusal::new(43101));
        }
        // Only users that the switch names come here, and it is bounded.
        self.used.insert(openid.to_owned(), used + 1);
        Ok(())
    }
}

/// Whether text looks like a template id of the platform: then it may have been picked in the
/// console.
pub(in crate::sandbox) fn is_template_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.len() == ID_LENGTH && text.bytes().all(is_plain)
}

/// Characters of a template id.
pub(in crate::sandbox) const ID_LENGTH: usize = 43;
/// "At most 25", of either sort.
pub(in crate::sandbox) const MOST_TEMPLATES: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_is_good_for_so_many_messages() {
        let mut templates = Templates::default();
        let granted = BTreeMap::from([("oA".to_owned(), 2)]);
        let mut spend = |openid| templates.spend(openid, &granted).map_err(|r| r.errcode);
        assert_eq!((spend("oA"), spend("oA"), spend("oA")), (Ok(()), Ok(()), Err(43101)));
        assert_eq!(spend("oB"), Err(43101));
        assert!(is_template_id("ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY"));
        assert!(!is_template_id("TEMPLATE_ID"));
    }
}
