//! The switches of third-party platforms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A part of the account's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Switches {
    /// Whether a third-party platform is given a ticket each ten minutes.
    pub(super) component_tickets: bool,
    /// Life of pre-authorization codes in seconds: the text says 1800, the example 600.
    pub(super) preauth_code_life_s: u32,
    /// Life of authorization codes, in seconds; not documented.
    pub(super) authorization_code_life_s: u32,
    /// Paths that a third-party platform may call only with a permission set (`func_info`), by
    /// the number of the set: 61007 without. All other paths need none.
    pub(super) permission_sets: BTreeMap<String, Vec<String>>,
    /// Whether an account's own tokens and those of third-party platforms leave each other
    /// alone. Not documented.
    pub(super) acting_tokens_apart: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            component_tickets: true,
            preauth_code_life_s: 1800,
            authorization_code_life_s: 600,
            permission_sets: BTreeMap::new(),
            acting_tokens_apart: true,
        }
    }
}

impl Switches {
    /// The numbers of the permission sets that have paths.
    pub(super) fn set_numbers(&self) -> impl Iterator<Item = u32> {
        self.permission_sets.keys().filter_map(|number| number.parse().ok())
    }
}
