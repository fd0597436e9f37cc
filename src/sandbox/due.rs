//! One thing that happens by itself when its time has come.

use serde::{Deserialize, Serialize};

use super::{
    content::publications,
    open,
    shipping::moves,
    shop::{
        access_calls, aftersale_time, audit, order_moves, product_audit, scene_audit,
        shop_due::ShopDue,
    },
    world::World,
};

/// What happens. Each checks whether it still applies: what it belongs to may have moved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Due {
    /// The audit of a product is decided.
    ProductAudit {
        /// The merchant's id.
        out_product_id: String,
    },
    /// The audit of a category or a brand is decided.
    Audit {
        /// Its id.
        audit_id: String,
    },
    /// An order was not paid in time.
    OrderExpiry {
        /// The platform's id.
        order_id: u64,
    },
    /// After-sales of an order end.
    Settlement {
        /// The platform's id.
        order_id: u64,
    },
    /// A state of an after-sale leads to the next.
    AftersaleStep {
        /// The platform's id.
        aftersale_id: u64,
        /// Which state it was.
        step: u32,
    },
    /// The component opens.
    Registration,
    /// A draft comes out.
    Publication {
        /// The number of its publication.
        publish_id: String,
    },
    /// Nothing was shipped for a payment.
    ShippingReminder {
        /// Its number.
        transaction_id: String,
    },
    /// A buyer has what was shipped.
    Receipt {
        /// The number of the payment.
        transaction_id: String,
        /// Which shipping it is.
        shipping: u32,
    },
    /// The audit of the scene group is decided.
    SceneAudit {
        /// Which application it is.
        applied: u32,
    },
    /// Something beside orders.
    Shop(ShopDue),
    /// A third-party platform is given its next ticket.
    ComponentTicket,
}

impl Due {
    /// Lets it happen; the world's time is that of the entry.
    pub(super) fn happen(self, world: &mut World<'_>) {
        match self {
            Self::ProductAudit { out_product_id } => {
                product_audit::decide_due(world, &out_product_id);
            }
            Self::Audit { audit_id } => audit::decide_due(world, &audit_id),
            Self::OrderExpiry { order_id } => order_moves::expire_due(world, order_id),
            Self::Settlement { order_id } => order_moves::settle_due(world, order_id),
            Self::AftersaleStep { aftersale_id, step } => {
                aftersale_time::step_due(world, aftersale_id, step);
            }
            Self::Registration => access_calls::join(world),
            Self::Publication { publish_id } => publications::finish(world, &publish_id),
            Self::ShippingReminder { transaction_id } => moves::remind_due(world, &transaction_id),
            Self::Receipt { transaction_id, shipping } => {
                moves::receive_due(world, &transaction_id, shipping);
            }
            Self::SceneAudit { applied } => scene_audit::decide_due(world, applied),
            Self::Shop(due) => due.happen(world),
            Self::ComponentTicket => open::ticket::deliver_due(world),
        }
    }
}
