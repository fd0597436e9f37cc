//! One thing beside orders that happens by itself when its time has come.

use serde::{Deserialize, Serialize};

use super::{
    applyment, code, coupon, pay_order_moves, sharer, sharer::BindStatus, user_coupon, withdrawal,
};
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
    /// A person answers an invitation.
    SharerAnswer {
        /// Who.
        openid: String,
        /// Which invitation it is.
        invitation: u64,
        /// The answer.
        answer: BindStatus,
    },
    /// The application for the merchant account is decided.
    Applyment {
        /// The platform's id.
        applyment_id: u64,
    },
    /// A payment order is paid.
    PayOrderPayment {
        /// The merchant's number.
        trade_no: String,
    },
    /// A payment order was not paid in time.
    PayOrderEnd {
        /// The merchant's number.
        trade_no: String,
    },
    /// A refund of a payment order ends.
    PayOrderRefund {
        /// The merchant's number.
        trade_no: String,
        /// The merchant's number of the refund.
        refund_no: String,
    },
    /// A payment order is settled.
    PayOrderSettlement {
        /// The merchant's number.
        trade_no: String,
    },
    /// A confirmation code is scanned.
    CodeScan {
        /// Its ticket.
        ticket: String,
    },
    /// A confirmation code is too old.
    CodeEnd {
        /// Its ticket.
        ticket: String,
    },
    /// The bank answers to a withdrawal.
    Withdrawal {
        /// Its number.
        out_request_no: String,
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
            Self::SharerAnswer { openid, invitation, answer } => {
                sharer::answer_due(world, &openid, invitation, answer);
            }
            Self::Applyment { applyment_id } => applyment::decide_due(world, applyment_id),
            // What was paid, closed or settled before stays as it is.
            Self::PayOrderPayment { trade_no } => {
                pay_order_moves::pay(world, &trade_no);
            }
            Self::PayOrderEnd { trade_no } => {
                pay_order_moves::close(world, &trade_no);
            }
            Self::PayOrderRefund { trade_no, refund_no } => {
                pay_order_moves::refund_due(world, &trade_no, &refund_no);
            }
            Self::PayOrderSettlement { trade_no } => {
                pay_order_moves::settle(world, &trade_no);
            }
            Self::CodeScan { ticket } => {
                code::scan(world, &ticket);
            }
            Self::CodeEnd { ticket } => code::end_due(world, &ticket),
            Self::Withdrawal { out_request_no } => {
                withdrawal::finish_due(world, &out_request_no);
            }
        }
    }
}
