//! Why a try gave no answer.

use crate::wire::WireError;

/// The error, and whether another upstream may be asked whatever the call does.
pub(super) struct Failed {
    pub(super) error: WireError,
    pub(super) nothing_was_sent: bool,
}

impl From<WireError> for Failed {
    fn from(error: WireError) -> Self {
        Self { nothing_was_sent: error.nothing_was_sent(), error }
    }
}
