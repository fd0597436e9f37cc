//! The verify ticket of a third-party platform: pushed every ten minutes, good for twelve hours.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;

use super::strongbox::Keepsake;
use crate::{
    base::secret::Secret,
    wechat::authorizer::{TICKET_EXPIRED, TICKET_INVALID},
};

/// Asks the sandbox of this process for its newest ticket.
pub type AskTicket = Arc<dyn Fn() -> BoxFuture<'static, Option<Secret>> + Send + Sync>;

/// The newest ticket of one platform.
pub(super) struct VerifyTicket {
    kept: Mutex<Option<Keepsake>>,
    ask: Option<AskTicket>,
}

/// Why a ticket is of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketFault {
    /// Nobody pushed or entered one.
    NeverCame,
    /// The last one is of so long ago.
    TooOld {
        /// Since it came.
        age: Duration,
    },
    /// The platform does not take it.
    Refused {
        /// 61005 or 61006.
        errcode: i64,
        /// The platform's text.
        errmsg: String,
    },
}

impl VerifyTicket {
    /// With a way to `ask`, the answer goes before what was kept.
    pub(super) fn new(kept: Option<Keepsake>, ask: Option<AskTicket>) -> Self {
        Self { kept: Mutex::new(kept), ask }
    }

    /// Keeps a ticket, unless a newer one is there. One that came after `now` came before the
    /// clock was set back.
    pub(super) fn keep(&self, newer: &Keepsake, now: SystemTime) -> bool {
        let mut kept = self.lock();
        let is_older = |known: &Keepsake| known.since <= newer.since || known.since > now;
        let is_newest = kept.as_ref().is_none_or(is_older);
        if is_newest {
            *kept = Some(newer.clone());
        }
        is_newest
    }

    /// The ticket to ask for a token with.
    pub(super) async fn present(&self, now: SystemTime) -> Result<Secret, TicketFault> {
        if let Some(ask) = &self.ask
            && let Some(ticket) = ask().await
        {
            return Ok(ticket);
        }
        let kept = self.lock();
        let kept = kept.as_ref().ok_or(TicketFault::NeverCame)?;
        // A clock that was set back makes nothing older.
        let age = now.duration_since(kept.since).unwrap_or_default();
        if age >= TICKET_LIFE { Err(TicketFault::TooOld { age }) } else { Ok(kept.secret.clone()) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Keepsake>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TicketFault {
    /// The fault that an errcode of the token call names.
    pub(super) fn of(errcode: i64, errmsg: &str) -> Option<Self> {
        matches!(errcode, TICKET_EXPIRED | TICKET_INVALID)
            .then(|| Self::Refused { errcode, errmsg: errmsg.to_owned() })
    }

    /// The platform's number, where it was the platform that said no.
    #[must_use]
    pub fn errcode(&self) -> Option<i64> {
        match self {
            Self::Refused { errcode, .. } => Some(*errcode),
            Self::NeverCame | Self::TooOld { .. } => None,
        }
    }

    pub(super) fn errmsg(&self) -> Option<&str> {
        match self {
            Self::Refused { errmsg, .. } => Some(errmsg),
            Self::NeverCame | Self::TooOld { .. } => None,
        }
    }

    pub(super) fn errmsg_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Refused { errmsg, .. } => Some(errmsg),
            Self::NeverCame | Self::TooOld { .. } => None,
        }
    }
}

impl fmt::Display for TicketFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverCame => f.write_str("none has come"),
            Self::TooOld { age } => {
                write!(f, "the last one came {} h ago and was good for 12 h", age.as_secs() / 3600)
            }
            Self::Refused { errcode, errmsg } => {
                write!(f, "the platform refuses the last one, errcode {errcode} ({errmsg})")
            }
        }
    }
}

/// By the platform's page of the push, `component_verify_ticket`.
const TICKET_LIFE: Duration = Duration::from_secs(12 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str, since_s: u64) -> Keepsake {
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(since_s);
        Keepsake { secret: Secret::new(text.into()), since }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[tokio::test]
    async fn the_newest_ticket_is_good_for_twelve_hours() {
        let ticket = VerifyTicket::new(None, None);
        assert_eq!(ticket.present(at(0)).await.unwrap_err(), TicketFault::NeverCame);
        assert!(ticket.keep(&kept("ticket@@@2", 2000), at(2000)));
        assert!(!ticket.keep(&kept("ticket@@@1", 1000), at(2001)), "a late push of an older one");
        let present = ticket.present(at(2000 + 43_199)).await.unwrap();
        assert!(present.matches(b"ticket@@@2"));
        assert!(ticket.present(at(0)).await.is_ok(), "the clock was set back");
        let fault = ticket.present(at(2000 + 43_200)).await.unwrap_err();
        assert!(fault.to_string().contains("12 h ago"), "{fault}");
    }

    #[tokio::test]
    async fn a_ticket_from_before_the_clock_was_set_back_gives_way() {
        let ticket = VerifyTicket::new(Some(kept("ticket@@@1", 9000)), None);
        assert!(ticket.keep(&kept("ticket@@@2", 1000), at(1000)));
        assert!(ticket.present(at(1000)).await.unwrap().matches(b"ticket@@@2"));
    }

    #[tokio::test]
    async fn a_sandbox_that_can_be_asked_knows_best() {
        let ask: AskTicket = Arc::new(|| Box::pin(async { Some(Secret::new("asked".into())) }));
        let ticket = VerifyTicket::new(Some(kept("kept", 0)), Some(ask));
        assert!(ticket.present(at(1)).await.unwrap().matches(b"asked"));
        let silent: AskTicket = Arc::new(|| Box::pin(async { None }));
        let ticket = VerifyTicket::new(Some(kept("kept", 0)), Some(silent));
        assert!(ticket.present(at(1)).await.unwrap().matches(b"kept"));
    }

    #[test]
    fn only_two_errcodes_are_about_the_ticket() {
        assert_eq!(TicketFault::of(61005, "expired").unwrap().errcode(), Some(61005));
        assert_eq!(TicketFault::of(61006, "bad").unwrap().errmsg(), Some("bad"));
        assert_eq!(TicketFault::of(40125, "secret"), None);
    }
}
