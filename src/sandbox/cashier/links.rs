//! Links to the cashier that were given out.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::time::Instant;

use crate::base::secret::Secret;

/// The latest; when there are too many, the oldest is forgotten. Kept in memory only: a link
/// does not survive a restart, and no snapshot holds one.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Links(Mutex<VecDeque<Link>>);

#[derive(Debug)]
struct Link {
    ticket: Secret,
    account: String,
    order_id: u64,
    until: Instant,
}

impl Links {
    /// A new link's ticket. It is truly random, whatever the sandbox's seed: it opens a page of
    /// a gateway that others can reach.
    pub(in crate::sandbox) fn add(&self, account: &str, order_id: u64) -> Result<String, String> {
        let mut bytes = [0_u8; 24];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| "the system gives no random numbers".to_owned())?;
        let ticket = URL_SAFE_NO_PAD.encode(bytes);
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() == MOST_LINKS {
            links.pop_front();
        }
        links.push_back(Link {
            ticket: Secret::new(ticket.clone()),
            account: account.to_owned(),
            order_id,
            until: Instant::now() + LIFE,
        });
        Ok(ticket)
    }

    /// The account and the order that a ticket opens.
    pub(in crate::sandbox) fn find(&self, ticket: &str) -> Option<(String, u64)> {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        links.retain(|link| now < link.until);
        let found = links.iter().find(|link| link.ticket.matches(ticket.as_bytes()));
        found.map(|link| (link.account.clone(), link.order_id))
    }
}

/// Long enough to walk to the page, short enough not to be found later.
pub(super) const LIFE: Duration = Duration::from_secs(600);
const MOST_LINKS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_link_lives_ten_minutes() {
        let links = Links::default();
        let ticket = links.add("shop", 7).unwrap();
        assert_eq!(links.find(&ticket), Some(("shop".to_owned(), 7)));
        assert_eq!(links.find("other"), None);
        tokio::time::advance(LIFE).await;
        assert_eq!(links.find(&ticket), None);
        let first = links.add("shop", 1).unwrap();
        for order_id in 0..MOST_LINKS as u64 {
            links.add("shop", order_id).unwrap();
        }
        assert_eq!(links.find(&first), None, "the oldest made room");
    }
}
