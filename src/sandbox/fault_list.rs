//! The faults that wait for their calls.

use std::time::Duration;

use serde_json::Value;

use super::{
    call::Cut,
    fault::{Fault, FaultKind},
};

/// In the order in which they were posted; at most [`MOST_FAULTS`].
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

/// What the faults do to one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Strike {
    /// Held back so long.
    pub(super) delay: Duration,
    /// Broken off.
    pub(super) cut: Option<Cut>,
    /// Answered so instead of being handled.
    pub(super) instead: Option<Instead>,
    /// Done to the account's tokens before the call is judged.
    pub(super) tokens: Option<TokenFault>,
}

/// What takes the place of handling a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// An HTTP status with an HTML page; also written where a reset makes it unseen.
    Status(u16),
    /// The empty answer of 2017.
    EmptyGbk,
    /// An errcode.
    Errcode(i64),
}

/// What happens to the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// 42001 from now on.
    Expire,
    /// 40001 from now on, and a new token for whoever asks.
    ForeignFetch,
}

impl Faults {
    /// Adds `fault`; false if there are too many already.
    pub(super) fn arm(&mut self, fault: Fault) -> bool {
        let has_room = self.0.len() < MOST_FAULTS;
        if has_room {
            self.0.push(fault);
        }
        has_room
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Uses up what is meant for this call: the first delay, and the first fault of any other
    /// kind.
    pub(super) fn strike(&mut self, path: &str, is_token_call: bool) -> Strike {
        let mut strike = Strike::default();
        if self.0.is_empty() {
            return strike;
        }
        let (mut has_delay, mut has_other) = (false, false);
        for fault in &mut self.0 {
            let slot = match fault.kind {
                FaultKind::Delay => &mut has_delay,
                _ => &mut has_other,
            };
            if *slot || !fault.hits(path, is_token_call) {
                continue;
            }
            *slot = true;
            strike.add(fault);
            fault.left = fault.left.map(|left| left.saturating_sub(1));
        }
        self.0.retain(|fault| fault.left != Some(0));
        strike
    }

    /// For `GET faults`.
    pub(super) fn to_json(&self) -> Vec<Value> {
        self.0.iter().map(Fault::to_json).collect()
    }
}

impl Strike {
    fn add(&mut self, fault: &Fault) {
        match fault.kind {
            FaultKind::ExpireToken => self.tokens = Some(TokenFault::Expire),
            FaultKind::ForeignFetch => self.tokens = Some(TokenFault::ForeignFetch),
            FaultKind::Delay => self.delay = Duration::from_millis(fault.delay_ms),
            FaultKind::ResetBefore => {
                self.cut = Some(Cut::BeforeHead);
                self.instead = Some(Instead::Status(502));
            }
            FaultKind::ResetAfter => {
                let bytes = fault.value.map(|bytes| usize::try_from(bytes).unwrap_or(0));
                self.cut = Some(bytes.map_or(Cut::BeforeHead, Cut::InBody));
            }
            FaultKind::Status => {
                let status = fault.value.and_then(|code| u16::try_from(code).ok());
                self.instead = Some(Instead::Status(status.unwrap_or(502)));
            }
            FaultKind::EmptyGbk => self.instead = Some(Instead::EmptyGbk),
            FaultKind::Busy => self.instead = Some(Instead::Errcode(-1)),
            FaultKind::Errcode => self.instead = fault.value.map(Instead::Errcode),
        }
    }
}

/// More than anybody can follow.
const MOST_FAULTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(faults: &[&str]) -> Faults {
        let mut list = Faults::default();
        for text in faults {
            assert!(list.arm(Fault::parse(text.as_bytes()).unwrap()));
        }
        list
    }

    #[test]
    fn a_fault_hits_as_often_as_asked_and_then_is_gone() {
        let mut list = armed(&[r#"{"kind":"busy","count":2}"#]);
        let busy = Some(Instead::Errcode(-1));
        assert_eq!(list.strike("/cgi-bin/token", true), Strike::default());
        assert_eq!(list.strike("/a", false).instead, busy);
        assert_eq!(list.strike("/b", false).instead, busy);
        assert_eq!(list.strike("/c", false), Strike::default());
        assert!(list.to_json().is_empty());
    }

    #[test]
    fn a_delay_goes_together_with_another_fault_and_others_queue() {
        let mut list = armed(&[
            r#"{"kind":"delay","ms":50,"count":0}"#,
            r#"{"kind":"status","value":503}"#,
            r#"{"kind":"reset_after","value":7}"#,
        ]);
        let first = list.strike("/a", false);
        assert_eq!((first.delay.as_millis(), first.instead), (50, Some(Instead::Status(503))));
        let second = list.strike("/a", false);
        assert_eq!((second.cut, second.instead), (Some(Cut::InBody(7)), None));
        assert_eq!(list.strike("/a", false).delay.as_millis(), 50, "until cleared");
        list.clear();
        assert_eq!(list.strike("/a", false), Strike::default());
    }

    #[test]
    fn faults_are_bounded() {
        let mut list = Faults::default();
        let fault = Fault::parse(br#"{"kind":"busy"}"#).unwrap();
        let taken = (0..500).filter(|_| list.arm(fault.clone())).count();
        assert_eq!(taken, MOST_FAULTS);
    }
}
