//! What must have happened in the component before an event of it is told.

use serde_json::{Map, Value};

use crate::sandbox::world::World;

/// Lets happen what `event` tells of: pays an order, decides an audit.
///
/// `set` are the fields of the event's body that were given by hand; they say of which order or
/// product it is. The answer is the whole body of the message, without envelope and without its
/// name (`order_info`), for whoever asks to tell it; what a move has told by itself is not told
/// again, and its body is not looked at. An error says why it cannot happen to that thing now.
/// None means that nothing belongs to the event but the message: then the body comes from the
/// table of events.
pub(in crate::sandbox) fn happen(
    _world: &mut World<'_>,
    _event: &str,
    _set: &Map<String, Value>,
) -> Option<Result<Map<String, Value>, String>> {
    None
}
