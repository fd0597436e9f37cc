//! What an account is at a moment: everything that calls and control change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::base::kind::AccountKind;

use super::{
    agenda::Agenda,
    audience::{Audience, Broadcasts, Menus, Staff, Templates, UserTokens},
    content::{Drafts, Links, Materials, Publications},
    counters::Counters,
    dispatch,
    due::Due,
    events::EventLog,
    fault_list::Faults,
    journal::Journal,
    kept::Kept,
    login_codes::LoginCodes,
    media_store::MediaStore,
    moment,
    open::{OpenPlatform, Options},
    push::Push,
    quota::Quotas,
    rid_log::RidLog,
    settings::Settings,
    shipping::Shipping,
    shop::Shop,
    signing::Signing,
    tickets::Tickets,
    token_ledger::Ledger,
};

/// Held under the account's lock, never across anything slow. Snapshots are this as JSON; what
/// an older one lacks is as in a fresh account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct State {
    /// Switches.
    pub(super) settings: Settings,
    /// Tokens.
    #[serde(rename = "tokens")]
    pub(super) ledger: Ledger,
    /// Quotas used up.
    pub(super) quotas: Quotas,
    /// Faults that wait.
    pub(super) faults: Faults,
    /// Calls counted.
    pub(super) counters: Counters,
    /// The latest calls.
    pub(super) journal: Journal,
    /// Uploaded media.
    pub(super) media: MediaStore,
    /// What is going to happen by itself.
    pub(super) agenda: Agenda,
    /// What the platform tells of.
    pub(super) events: EventLog,
    /// Where it is pushed to, and what was.
    pub(super) push: Push,
    /// The transaction component.
    pub(super) shop: Shop,
    /// Refused calls by rid.
    pub(super) rids: RidLog,
    /// Tickets for pages inside WeChat.
    pub(super) tickets: Tickets,
    /// Followers and their tags.
    pub(super) audience: Audience,
    /// The account's menu.
    pub(super) menus: Menus,
    /// Templates of its messages.
    pub(super) templates: Templates,
    /// Messages to many.
    pub(super) broadcasts: Broadcasts,
    /// Who answers customers.
    pub(super) staff: Staff,
    /// Tokens of users.
    pub(super) user_tokens: UserTokens,
    /// Permanent materials.
    pub(super) materials: Materials,
    /// Drafts of articles.
    pub(super) drafts: Drafts,
    /// Articles that are out.
    pub(super) publications: Publications,
    /// Links and codes.
    pub(super) links: Links,
    /// Payments and their parcels.
    pub(super) shipping: Shipping,
    /// What it is as a third-party platform.
    pub(super) open: OpenPlatform,
    /// Its keys for sealed calls.
    pub(super) signing: Signing,
    /// Its options, which a third-party platform may read and set.
    pub(super) options: Options,
    /// Login codes used up.
    pub(super) login_codes: LoginCodes,
    /// Bytes of bodies that calls kept.
    pub(super) kept: Kept,
    /// Customer messages sent, by openid.
    replies: BTreeMap<String, u32>,
}

impl State {
    /// A fresh account of that kind whose tokens live so long.
    pub(super) fn new(kind: AccountKind, token_life_s: u32, now_ms: i64) -> Self {
        let settings = Settings { token_life_s, ..Settings::of(kind) };
        let mut state = Self { settings, ..Self::default() };
        if kind == AccountKind::OpenPlatform {
            state.agenda.enter(now_ms, Due::ComponentTicket);
        }
        state
    }

    /// Counts a customer message to `openid`; false if its limit is reached.
    pub(super) fn reply_to(&mut self, openid: &str) -> bool {
        let Some(most) = self.settings.reply_limit else { return true };
        if self.replies.len() >= MOST_USERS && !self.replies.contains_key(openid) {
            self.replies.clear();
        }
        let sent = self.replies.entry(openid.to_owned()).or_default();
        let has_room = *sent < most;
        *sent = sent.saturating_add(u32::from(has_room));
        has_room
    }

    /// Whether there is something new to deliver or to wait for since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        self.agenda.take_news() | self.events.take_news() | self.push.take_news()
    }

    /// For `GET state`.
    pub(super) fn show(&mut self, now_ms: i64) -> Value {
        let (classic, stable) = self.ledger.remaining_s(now_ms);
        let used: Map<String, Value> = dispatch::paths()
            .filter_map(|path| match self.quotas.used(path, now_ms) {
                (0, 0) => None,
                (day, minute) => Some((path.to_owned(), json!({ "day": day, "minute": minute }))),
            })
            .collect();
        json!({
            "settings": self.settings.to_json(),
            "live": {
                "now": moment::rfc3339(now_ms),
                "classic_token_remaining_s": classic,
                "stable_token_remaining_s": stable,
                "forced_today": self.ledger.forced_today(now_ms),
                "quota_used": used,
                "faults": self.faults.to_json(),
                "media": self.media.len(),
                "products": self.shop.products.len(),
                "orders": self.shop.orders.len(),
                "has_push_url": self.push.is_set(),
            },
        })
    }
}

/// Users whose messages are counted; all counts start anew beyond that.
const MOST_USERS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_to_a_user_are_limited_only_where_a_limit_is_set() {
        let mut state = State::new(AccountKind::MiniProgram, 7200, 0);
        assert!((0..100).all(|_| state.reply_to("o1")));
        state.settings.reply_limit = Some(2);
        assert!(state.reply_to("o1") && state.reply_to("o1") && !state.reply_to("o1"));
        assert!(state.reply_to("o2"));
    }
}
