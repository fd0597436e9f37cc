//! Changes in the lives of tokens, each told once: a log line and a counter.

use std::sync::Arc;

use super::{
    generation::{End, EndReason, Generation, Verdict},
    issued::Issued,
    journal::Entry,
    metrics::TokenMetrics,
    provider::FetchedBy,
    slot::Slot,
    slot_id::SlotId,
};

/// Tells them.
#[derive(Clone)]
pub(super) struct Changes {
    metrics: TokenMetrics,
}

impl Changes {
    pub(super) fn new(metrics: TokenMetrics) -> Self {
        Self { metrics }
    }

    /// A generation began.
    pub(super) fn born(&self, slot: &SlotId, issued: &Issued) {
        let account = slot.owner();
        let fetched_by = issued.fetched_by.as_str();
        tracing::info!(
            account,
            token.fp = %issued.fingerprint,
            generation = issued.generation,
            fetched_by,
            asked_by = issued.asked_by.map(tracing::field::display),
            life_s = issued.life.as_secs(),
            "a new token for {slot}"
        );
        self.metrics.count_birth(account, issued.fetched_by);
    }

    /// A generation of an earlier run is used on.
    fn restored(&self, slot: &SlotId, issued: &Issued) {
        let account = slot.owner();
        tracing::info!(
            account,
            token.fp = %issued.fingerprint,
            generation = issued.generation,
            life_s = issued.life.as_secs(),
            "the stored token of {slot} is used on"
        );
    }

    /// The platform refused a generation for the first time.
    pub(super) fn refused(&self, slot: &SlotId, issued: &Issued, errcode: i64) {
        let account = slot.owner();
        tracing::info!(
            account,
            token.fp = %issued.fingerprint,
            generation = issued.generation,
            errcode,
            "the platform refused the token of {slot} before its end"
        );
        self.metrics.count_death(slot);
    }

    /// A generation ended.
    fn ended(&self, slot: &SlotId, issued: &Issued, end: End) {
        let ended = Ended {
            account: slot.owner(),
            slot: &slot.to_string(),
            fingerprint: &issued.fingerprint.to_string(),
            generation: issued.generation,
            fetched_by: issued.fetched_by,
            reason: end.reason,
            verdict: end.verdict,
        };
        self.told(ended);
    }

    /// A generation ended that an earlier run had left open.
    pub(super) fn closed(&self, life: &Generation) {
        let account = life.slot.split('/').next().unwrap_or_default().to_owned();
        let ended = Ended {
            account,
            slot: &life.slot,
            fingerprint: &life.fingerprint,
            generation: life.generation,
            fetched_by: life.fetched_by,
            reason: life.end_reason.unwrap_or(EndReason::Lost),
            verdict: life.verdict,
        };
        self.told(ended);
    }

    /// A verdict is worth a warning, a planned end is not.
    fn told(&self, ended: Ended<'_>) {
        let Ended { account, slot, fingerprint, generation, fetched_by, reason, verdict } = ended;
        match verdict {
            Some(verdict) => tracing::warn!(
                account,
                token.fp = fingerprint,
                generation,
                fetched_by = fetched_by.as_str(),
                reason = reason.as_str(),
                verdict = verdict.as_str(),
                "a token of {slot} died early, {}; see: wxgate token history",
                because(verdict)
            ),
            None => tracing::info!(
                account,
                token.fp = fingerprint,
                generation,
                fetched_by = fetched_by.as_str(),
                reason = reason.as_str(),
                "a token of {slot} ended: {reason}"
            ),
        }
        self.metrics.count_end(account, reason, verdict);
    }
}

/// One end, from memory or from the database.
struct Ended<'a> {
    account: String,
    slot: &'a str,
    fingerprint: &'a str,
    generation: u64,
    fetched_by: FetchedBy,
    reason: EndReason,
    verdict: Option<Verdict>,
}

fn because(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::ForeignFetch => "another holder of the AppSecret fetched one",
        Verdict::IssuerDisagrees => "the platform refused what its issuer went on giving out",
        Verdict::ExpiredEarly => "the platform called it expired",
    }
}

impl Slot {
    /// Ends a generation, here and in the timeline.
    pub(super) fn end(&self, issued: Arc<Issued>, end: End) {
        self.shared.changes.ended(&self.id, &issued, end);
        self.shared.journal.note(Entry::Ended { issued, end });
    }

    /// Goes on with a generation of an earlier run; `sealed` is its row in the vault.
    pub(super) fn resume(&self, issued: Arc<Issued>, sealed: Vec<u8>) {
        self.shared.changes.restored(&self.id, &issued);
        let slot = self.id.to_string();
        self.shared.journal.note(Entry::Born { slot, issued, sealed: Some(sealed) });
    }
}
