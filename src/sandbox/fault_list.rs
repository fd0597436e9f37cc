//! The faults that wait for their calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    call::Cut,
    fault::{Fault, FaultKind},
};

/// In the order in which they were posted; at most [`MOST_FAULTS`].
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Faults {
    waiting: Vec<Fault>,
    armed: u64,
}

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
    /// Written in an odd way.
    pub(super) oddity: Option<Oddity>,
    /// Its body takes so long.
    pub(super) body_time: Duration,
}

/// An odd way to write JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    /// As `text/plain`.
    Plain,
    /// With a raw control character in errmsg.
    ControlCharacters,
    /// With errcode as text.
    StringErrcode,
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
    /// Adds `fault`, numbered; false if there are too many already.
    pub(super) fn arm(&mut self, mut fault: Fault) -> bool {
        let has_room = self.waiting.len() < MOST_FAULTS;
        if has_room {
            self.armed = self.armed.saturating_add(1);
            fault.id = self.armed;
            self.waiting.push(fault);
        }
        has_room
    }

    /// Whether those of a document are such as could have been armed.
    pub(super) fn check(&self) -> Result<(), String> {
        let is_good = self.waiting.len() <= MOST_FAULTS && self.waiting.iter().all(Fault::is_sane);
        is_good.then_some(()).ok_or_else(|| "`faults` holds what cannot be armed".to_owned())
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Forgets one; false if none of that id waits.
    pub(super) fn remove(&mut self, id: u64) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|fault| fault.id != id);
        self.waiting.len() < before
    }

    /// Uses up what is meant for this call: the first delay, and the first fault of any other
    /// kind.
    pub(super) fn strike(&mut self, path: &str, is_token_call: bool) -> Strike {
        let mut strike = Strike::default();
        if self.waiting.is_empty() {
            return strike;
        }
        let (mut has_delay, mut has_other) = (false, false);
        for fault in &mut self.waiting {
            let slot = match fault.kind {
                FaultKind::Delay => &mut has_delay,
                _ => &mut has_other,
            };
            if *slot || !fault.hits(path, is_token_call) || !fault.chances() {
                continue;
            }
            *slot = true;
            strike.add(fault);
            fault.note_strike();
        }
        self.waiting.retain(|fault| fault.left != Some(0));
        strike
    }

    /// For `GET faults`.
    pub(super) fn to_json(&self) -> Vec<Value> {
        self.waiting.iter().map(Fault::to_json).collect()
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
            FaultKind::SlowBody => self.body_time = Duration::from_millis(fault.delay_ms),
            FaultKind::PlainJson => self.oddity = Some(Oddity::Plain),
            FaultKind::ControlCharacters => self.oddity = Some(Oddity::ControlCharacters),
            FaultKind::StringErrcode => self.oddity = Some(Oddity::StringErrcode),
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
    fn chance_decides_and_the_same_seed_decides_the_same() {
        let run = |seed: u32| {
            let text = format!(r#"{{"kind":"busy","probability":0.2,"seed":{seed}}}"#);
            let mut list = armed(&[&text]);
            (0..1000).map(|_| list.strike("/a", false).instead.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let struck = run(1).into_iter().filter(|is_struck| *is_struck).count();
        assert!((150..250).contains(&struck), "{struck}");
    }

    #[test]
    fn a_fault_has_a_number_under_which_it_is_shown_and_removed() {
        let mut list = armed(&[r#"{"kind":"busy","count":0}"#, r#"{"kind":"empty_gbk"}"#]);
        list.strike("/a", false);
        let shown = list.to_json();
        assert_eq!((&shown[0]["id"], &shown[0]["struck"]), (&1.into(), &1.into()));
        assert_eq!((&shown[1]["id"], &shown[1]["probability"]), (&2.into(), &1.0.into()));
        assert!(list.remove(1) && !list.remove(1));
        assert_eq!(list.strike("/a", false).instead, Some(Instead::EmptyGbk));
    }

    #[test]
    fn faults_are_bounded() {
        let mut list = Faults::default();
        let fault = Fault::parse(br#"{"kind":"busy"}"#).unwrap();
        let taken = (0..500).filter(|_| list.arm(fault.clone())).count();
        assert_eq!(taken, MOST_FAULTS);
    }
}
