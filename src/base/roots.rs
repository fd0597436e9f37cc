//! Which certificate authorities an outgoing connection trusts.

use std::path::PathBuf;

/// `ca`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Roots {
    /// The system's store; the bundled roots where it is empty.
    System,
    /// Mozilla's roots, as of the build.
    Bundled,
    /// A PEM file (absolute path).
    File(PathBuf),
}
