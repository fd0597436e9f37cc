//! An account at work: its state, open for change at a moment.

use serde_json::{Map, Value};

use super::{account::Account, due::Due, ids::derived_text, state::State};

/// What calls, control and the agenda change things with.
pub(super) struct World<'a> {
    /// Whose state it is.
    pub(super) account: &'a Account,
    /// The state, locked.
    pub(super) state: &'a mut State,
    /// The account's time.
    pub(super) now_ms: i64,
}

impl World<'_> {
    /// Enters `what` to happen in `delay_ms`.
    pub(super) fn later(&mut self, delay_ms: i64, what: Due) {
        self.state.agenda.enter(self.now_ms.saturating_add(delay_ms), what);
    }

    /// Tells of the event called `name`, whose `fields` stand beside the envelope; its number.
    pub(super) fn tell(&mut self, name: &str, fields: Map<String, Value>) -> u64 {
        let sender = self.account.platform_openid();
        self.tell_from(&sender, name, fields)
    }

    /// The same, from a user.
    pub(super) fn tell_from(
        &mut self,
        sender: &str,
        name: &str,
        fields: Map<String, Value>,
    ) -> u64 {
        let mut message = fields;
        message.insert("ToUserName".to_owned(), self.account.original_id().into());
        message.insert("FromUserName".to_owned(), sender.into());
        message.insert("CreateTime".to_owned(), (self.now_ms / 1000).into());
        message.insert("MsgType".to_owned(), "event".into());
        message.insert("Event".to_owned(), name.into());
        self.tell_message(name, message)
    }

    /// Tells of a whole message, envelope included, and enters its push.
    pub(super) fn tell_message(&mut self, name: &str, message: Map<String, Value>) -> u64 {
        let seq = self.state.events.tell(name, message, self.now_ms);
        self.state.push.enter(seq, name, self.now_ms);
        seq
    }

    /// A number of so many digits, or one above 2^53 where large ids are asked for.
    pub(super) fn number(&self, digits: u32) -> u64 {
        let lowest =
            if self.state.settings.large_ids { 1 << 60 } else { 10_u64.pow(digits.max(1) - 1) };
        lowest + self.account.ids.next() % (8 * lowest)
    }

    /// `length` characters of `[A-Za-z0-9_-]`.
    pub(super) fn text(&self, length: usize) -> String {
        self.account.ids.text(length)
    }
}

impl Account {
    /// `ToUserName` of pushes: the original id that the console shows for the app.
    pub(super) fn original_id(&self) -> String {
        let text = derived_text(self.identity.app_id.as_bytes(), 24);
        let hex: String =
            text.bytes().map(|byte| char::from(HEX[usize::from(byte & 15)])).collect();
        format!("gh_{}", &hex[..12])
    }

    /// `FromUserName` of events that no user caused: one fixed openid of the platform.
    pub(super) fn platform_openid(&self) -> String {
        let seed = format!("platform of {}", self.identity.app_id);
        format!("o{}", derived_text(seed.as_bytes(), 27))
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";
