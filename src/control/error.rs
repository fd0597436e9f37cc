//! Why the control socket cannot be served.

use std::{io, path::PathBuf};

/// What failed, and what to change.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket could not be made.
    #[error("cannot listen on the control socket {}; check that this user may write there", path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
