//! People who are credited for sharing a live.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::{demand, shop_due::ShopDue, switches::SharerAnswer};
use crate::sandbox::{due::Due, ids::derived_text, moment, world::World};

/// All sharers of a mini program, with everybody who was invited lately.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Sharers {
    people: BTreeMap<String, Sharer>,
    /// When somebody was invited, newest last; only as far back as limits look.
    invitations: BTreeMap<String, Vec<i64>>,
    invited: u64,
    /// As it was set; its values are not documented.
    pub(in crate::sandbox) share_mode: u64,
}

/// One person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Sharer {
    /// How far the binding has come.
    pub(in crate::sandbox) status: BindStatus,
    /// When the person was invited last.
    pub(in crate::sandbox) invited_ms: i64,
    /// When the person was bound; 0 before.
    pub(in crate::sandbox) bound_ms: i64,
    /// Which invitation it was, so that an old entry of the agenda is told.
    invitation: u64,
}

/// How far a binding has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum BindStatus {
    /// The person accepted.
    Bound,
    /// The person refused.
    Refused,
    /// The invitation waits.
    Invited,
    /// Nobody answered it.
    Expired,
}

impl BindStatus {
    /// As the platform numbers it.
    pub(in crate::sandbox) fn number(self) -> u8 {
        match self {
            Self::Bound => 1,
            Self::Refused => 2,
            Self::Invited => 3,
            Self::Expired => 4,
        }
    }

    /// The status of that number.
    pub(in crate::sandbox) fn find(number: u64) -> Option<Self> {
        [Self::Bound, Self::Refused, Self::Invited, Self::Expired]
            .into_iter()
            .find(|status| u64::from(status.number()) == number)
    }
}

/// What became of one openid of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum Outcome {
    /// It was done.
    Done,
    /// It failed and may be repeated; the reason.
    Failed(u16),
    /// It was refused, and repeating it will not help; the reason.
    Refused(u16),
}

impl Sharers {
    /// A person who is bound, or was invited.
    pub(in crate::sandbox) fn find(&self, openid: &str) -> Option<&Sharer> {
        self.people.get(openid)
    }

    /// Those who are bound with their openids, in the order of their binding.
    pub(in crate::sandbox) fn bound(&self) -> Vec<(&str, &Sharer)> {
        let bound = self.people.iter().filter(|(_, one)| one.status == BindStatus::Bound);
        let mut bound: Vec<_> = bound.map(|(openid, one)| (openid.as_str(), one)).collect();
        bound.sort_by_key(|(_, one)| (one.bound_ms, one.invitation));
        bound
    }

    /// "Three a day, one in ten minutes."
    fn was_invited_too_often(&self, openid: &str, now_ms: i64) -> bool {
        let at = self.invitations.get(openid).map(Vec::as_slice).unwrap_or_default();
        let today = at.iter().filter(|at_ms| moment::day(**at_ms) == moment::day(now_ms)).count();
        today >= INVITATIONS_A_DAY || at.last().is_some_and(|at| now_ms - at < APART_MS)
    }

    /// Notes an invitation, and forgets those of days before.
    fn note(&mut self, openid: &str, now_ms: i64) {
        let today = moment::day(now_ms);
        let is_late = |at_ms: &i64| moment::day(*at_ms) == today || now_ms - *at_ms < APART_MS;
        self.invitations.retain(|_, at| {
            at.retain(is_late);
            !at.is_empty()
        });
        self.invitations.entry(openid.to_owned()).or_default().push(now_ms);
    }
}

/// Sends an invitation; the answer comes as the switch says. A reason that time heals is a
/// failure, every other one a refusal: the documents do not say which is which.
pub(in crate::sandbox) fn invite(world: &mut World<'_>, openid: &str) -> Outcome {
    let settings = world.state.settings.shop.clone();
    let sharers = &mut world.state.shop.sharers;
    let status = sharers.find(openid).map(|sharer| sharer.status);
    let limit = settings.sharer_limit as usize;
    if !demand::is_openid(openid) {
        return Outcome::Refused(WRONG_OPENID);
    }
    match status {
        Some(BindStatus::Bound) => return Outcome::Refused(ALREADY_BOUND),
        Some(BindStatus::Refused) => return Outcome::Refused(USER_REFUSED),
        Some(BindStatus::Invited | BindStatus::Expired) | None => {}
    }
    if sharers.people.values().filter(|one| one.status == BindStatus::Bound).count() >= limit {
        return Outcome::Refused(LIMIT_REACHED);
    }
    if sharers.was_invited_too_often(openid, world.now_ms) {
        return Outcome::Failed(TOO_OFTEN);
    }
    if settings.sharers_busy || (status.is_none() && sharers.people.len() >= MOST_PEOPLE) {
        return Outcome::Failed(BUSY);
    }
    sharers.note(openid, world.now_ms);
    sharers.invited += 1;
    let invitation = sharers.invited;
    let (status, invited_ms) = (BindStatus::Invited, world.now_ms);
    let sharer = Sharer { status, invited_ms, bound_ms: 0, invitation };
    sharers.people.insert(openid.to_owned(), sharer);
    let answer = match settings.sharer_answer {
        SharerAnswer::Accept => BindStatus::Bound,
        SharerAnswer::Refuse => BindStatus::Refused,
        SharerAnswer::Expire => BindStatus::Expired,
        SharerAnswer::Wait => return Outcome::Done,
    };
    let delay_ms = i64::from(settings.sharer_answer_delay_s) * 1000;
    let openid = openid.to_owned();
    world.later(delay_ms, Due::Shop(ShopDue::SharerAnswer { openid, invitation, answer }));
    Outcome::Done
}

/// Answers the invitation of that number, unless it was answered before.
pub(in crate::sandbox) fn answer_due(
    world: &mut World<'_>,
    openid: &str,
    invitation: u64,
    status: BindStatus,
) {
    if world.state.shop.sharers.find(openid).is_some_and(|one| one.invitation == invitation) {
        answer(world, openid, status);
    }
}

/// Answers an invitation that waits, and tells of it; false if none waits.
pub(in crate::sandbox) fn answer(world: &mut World<'_>, openid: &str, status: BindStatus) -> bool {
    let sharer = world.state.shop.sharers.people.get_mut(openid);
    let Some(sharer) = sharer.filter(|sharer| sharer.status == BindStatus::Invited) else {
        return false;
    };
    if status == BindStatus::Invited {
        return false;
    }
    sharer.status = status;
    if status == BindStatus::Bound {
        sharer.bound_ms = world.now_ms;
    }
    let fields = [("openid", json!(openid)), ("bind_status", json!(status.number()))];
    let fields = Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)));
    world.tell("miniprogram_sharer_bind_status_change", fields);
    true
}

/// Ends a binding that has lasted long enough. The documents name no reasons for refusing.
pub(in crate::sandbox) fn unbind(world: &mut World<'_>, openid: &str) -> Outcome {
    let least_ms = i64::from(world.state.settings.shop.sharer_bound_days) * 86_400_000;
    let sharers = &mut world.state.shop.sharers;
    match sharers.people.get(openid) {
        Some(Sharer { status: BindStatus::Bound, bound_ms, .. })
            if world.now_ms - bound_ms >= least_ms =>
        {
            sharers.people.remove(openid);
            Outcome::Done
        }
        Some(_) | None => Outcome::Refused(0),
    }
}

/// The name that the platform shows; always the same for an openid.
pub(in crate::sandbox) fn nickname(openid: &str) -> String {
    format!("微信用户{}", derived_text(openid.as_bytes(), 4))
}

const BUSY: u16 = 100;
const LIMIT_REACHED: u16 = 200;
const WRONG_OPENID: u16 = 201;
const ALREADY_BOUND: u16 = 202;
const USER_REFUSED: u16 = 203;
const TOO_OFTEN: u16 = 204;
const INVITATIONS_A_DAY: usize = 3;
const APART_MS: i64 = 600_000;
/// Bound or not; beyond that the platform is busy.
const MOST_PEOPLE: usize = 20_000;
