//! What may still be asked back for a line of an order.

use super::{
    aftersale::Aftersale,
    order::{Fund, Line, Order},
};
use crate::sandbox::{refusal::Refusal, state::State};

/// What a buyer claims.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Claim {
    /// Of which order.
    pub(in crate::sandbox) order_id: u64,
    /// Of which line of it.
    pub(in crate::sandbox) line: usize,
    /// Pieces.
    pub(in crate::sandbox) count: u64,
    /// How much, in fen.
    pub(in crate::sandbox) amount_fen: i64,
    /// An after-sale whose own share does not count.
    pub(in crate::sandbox) apart_from: Option<u64>,
}

impl Claim {
    /// What an after-sale claims, as it stands.
    pub(in crate::sandbox) fn of(aftersale: &Aftersale) -> Self {
        Self {
            order_id: aftersale.order_id,
            line: aftersale.line,
            count: aftersale.count,
            amount_fen: aftersale.request.amount_fen,
            apart_from: Some(aftersale.aftersale_id),
        }
    }

    /// How much of the amount is freight.
    ///
    /// 1010011 where there is no such order, 2747002 where it takes no after-sale or has not so
    /// many pieces left, 2747014 where it has not so much money left. What other after-sales
    /// claim counts as gone.
    pub(in crate::sandbox) fn check(self, state: &State) -> Result<i64, Refusal> {
        let order = state.shop.orders.order(self.order_id);
        let order = order.ok_or_else(|| Refusal::new(1_010_011))?;
        check_open(order)?;
        let line = order.lines.get(self.line).ok_or_else(|| Refusal::new(1_020_004))?;
        let left = self.left(state, order, line);
        if !(1..=left.count).contains(&self.count) {
            let text = format_args!("product_cnt {}, {} are left", self.count, left.count);
            return Err(Refusal::with(2_747_002, text));
        }
        let most_fen = left.goods_fen.saturating_add(left.freight_fen);
        if !(0..=most_fen).contains(&self.amount_fen) {
            let text = format_args!("orderamt {}, at most {most_fen}", self.amount_fen);
            return Err(Refusal::with(2_747_014, text));
        }
        Ok(self.amount_fen.saturating_sub(left.goods_fen).max(0))
    }

    fn left(self, state: &State, order: &Order, line: &Line) -> Left {
        let mut left = Left {
            count: line.refundable(),
            goods_fen: line.refundable_fen(),
            freight_fen: order.refundable_freight_fen(),
        };
        let others = state.shop.aftersales.of_order(self.order_id);
        let others = others.filter(|one| Some(one.aftersale_id) != self.apart_from);
        for other in others.filter(|one| one.status.is_pending()) {
            left.freight_fen = left.freight_fen.saturating_sub(other.request.freight_fen);
            if other.line == self.line {
                let goods_fen = other.request.amount_fen.saturating_sub(other.request.freight_fen);
                left.goods_fen = left.goods_fen.saturating_sub(goods_fen);
                left.count = left.count.saturating_sub(other.count);
            }
        }
        left.freight_fen = left.freight_fen.max(0);
        left
    }
}

/// What nobody has claimed.
struct Left {
    count: u64,
    goods_fen: i64,
    freight_fen: i64,
}

/// Orders of the dedicated account that were paid and not settled.
fn check_open(order: &Order) -> Result<(), Refusal> {
    let problem = match order.fund {
        Fund::Own => "fund_type of the order is 0".to_owned(),
        Fund::Dedicated if order.is_settled => "the order is settled".to_owned(),
        Fund::Dedicated if order.status.is_paid() => return Ok(()),
        Fund::Dedicated => format!("status of the order is {}", order.status as u16),
    };
    Err(Refusal::with(2_747_002, problem))
}
