//! The judge of one connection: how long it may go on as it is.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Deadlines,
    metrics::Cut,
    pulse::Pulse,
    shared::{Orders, SHED_AFTER},
};

/// Reads the [`Pulse`] and decides. Pure but for the pulse: `now` is an argument.
#[derive(Debug)]
pub(super) struct Watchdog {
    limits: Arc<Deadlines>,
    pulse: Arc<Pulse>,
    version: Version,
    is_draining: bool,
    shed_asked: bool,
    /// Since when hyper is asked to end the connection.
    farewell_since: Option<Instant>,
}

/// The protocol that ALPN chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

/// What is to be done with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing before this moment, unless something happens.
    Wait(Instant),
    /// End it politely: what was begun is finished.
    Close(Cut),
    /// End it now.
    Kill(Cut),
}

impl Watchdog {
    pub(super) fn new(limits: Arc<Deadlines>, pulse: Arc<Pulse>, version: Version) -> Self {
        Self { limits, pulse, version, is_draining: false, shed_asked: false, farewell_since: None }
    }

    /// Takes an order for all connections.
    pub(super) fn obey(&mut self, orders: Orders) {
        if orders.is_draining && !self.is_draining {
            self.is_draining = true;
            self.pulse.close_after_answer();
        }
        self.shed_asked = true;
    }

    /// Notes that hyper was asked to end the connection.
    pub(super) fn said_goodbye(&mut self, now: Instant) {
        self.farewell_since = Some(now);
        self.pulse.close_after_answer();
    }

    /// Notes that the connection is dropped now.
    pub(super) fn gives_up(&self, cut: Cut) {
        if matches!(cut, Cut::SlowReader | Cut::Flood) {
            self.pulse.reset_on_drop();
        }
    }

    /// What is to be done at `now`.
    pub(super) fn judge(&mut self, now: Instant) -> Verdict {
        let shed_asked = std::mem::take(&mut self.shed_asked);
        let mut next = now + self.limits.keep_alive_idle;
        if now < self.worn_at() {
            next = next.min(self.worn_at());
        }
        for (end, cut) in self.fatal_ends() {
            if now >= end {
                return Verdict::Kill(cut);
            }
            next = next.min(end);
        }
        if self.pulse.idle_frames() > IDLE_FRAMES_FATAL {
            return Verdict::Kill(Cut::Flood);
        }
        if self.farewell_since.is_some() {
            return Verdict::Wait(next);
        }
        match self.polite_end(now, shed_asked) {
            Some((end, cut)) if now >= end => Verdict::Close(cut),
            Some((end, _)) => Verdict::Wait(next.min(end)),
            None => Verdict::Wait(next),
        }
    }

    /// Ends that come whatever the connection is doing.
    fn fatal_ends(&self) -> impl Iterator<Item = (Instant, Cut)> {
        let write = self.pulse.write_deadline().map(|end| (end, Cut::SlowReader));
        let head = self.pulse.head_since().map(|at| (at + self.limits.header, Cut::SlowHead));
        let quiet = self.quiet_since();
        let silent = match quiet {
            Some(since) if !self.pulse.is_greeted() => {
                let limit =
                    if self.is_draining { self.limits.last_call } else { self.limits.first_byte };
                Some((since + limit, Cut::Silent))
            }
            _ => None,
        };
        let lingering = match (self.farewell_since, quiet) {
            (Some(farewell), Some(quiet)) => {
                Some((farewell.max(quiet) + self.limits.farewell, Cut::Lingering))
            }
            _ => None,
        };
        [write, head, silent, lingering].into_iter().flatten()
    }

    /// The end that waits for a moment in which nothing is lost. On HTTP/1.1 that is a quiet
    /// one; a busy connection ends with its answer, which says so.
    fn polite_end(&self, now: Instant, shed_asked: bool) -> Option<(Instant, Cut)> {
        if self.version == Version::Http2 {
            // GOAWAY hurts no request, so it need not wait for a quiet moment.
            if self.is_draining {
                return Some((now, Cut::Drain));
            }
            if self.pulse.idle_frames() > IDLE_FRAMES_MOST {
                return Some((now, Cut::Flood));
            }
            if self.pulse.is_closing() || now >= self.worn_at() {
                return Some((now, Cut::Worn));
            }
        } else if now >= self.worn_at() {
            self.pulse.close_after_answer();
        }
        let quiet = self.quiet_since()?;
        if shed_asked && now >= quiet + SHED_AFTER {
            return Some((now, Cut::Shed));
        }
        let (idle_at, worn_at) = (quiet + self.limits.keep_alive_idle, self.worn_at());
        Some(if self.is_draining {
            (quiet + self.limits.last_call, Cut::Drain)
        } else if idle_at < worn_at {
            (idle_at, Cut::Idle)
        } else {
            (worn_at, Cut::Worn)
        })
    }

    /// Since when nothing is going on, not even the beginning of a request.
    fn quiet_since(&self) -> Option<Instant> {
        let quiet = self.pulse.is_idle() && self.pulse.head_since().is_none();
        quiet.then(|| self.pulse.idle_since())
    }

    /// Connections end some day, so that load spreads again and settings take hold.
    fn worn_at(&self) -> Instant {
        self.pulse.begun() + self.limits.max_age
    }
}

/// Above this an HTTP/2 connection gets a GOAWAY ...
const IDLE_FRAMES_MOST: u32 = 200;
/// ... and above this it is cut.
const IDLE_FRAMES_FATAL: u32 = 400;
