//! An account as one JSON document, to be restored later or elsewhere.

use std::io;

use serde::{Deserialize, Serialize};

use crate::base::kind::AccountKind;

use super::{account::Account, sim_clock::Setting, state::State, token_ledger::TAG_LENGTH};

/// Everything but the AppSecret. `S` is [`State`], or a borrowed one where it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot<S> {
    /// [`FORMAT`].
    pub(super) format: u32,
    /// The account's name then; it may be restored under another.
    pub(super) name: String,
    /// Whose it is.
    pub(super) app_id: String,
    /// What it is; in an older snapshot a mini program.
    #[serde(default = "usual_kind")]
    pub(super) kind: AccountKind,
    /// What stands in its tokens.
    pub(super) tag: String,
    /// When it was taken: a clock that ran runs on from here. None in a state file, whose
    /// clocks ran on meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) now_ms: Option<i64>,
    /// How the clock is set.
    pub(super) clock: Setting,
    /// Where the streams of ids are.
    pub(super) ids: Positions,
    /// Everything else.
    pub(super) state: S,
}

fn usual_kind() -> AccountKind {
    AccountKind::MiniProgram
}

/// Where the streams of ids of an account are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Positions {
    /// Products, media and the like.
    pub(super) things: u64,
    /// Keys and nonces of the message push.
    pub(super) pushes: u64,
    /// Rids.
    pub(super) rids: u64,
    /// Access tokens.
    pub(super) tokens: u64,
    /// Streams of chance.
    pub(super) chances: u64,
}

/// How a snapshot is going to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To go back to its moment.
    Restore,
    /// To go on after a restart.
    Resume,
}

impl Account {
    /// Writes a snapshot into `to`, under the account's lock.
    pub(super) fn write_snapshot(
        &self,
        purpose: Purpose,
        to: impl io::Write,
    ) -> Result<(), serde_json::Error> {
        let state = &*self.quiet_state();
        let now_ms = match purpose {
            Purpose::Restore => Some(self.now_ms()),
            Purpose::Resume => None,
        };
        let snapshot = Snapshot {
            format: FORMAT,
            name: self.identity.name.clone(),
            app_id: self.identity.app_id.clone(),
            kind: self.identity.kind,
            tag: self.tag.clone(),
            now_ms,
            clock: self.clock().setting(),
            ids: self.positions(),
            state,
        };
        serde_json::to_writer(to, &snapshot)
    }
}

impl Snapshot<State> {
    /// Reads what [`Account::write_snapshot`] wrote. An error says what is wrong and where.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        /// Enough to tell another version's document from a broken one.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let wrong = |error: serde_json::Error| format!("this is no snapshot: {error}");
        let Head { format } = serde_json::from_slice(text).map_err(wrong)?;
        if format != FORMAT {
            return Err(format!("this snapshot has format {format}; this version reads {FORMAT}"));
        }
        let snapshot: Self = serde_json::from_slice(text).map_err(wrong)?;
        snapshot.checked()
    }

    /// What serde cannot see.
    pub(super) fn checked(self) -> Result<Self, String> {
        let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.tag.len() != TAG_LENGTH || !self.tag.bytes().all(is_tag) {
            return Err(format!("`tag` has {TAG_LENGTH} characters of A-Z, a-z, 0-9, - and _"));
        }
        if !self.resumed().is_sane() {
            return Err("the clock lies before 1970 or after 2100".to_owned());
        }
        if !self.state.agenda.is_sane() {
            return Err("`agenda` holds too much".to_owned());
        }
        self.state.settings.check()?;
        self.state.faults.check()?;
        Ok(self)
    }

    /// The clock as it goes on now.
    pub(super) fn resumed(&self) -> Setting {
        match (self.clock, self.now_ms) {
            (Setting::Running { .. }, Some(now_ms)) => Setting::running_at(now_ms),
            (setting, _) => setting,
        }
    }
}

/// Changed when a snapshot could no longer be read by an older version, or mean another thing.
pub(super) const FORMAT: u32 = 1;
