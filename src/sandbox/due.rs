//! One thing that happens by itself when its time has come.

use serde::{Deserialize, Serialize};

use super::{shop::product_audit, world::World};

/// What happens. Each checks whether it still applies: what it belongs to may have moved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Due {
    /// The audit of a product is decided.
    ProductAudit {
        /// The merchant's id.
        out_product_id: String,
    },
}

impl Due {
    /// Lets it happen; the world's time is that of the entry.
    pub(super) fn happen(self, world: &mut World<'_>) {
        match self {
            Self::ProductAudit { out_product_id } => {
                product_audit::decide_due(world, &out_product_id);
            }
        }
    }
}
