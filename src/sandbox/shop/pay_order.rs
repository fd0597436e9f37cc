//! Orders of the payment management: money without goods.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::demand;
use crate::sandbox::{refusal::Refusal, settings::Settings};

/// All of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct PayOrders {
    /// By the merchant's trade number.
    orders: BTreeMap<String, PayOrder>,
    /// Trade numbers in the order of creation.
    sequence: Vec<String>,
}

/// One order; those that are paid together share a combined number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct PayOrder {
    /// Merchant account.
    pub(in crate::sandbox) mchid: String,
    /// The merchant's number.
    pub(in crate::sandbox) trade_no: String,
    /// The number that it is paid by.
    pub(in crate::sandbox) combine_trade_no: String,
    /// Payer.
    pub(in crate::sandbox) openid: String,
    /// What it is for.
    pub(in crate::sandbox) description: String,
    /// In fen.
    pub(in crate::sandbox) amount_fen: i64,
    /// Where it stands.
    pub(in crate::sandbox) stage: PayStage,
    /// Of the payment; empty before.
    pub(in crate::sandbox) transaction_id: String,
    /// Unix seconds, as the following.
    pub(in crate::sandbox) created_s: i64,
    /// When it last changed.
    pub(in crate::sandbox) updated_s: i64,
    /// When it was paid; 0 before.
    pub(in crate::sandbox) paid_s: i64,
    /// Until when it can be paid.
    pub(in crate::sandbox) expire_s: i64,
    /// Money that goes back, or went.
    pub(in crate::sandbox) refunds: Vec<Transfer>,
    /// Its settlement.
    pub(in crate::sandbox) sharing: Option<Transfer>,
    /// Days from the payment to the settlement.
    pub(in crate::sandbox) sharing_delay_days: u32,
}

/// Where a payment order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum PayStage {
    /// It waits for the payer.
    ToPay,
    /// It is paid.
    Paid,
    /// It was closed, or its time is over.
    Closed,
}

/// Money that moves because of an order: a refund or a settlement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Transfer {
    /// The merchant's number.
    pub(in crate::sandbox) number: String,
    /// The platform's id; empty until it is finished.
    pub(in crate::sandbox) id: String,
    /// In fen.
    pub(in crate::sandbox) amount_fen: i64,
    /// Unix seconds.
    pub(in crate::sandbox) created_s: i64,
    /// Unix seconds; 0 until it is finished.
    pub(in crate::sandbox) finished_s: i64,
    /// SUCCESS, or another end; empty until it is finished.
    pub(in crate::sandbox) result: String,
}

impl Transfer {
    /// Whether money has moved or is going to.
    fn is_alive(&self) -> bool {
        self.finished_s == 0 || self.result == SUCCESS
    }

    fn to_json(&self, number: &str, id: &str) -> Value {
        json!({
            number: self.number,
            id: self.id,
            "amount": self.amount_fen,
            "create_time": self.created_s,
            "finish_time": self.finished_s,
            "result": if self.finished_s == 0 { PROCESSING } else { &self.result },
        })
    }
}

impl PayOrders {
    /// The order of that number.
    pub(in crate::sandbox) fn find(&self, trade_no: &str) -> Option<&PayOrder> {
        self.orders.get(trade_no)
    }

    /// The same, to be changed.
    pub(in crate::sandbox) fn find_mut(&mut self, trade_no: &str) -> Option<&mut PayOrder> {
        self.orders.get_mut(trade_no)
    }

    /// The trade numbers that are paid by one combined number.
    pub(in crate::sandbox) fn combined(&self, combine_trade_no: &str) -> Vec<String> {
        let all = self.orders.values().filter(|one| one.combine_trade_no == combine_trade_no);
        all.map(|one| one.trade_no.clone()).collect()
    }

    /// The trade number that belongs to a transaction.
    pub(in crate::sandbox) fn of_transaction(&self, transaction_id: &str) -> Option<&str> {
        let found = self.orders.values().find(|one| one.transaction_id == transaction_id);
        found.map(|one| one.trade_no.as_str())
    }

    /// Puts new orders in, all or none.
    pub(in crate::sandbox) fn add(
        &mut self,
        orders: Vec<PayOrder>,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        for (place, order) in orders.iter().enumerate() {
            let is_twice = orders.iter().skip(place + 1).any(|one| one.trade_no == order.trade_no);
            if is_twice || self.orders.contains_key(&order.trade_no) {
                return Err(demand::wrong(settings, "trade_no is taken"));
            }
        }
        if self.orders.len() + orders.len() > MOST_ORDERS {
            return Err(demand::full());
        }
        for order in orders {
            self.sequence.push(order.trade_no.clone());
            self.orders.insert(order.trade_no.clone(), order);
        }
        Ok(())
    }

    /// All orders with their positions, oldest first.
    pub(in crate::sandbox) fn all(&self) -> impl Iterator<Item = (usize, &PayOrder)> {
        let known = self.sequence.iter().enumerate();
        known.filter_map(|(place, trade_no)| Some((place, self.orders.get(trade_no)?)))
    }
}

impl PayOrder {
    /// What went back or is going to, in fen.
    pub(in crate::sandbox) fn refunded_fen(&self) -> i64 {
        let alive = self.refunds.iter().filter(|one| one.is_alive());
        alive.map(|one| one.amount_fen).fold(0, i64::saturating_add)
    }

    /// Whether its money is available to the merchant.
    pub(in crate::sandbox) fn is_settled(&self) -> bool {
        self.sharing.as_ref().is_some_and(|one| one.result == SUCCESS)
    }

    /// As the call shows it. Nothing here freezes a settlement.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        let refunds: Vec<Value> =
            self.refunds.iter().map(|one| one.to_json("refund_no", "refund_id")).collect();
        let sharings: Vec<Value> = self
            .sharing
            .iter()
            .map(|one| {
                let mut shown = one.to_json("profit_sharing_no", "profit_sharing_id");
                shown["mchid"] = json!(self.mchid);
                shown
            })
            .collect();
        json!({
            "mchid": self.mchid,
            "trade_no": self.trade_no,
            "combine_trade_no": self.combine_trade_no,
            "transaction_id": self.transaction_id,
            "amount": self.amount_fen,
            "description": self.description,
            "create_time": self.created_s,
            "update_time": self.updated_s,
            "pay_time": self.paid_s,
            "expire_time": self.expire_s,
            "refund_list": refunds,
            "profit_sharing_list": sharings,
            "profit_sharing_delay": self.sharing_delay_days,
            "profit_sharing_frozen": 0,
        })
    }
}

/// The end at which money has moved.
pub(in crate::sandbox) const SUCCESS: &str = "SUCCESS";
/// WeChat Pay's own word for what is not finished; the documents show none.
const PROCESSING: &str = "PROCESSING";
const MOST_ORDERS: usize = 50_000;
