//! One thing beside orders that happens by itself when its time has come.

use serde::{Deserialize, Serialize};

use super::{coupon, user_coupon};
use crate::sandbox::world::World;

/// What happens, to coupons, sharers, accounts and money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum ShopDue {
    /// The time of a coupon is over.
    CouponEnd {
        /// The merchant's id.
        out_coupon_id: String,
    },
    /// The same of what a user holds.
    UserCouponEnd {
        /// The merchant's id.
        out_user_coupon_id: String,
    },
}

impl ShopDue {
    /// Lets it happen; the world's time is that of the entry.
    pub(in crate::sandbox) fn happen(self, world: &mut World<'_>) {
        match self {
            Self::CouponEnd { out_coupon_id } => coupon::end_due(world, &out_coupon_id),
            Self::UserCouponEnd { out_user_coupon_id } => {
                user_coupon::end_due(world, &out_user_coupon_id);
            }
        }
    }
}
