//! The task that delivers pushes.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::{
    Claim, Job, Sender,
    log::{Attempt, Outcome},
    parcel::{self, Stamp},
    reply,
};
use crate::{
    base::{chain::Chain, tasks::Tasks},
    sandbox::{Platform, account::Account, ids::derived_text},
};

/// Delivers for all accounts at the same time, and for each in the order of its events. Calls
/// never wait for it.
pub(in crate::sandbox) async fn run(platform: Arc<Platform>, sender: Arc<Sender>, tasks: Tasks) {
    let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
    loop {
        for account in platform.accounts() {
            if !account.quiet_state().push.wants_courier() {
                continue;
            }
            let Some(claim) = account.state().push.claim() else { continue };
            let round = Round { account, claim, sender: sender.clone(), room: room.clone() };
            let stop = tasks.clone();
            tasks.spawn(async move {
                tokio::select! {
                    () = stop.stopping() => {}
                    () = round.run() => {}
                }
            });
        }
        tokio::select! {
            () = tasks.stopping() => return,
            () = platform.mail() => {}
        }
    }
}

/// All that waits for one account.
struct Round {
    account: Arc<Account>,
    claim: Claim,
    sender: Arc<Sender>,
    room: Arc<Semaphore>,
}

impl Round {
    async fn run(self) {
        while let Some(job) = self.next_job() {
            let Ok(_permit) = self.room.acquire().await else { return };
            self.deliver(&job).await;
        }
    }

    fn next_job(&self) -> Option<Job> {
        let state = &mut *self.account.state();
        state.push.next_job(&self.claim, &state.events, &state.settings)
    }

    /// Tries until the receiver takes it or the platform gives up. The message is the same each
    /// time; the signature is not.
    async fn deliver(&self, job: &Job) {
        for number in 0..=job.limits.retries {
            if number > 0 {
                sleep(Duration::from_millis(job.limits.wait_ms)).await;
                if !self.account.state().push.knows(&self.claim) {
                    return;
                }
            }
            let (attempt, is_taken) = self.attempt(job, number).await;
            let is_last = number == job.limits.retries;
            let outcome = match (is_taken, is_last) {
                (true, _) => Some(Outcome::Delivered),
                (false, true) => Some(Outcome::Failed),
                (false, false) => None,
            };
            self.account.state().push.note(&self.claim, job.id, attempt, outcome);
            if is_taken {
                return;
            }
        }
    }

    async fn attempt(&self, job: &Job, number: u32) -> (Attempt, bool) {
        let app_id = &self.account.identity.app_id;
        // On a clock that stands a push is as of its event, so that a run that is repeated is
        // the same, however fast the receiver is.
        let is_frozen = self.account.clock().is_frozen();
        let time_ms = if is_frozen { job.entered_ms } else { self.account.now_ms() };
        let stamp = stamp(&self.account.tag, job.id, number, time_ms);
        let began = Instant::now();
        let limit = Duration::from_millis(job.limits.deadline_ms);
        let (status, answer, error) = match parcel::push(&job.config, &job.message, app_id, &stamp)
        {
            None => (None, None, Some("the URL makes no request".to_owned())),
            Some(request) => match self.sender.send(&job.config.url, request, limit).await {
                Err(error) => (None, None, Some(Chain(&error).to_string())),
                Ok(received) => {
                    let read = reply::read(&job.config, app_id, received.status, &received.body);
                    (Some(received.status), Some(cut(&read.answer)), read.error)
                }
            },
        };
        let is_taken = error.is_none();
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(error) = &error {
            tracing::debug!(
                account = self.account.identity.name,
                event = job.event,
                error,
                "a push failed"
            );
        }
        (Attempt { time_ms, took_ms, status, answer, error }, is_taken)
    }
}

/// Nonce and random bytes belong to the attempt and are not drawn, so that the ids of an
/// account do not depend on how fast its receiver is.
fn stamp(tag: &str, push_id: u64, attempt: u32, now_ms: i64) -> Stamp {
    let text =
        |kind: &str| derived_text(format!("{tag} {kind} {push_id} {attempt}").as_bytes(), 16);
    let mut random = [0; 16];
    random.iter_mut().zip(text("random").bytes()).for_each(|(to, from)| *to = from);
    Stamp { timestamp: (now_ms / 1000).to_string(), nonce: digits(&text("nonce")), random }
}

/// Ten digits that belong to `text`, the first not 0.
pub(super) fn digits(text: &str) -> String {
    let digit = |(at, byte): (usize, u8)| match (at, byte % 10) {
        (0, 0) => '1',
        (_, digit) => char::from(b'0' + digit),
    };
    text.bytes().take(10).enumerate().map(digit).collect()
}

/// The start of an answer, for the log.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(MOST_SHOWN_CHARACTERS).collect()
}

/// Receivers that are slow must not keep others from their pushes, and not take all sockets.
const MOST_AT_ONCE: usize = 64;
const MOST_SHOWN_CHARACTERS: usize = 2000;
