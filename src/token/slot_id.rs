//! The name of a token's place: one account, the real one or its sandbox shadow, and what it is.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

use crate::{base::name::Name, wechat::grant::TicketKind};

/// One account × (real | shadow) × what is kept. A shadow never holds a real credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    /// The account's name.
    pub account: Name,
    /// Whether this is the account's shadow in the sandbox.
    pub shadow: bool,
    /// What is kept there.
    pub held: Held,
}

/// What a slot keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// The account's own access token; for a third-party platform, its component token.
    Token,
    /// A ticket that hangs on the token.
    Ticket(TicketKind),
    /// The token with which a third-party platform acts for the merchant of this AppID.
    Merchant(Arc<str>),
}

impl SlotId {
    /// The account's own token.
    #[must_use]
    pub fn real(account: Name) -> Self {
        Self { account, shadow: false, held: Held::Token }
    }

    /// The token of its shadow in the sandbox.
    #[must_use]
    pub fn shadow(account: Name) -> Self {
        Self { account, shadow: true, held: Held::Token }
    }

    /// Another thing of the same account.
    #[must_use]
    pub fn with(&self, held: Held) -> Self {
        Self { account: self.account.clone(), shadow: self.shadow, held }
    }

    /// `shop` or `shop~sandbox`: the account as labels and messages name it.
    pub(super) fn owner(&self) -> String {
        let suffix = if self.shadow { SHADOW_SUFFIX } else { "" };
        format!("{}{suffix}", self.account)
    }
}

/// `shop/token`, `shop~sandbox/token`, `shop/ticket/jsapi`, `open/merchant/wx…/token`: the key in
/// the database and in the redactor.
impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.owner();
        match &self.held {
            Held::Token => write!(f, "{owner}/token"),
            Held::Ticket(kind) => write!(f, "{owner}/ticket/{kind}"),
            Held::Merchant(app_id) => write!(f, "{owner}/merchant/{app_id}/token"),
        }
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
        assert_ne!(SlotId::real(name.clone()), SlotId::shadow(name.clone()));
        let ticket = SlotId::shadow(name.clone()).with(Held::Ticket(TicketKind::WxCard));
        assert_eq!(ticket.to_string(), "shop~sandbox/ticket/wx_card");
        let merchant = SlotId::real(name).with(Held::Merchant("wx1".into()));
        assert_eq!(merchant.to_string(), "shop/merchant/wx1/token");
        assert!("shop~sandbox".parse::<Name>().is_err());
    }
}
