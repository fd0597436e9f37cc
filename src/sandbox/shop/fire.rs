//! What must happen in the component before an event of it is told by hand.

use super::{fields::Fields, fire_aftersale, fire_audit, fire_order, fire_person, fire_subject};
use crate::sandbox::world::World;

/// Lets happen what `event` tells of: pays an order, decides an audit, lets a buyer apply.
///
/// `set` names the thing, `{"order_info":{"out_order_id":"SO1"}}`, and may say more of what
/// happens; where it names none and only one waits for the event, that one is meant. The move
/// tells of itself; the answer is what it told beside the envelope, so that nothing must be told
/// again. An error says in which state the thing is and which are needed. None means that the
/// event has no move here, or is about something that is not here.
pub(in crate::sandbox) fn happen(
    world: &mut World<'_>,
    event: &str,
    set: &Fields,
) -> Option<Result<Fields, String>> {
    if !fire_subject::is_here(world.state, event, set) {
        return None;
    }
    let told = world.state.events.after(0).last().map_or(0, |event| event.seq);
    let happened = fire_order::happen(world, event, set)
        .or_else(|| fire_aftersale::happen(world, event, set))
        .or_else(|| fire_audit::happen(world, event, set))
        .or_else(|| fire_person::happen(world, event, set))?;
    Some(happened.map(|()| told_since(world, told, event)))
}

/// The part of `set` that stands in the body of the event, or all of it.
pub(in crate::sandbox) fn inner<'a>(set: &'a Fields, body: &str) -> &'a Fields {
    set.get(body).and_then(|inner| inner.as_object()).unwrap_or(set)
}

/// The only one of those that wait for an event; `needs` says for what state they do.
pub(in crate::sandbox) fn only<T>(
    mut waiting: Vec<(String, T)>,
    event: &str,
    needs: &str,
) -> Result<T, String> {
    match (waiting.pop(), waiting.is_empty()) {
        (Some((_, one)), true) => Ok(one),
        (Some((name, _)), false) => {
            let others = waiting.iter().rev().take(MOST_NAMES - 1).map(|(name, _)| name.as_str());
            let names: Vec<&str> = std::iter::once(name.as_str()).chain(others).collect();
            Err(format!("{event}: more than one {needs}, name it in `set`: {}", names.join(", ")))
        }
        (None, _) => Err(format!("{event}: there is no {needs}")),
    }
}

/// What the latest event of that name said, if it was told after number `seq`.
fn told_since(world: &World<'_>, seq: u64, event: &str) -> Fields {
    let told = world.state.events.after(seq).filter(|told| told.name == event).last();
    let mut message = told.map(|told| told.message.clone()).unwrap_or_default();
    message.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
    message
}

const ENVELOPE: &[&str] = &["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"];
/// As many as are named to choose from.
const MOST_NAMES: usize = 10;
