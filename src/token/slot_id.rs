//! The name of a token's place: one account, the real one or its sandbox shadow.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::base::name::Name;

/// One account × (real | shadow). A shadow never holds a real credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    /// The account's name.
    pub account: Name,
    /// Whether this is the account's shadow in the sandbox.
    pub shadow: bool,
}

impl SlotId {
    /// The account's own slot.
    #[must_use]
    pub fn real(account: Name) -> Self {
        Self { account, shadow: false }
    }

    /// The slot of its shadow in the sandbox.
    #[must_use]
    pub fn shadow(account: Name) -> Self {
        Self { account, shadow: true }
    }

    /// `shop` or `shop~sandbox`: the account as labels and messages name it.
    pub(super) fn owner(&self) -> String {
        let suffix = if self.shadow { SHADOW_SUFFIX } else { "" };
        format!("{}{suffix}", self.account)
    }
}

/// `shop/token` and `shop~sandbox/token`: the key in the database and in the redactor.
impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/token", self.owner())
    }
}

/// As displayed.
impl Serialize for SlotId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// No account name can hold `~`, so no account can be taken for a shadow.
const SHADOW_SUFFIX: &str = "~sandbox";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shadow_of_an_account_has_a_slot_of_its_own() {
        let name: Name = "shop".parse().unwrap();
        assert_eq!(SlotId::real(name.clone()).to_string(), "shop/token");
        assert_eq!(SlotId::shadow(name.clone()).to_string(), "shop~sandbox/token");
        assert_ne!(SlotId::real(name.clone()), SlotId::shadow(name));
        assert!("shop~sandbox".parse::<Name>().is_err());
    }
}
