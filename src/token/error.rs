//! Why there is no token.

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{cure::Cure, slot_id::SlotId, verify_ticket::TicketFault};
use crate::{base::redact::Redactor, wire::WireError};

/// Why the broker could not produce a token for an account. Cheap to clone, because every
/// request that waited for one fetch gets its error.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// The issuer answered with an errcode.
    #[error("the issuer refused {account}: errcode {errcode} ({errmsg})")]
    Refused {
        /// Whose token.
        account: SlotId,
        /// The platform's number.
        errcode: i64,
        /// The platform's text, live secrets masked.
        errmsg: String,
        /// The address that the platform saw, where the allow-list was the reason.
        refused_ip: Option<IpAddr>,
    },
    /// Nothing reached the issuer: DNS, connect, TLS.
    #[error("could not reach the issuer of {account}")]
    Connect {
        /// Whose token.
        account: SlotId,
        /// What failed.
        #[source]
        source: Arc<WireError>,
    },
    /// The connection broke, or the answer was not HTTP.
    #[error("the call to the issuer of {account} broke off")]
    Broken {
        /// Whose token.
        account: SlotId,
        /// What failed.
        #[source]
        source: Arc<WireError>,
    },
    /// The issuer took too long.
    #[error("the issuer of {account} did not answer within {limit:?}")]
    Timeout {
        /// Whose token.
        account: SlotId,
        /// The limit of one fetch.
        limit: Duration,
    },
    /// The answer is no token and no errcode.
    #[error("the issuer of {account} answered nonsense: {reason}")]
    Malformed {
        /// Whose token.
        account: SlotId,
        /// What is wrong with it; never a part of the answer.
        reason: String,
    },
    /// The request's own time is over; the fetch goes on.
    #[error("no token for {account} came within {limit:?}")]
    Waited {
        /// Whose token.
        account: SlotId,
        /// What the request was ready to wait.
        limit: Duration,
    },
    /// A fetch failed a moment ago and the next one is not due.
    #[error("the issuer of {account} is not asked again yet")]
    BackingOff {
        /// Whose token.
        account: SlotId,
        /// When the issuer may be asked again.
        until: Instant,
        /// How the last fetch failed.
        #[source]
        last: Arc<Self>,
    },
    /// The platform refuses the token while its issuer gives out the same one again.
    #[error(
        "the platform refuses the token of {account} with errcode {errcode}, and the issuer has no other"
    )]
    Rejected {
        /// Whose token.
        account: SlotId,
        /// What the platform said when the token was used.
        errcode: i64,
        /// When the issuer may be asked again.
        until: Instant,
    },
    /// Another forced refresh would go beyond the day's budget, or comes too early.
    #[error("no forced refresh of {account} for now: {used} of {most} were made today")]
    ForceBudget {
        /// Whose token.
        account: SlotId,
        /// Forced refreshes of the day (UTC+8).
        used: u32,
        /// How many a day may have.
        most: u32,
        /// When the next one is possible.
        wait: Duration,
    },
    /// A third-party platform cannot ask for its token without the platform's verify ticket.
    #[error(
        "{account} needs a component_verify_ticket: {fault}; enter it with: wxgate token ticket {} (pushes are not received yet; they will be at {callback})",
        account.owner()
    )]
    Ticket {
        /// Whose token.
        account: SlotId,
        /// What is wrong with the ticket.
        fault: TicketFault,
        /// Where the platform should push it.
        callback: Arc<str>,
    },
    /// There is no component token to ask for a merchant's with.
    #[error("no component token to ask for {account} with")]
    Component {
        /// Whose token.
        account: SlotId,
        /// Why.
        #[source]
        source: Arc<Self>,
    },
    /// The merchant withdrew its authorization, or never gave it.
    #[error(
        "the merchant of {account} does not authorize the platform: errcode {errcode} ({errmsg})"
    )]
    Unauthorized {
        /// Whose token.
        account: SlotId,
        /// 61003 or 61023.
        errcode: i64,
        /// The platform's text, live secrets masked.
        errmsg: String,
    },
    /// No such account, or one without a credential.
    #[error("{account} has no credential to fetch a token with")]
    NotConfigured {
        /// Whose token.
        account: SlotId,
    },
    /// The gateway is shutting down.
    #[error("no token for {account}: the gateway is stopping")]
    Stopping {
        /// Whose token.
        account: SlotId,
    },
}

impl TokenError {
    /// Whether the same call may succeed soon without anybody's help. `-1` is WeChat's
    /// "system busy".
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match Cure::of(self) {
            Cure::Retry | Cure::NextMinute => true,
            Cure::NextDay | Cure::Person => false,
        }
    }

    /// When a repeat makes sense, counted from `now`; none where nobody knows.
    #[must_use]
    pub fn retry_after(&self, now: Instant) -> Option<Duration> {
        match self {
            Self::BackingOff { until, .. } | Self::Rejected { until, .. } => {
                Some(until.saturating_duration_since(now))
            }
            Self::ForceBudget { wait, .. } => Some(*wait),
            Self::Waited { .. } => Some(Duration::ZERO),
            Self::Refused { .. }
            | Self::Connect { .. }
            | Self::Broken { .. }
            | Self::Timeout { .. }
            | Self::Malformed { .. }
            | Self::Ticket { .. }
            | Self::Unauthorized { .. }
            | Self::NotConfigured { .. }
            | Self::Stopping { .. } => None,
            Self::Component { source, .. } => source.retry_after(now),
        }
    }

    /// The platform's errcode, also that of the fetch before the backoff.
    #[must_use]
    pub fn errcode(&self) -> Option<i64> {
        match self.root() {
            Self::Refused { errcode, .. }
            | Self::Rejected { errcode, .. }
            | Self::Unauthorized { errcode, .. } => Some(*errcode),
            Self::Ticket { fault, .. } => fault.errcode(),
            _ => None,
        }
    }

    /// The platform's text, also that of the fetch before the backoff.
    #[must_use]
    pub fn errmsg(&self) -> Option<&str> {
        match self.root() {
            Self::Refused { errmsg, .. } | Self::Unauthorized { errmsg, .. } => Some(errmsg),
            Self::Ticket { fault, .. } => fault.errmsg(),
            _ => None,
        }
    }

    /// The address that the platform saw and does not allow.
    #[must_use]
    pub fn refused_ip(&self) -> Option<IpAddr> {
        match self.root() {
            Self::Refused { refused_ip, .. } => *refused_ip,
            _ => None,
        }
    }

    /// Whether the platform refuses the newest token, which is `token_rejected` to a client and
    /// not `token_unavailable`.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        matches!(self, Self::Rejected { .. })
    }

    /// Whether the call went out and nobody knows what the issuer did.
    pub(super) fn leaves_in_doubt(&self) -> bool {
        match self {
            Self::Broken { .. } | Self::Timeout { .. } | Self::Malformed { .. } => true,
            Self::Component { source, .. } => source.leaves_in_doubt(),
            Self::Refused { .. }
            | Self::Ticket { .. }
            | Self::Unauthorized { .. }
            | Self::Connect { .. }
            | Self::Waited { .. }
            | Self::BackingOff { .. }
            | Self::Rejected { .. }
            | Self::ForceBudget { .. }
            | Self::NotConfigured { .. }
            | Self::Stopping { .. } => false,
        }
    }

    /// The error itself, or the one that a backoff or the want of a component token follows
    /// from.
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::BackingOff { last, .. } => last.root(),
            Self::Component { source, .. } => source.root(),
            other => other,
        }
    }

    /// The label of metrics and the key of alarms: the kind of failure, without its details.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Connect { .. } => "connect",
            Self::Broken { .. } => "broken",
            Self::Timeout { .. } => "timeout",
            Self::Malformed { .. } => "malformed",
            Self::Waited { .. } => "waited",
            Self::BackingOff { .. } => "backing_off",
            Self::Rejected { .. } => "rejected",
            Self::ForceBudget { .. } => "force_budget",
            Self::Ticket { .. } => "ticket",
            Self::Component { .. } => "component",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotConfigured { .. } => "not_configured",
            Self::Stopping { .. } => "stopping",
        }
    }

    /// Masks live secrets in the platform's text and cuts it, because it goes to clients and
    /// logs and an issuer may echo what it was sent.
    pub(super) fn cleaned(mut self, redactor: &Redactor) -> Self {
        let errmsg = match &mut self {
            Self::Refused { errmsg, .. } | Self::Unauthorized { errmsg, .. } => Some(errmsg),
            Self::Ticket { fault, .. } => fault.errmsg_mut(),
            _ => None,
        };
        if let Some(errmsg) = errmsg {
            *errmsg = redactor.text(errmsg).chars().take(ERRMSG_CAP_CHARS).collect();
        }
        self
    }
}

/// The longest errmsg seen in the wild has some 200 characters.
const ERRMSG_CAP_CHARS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    fn account() -> SlotId {
        SlotId::real("shop".parse().unwrap())
    }

    fn refused(errcode: i64, errmsg: &str) -> TokenError {
        let refused_ip = Some("203.0.113.9".parse().unwrap());
        TokenError::Refused { account: account(), errcode, errmsg: errmsg.into(), refused_ip }
    }

    #[tokio::test(start_paused = true)]
    async fn a_backoff_still_answers_for_the_fetch_that_failed() {
        let now = Instant::now();
        let until = now + Duration::from_secs(7);
        let last = Arc::new(refused(40164, "invalid ip"));
        let error = TokenError::BackingOff { account: account(), until, last };
        assert_eq!(error.errcode(), Some(40164));
        assert_eq!(error.errmsg(), Some("invalid ip"));
        assert_eq!(error.refused_ip(), Some("203.0.113.9".parse().unwrap()));
        assert_eq!(error.retry_after(now), Some(Duration::from_secs(7)));
        assert!(!error.is_transient() && refused(-1, "busy").is_transient());
    }

    #[test]
    fn a_secret_that_the_issuer_echoes_is_masked_and_a_long_text_is_cut() {
        let redactor = Redactor::new();
        redactor.protect("shop/app_secret", &Secret::new("0123456789abcdef0123".into()));
        let text = format!("bad 0123456789abcdef0123 {}", "x".repeat(9000));
        let cleaned = refused(40125, &text).cleaned(&redactor);
        let errmsg = cleaned.errmsg().unwrap();
        assert!(errmsg.starts_with("bad ********************"), "{errmsg}");
        assert_eq!(errmsg.chars().count(), ERRMSG_CAP_CHARS);
    }
}
