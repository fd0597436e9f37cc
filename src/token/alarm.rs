//! One log line for each change of what is wrong with a slot, none for each request.

use std::time::Duration;

use super::{error::TokenError, slot_id::SlotId};
use crate::base::chain::Chain;

/// What was last reported.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    raised: Option<(&'static str, Option<i64>)>,
}

impl Alarm {
    /// Reports that no new token comes, unless the same was reported last. `left` is the
    /// remaining life of the token in use.
    pub(super) fn raise(&mut self, slot: &SlotId, error: &TokenError, left: Option<Duration>) {
        let key = (error.kind(), error.errcode());
        if self.raised.replace(key) == Some(key) {
            return;
        }
        let account = slot.owner();
        let (errcode, refused_ip) = (error.errcode(), error.refused_ip());
        let left_s = left.map_or(0, |left| left.as_secs());
        let error = Chain(error).to_string();
        if let Some(refused_ip) = refused_ip {
            tracing::warn!(
                account, error, errcode, %refused_ip, left_s,
                "no new token for {account}: the platform does not know the address \
                 {refused_ip}; the present token lives {left_s} s more"
            );
        } else {
            tracing::warn!(
                account,
                error,
                errcode,
                left_s,
                "no new token for {account}: {error}; the present token lives {left_s} s more"
            );
        }
    }

    /// Reports that a token came, if something was wrong before.
    pub(super) fn clear(&mut self, slot: &SlotId) {
        if self.raised.take().is_some() {
            let account = slot.owner();
            tracing::info!(account, "the issuer of {account} gives tokens again");
        }
    }

    /// Whether something is wrong.
    pub(super) fn is_raised(&self) -> bool {
        self.raised.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is logged while `run` runs.
    fn logged(run: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Buffer(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Buffer {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, run);
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn an_alarm_is_one_line_for_each_change_and_names_the_address() {
        let slot = SlotId::real("shop".parse().unwrap());
        let refused = |errcode, ip: Option<&str>| TokenError::Refused {
            account: slot.clone(),
            errcode,
            errmsg: "why".into(),
            refused_ip: ip.and_then(|ip| ip.parse().ok()),
        };
        let log = logged(|| {
            let mut alarm = Alarm::default();
            for _ in 0..1000 {
                alarm.raise(&slot, &refused(40164, Some("203.0.113.9")), None);
            }
            alarm.raise(&slot, &refused(40125, None), Some(Duration::from_secs(77)));
            assert!(alarm.is_raised());
            alarm.clear(&slot);
            alarm.clear(&slot);
            assert!(!alarm.is_raised());
        });
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), 3, "{log}");
        assert!(lines[0].contains("203.0.113.9") && lines[0].contains("errcode=40164"), "{log}");
        assert!(lines[1].contains("lives 77 s more") && lines[1].contains("WARN"), "{log}");
        assert!(lines[2].contains("gives tokens again"), "{log}");
    }
}
