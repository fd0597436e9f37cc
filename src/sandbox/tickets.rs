//! Tickets for pages inside WeChat.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::ids::Ids;

/// The current ticket of each type; there are two.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tickets(BTreeMap<String, Ticket>);

#[derive(Clone, Serialize, Deserialize)]
struct Ticket {
    text: String,
    expires_ms: i64,
}

impl Tickets {
    /// The ticket of that type with the seconds it has left. While it lives it stays the same,
    /// whichever token asks.
    pub(super) fn current(&mut self, kind: &str, ids: &Ids, now_ms: i64) -> (String, i64) {
        let fresh = || Ticket { text: ids.text(86), expires_ms: now_ms.saturating_add(LIFE_MS) };
        let ticket = self.0.entry(kind.to_owned()).or_insert_with(fresh);
        if now_ms >= ticket.expires_ms {
            *ticket = fresh();
        }
        (ticket.text.clone(), (ticket.expires_ms - now_ms) / 1000)
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

/// 7200 s, as an access token.
const LIFE_MS: i64 = 7_200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_stays_the_same_while_it_lives() {
        let (ids, mut tickets) = (Ids::new(1, "x"), Tickets::default());
        let (first, left_s) = tickets.current("jsapi", &ids, 0);
        assert_eq!((first.len(), left_s), (86, 7200));
        assert_eq!(tickets.current("jsapi", &ids, 7_199_000), (first.clone(), 1));
        assert_ne!(tickets.current("wx_card", &ids, 0).0, first);
        assert_ne!(tickets.current("jsapi", &ids, 7_200_000).0, first);
    }
}
