//! All orders of an account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    fields::{Fields, number, text},
    order::Order,
};
use crate::sandbox::refusal::Refusal;

/// Orders by the platform's id, which grows, so that the order is that of their creation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct OrderBook {
    orders: BTreeMap<u64, Order>,
    by_out_order_id: BTreeMap<String, u64>,
}

impl OrderBook {
    /// Puts an order in, in place of the one of its id.
    pub(in crate::sandbox) fn put(&mut self, order: Order) -> Result<(), Refusal> {
        let is_new = !self.orders.contains_key(&order.order_id);
        if is_new && self.orders.len() >= MOST_ORDERS {
            return Err(Refusal::with(-1, "the sandbox is full, reset it"));
        }
        self.by_out_order_id.insert(order.out_order_id.clone(), order.order_id);
        self.orders.insert(order.order_id, order);
        Ok(())
    }

    /// The id of an order that follows on all others.
    pub(in crate::sandbox) fn next_id(&self, step: u64) -> u64 {
        let newest = self.orders.last_key_value().map_or(FIRST_ID, |(id, _)| *id);
        newest.saturating_add(1 + step % LONGEST_STEP)
    }

    /// The order that the merchant calls so.
    pub(in crate::sandbox) fn by_out_order_id(&self, out_order_id: &str) -> Option<&Order> {
        self.orders.get(self.by_out_order_id.get(out_order_id)?)
    }

    /// An order.
    pub(in crate::sandbox) fn order(&self, order_id: u64) -> Option<&Order> {
        self.orders.get(&order_id)
    }

    /// An order, to be changed.
    pub(in crate::sandbox) fn order_mut(&mut self, order_id: u64) -> Option<&mut Order> {
        self.orders.get_mut(&order_id)
    }

    /// The order that a body names by either id, or by both where they agree: 1010011 where
    /// there is none, or it is another buyer's.
    pub(in crate::sandbox) fn find(&self, body: &Fields) -> Result<&Order, Refusal> {
        let missing = || Refusal::new(1_010_011);
        let by_id = number(body, "order_id").filter(|id| *id != 0);
        let order = match (by_id, text(body, "out_order_id")) {
            (Some(id), _) => self.orders.get(&id),
            (None, Some(out)) => self.by_out_order_id(out),
            (None, None) => None,
        };
        let order = order.ok_or_else(missing)?;
        let is_same = text(body, "out_order_id").is_none_or(|out| out == order.out_order_id);
        let is_buyers = text(body, "openid").is_none_or(|openid| openid == order.openid);
        if is_same && is_buyers { Ok(order) } else { Err(missing()) }
    }

    /// All orders, oldest first.
    pub(in crate::sandbox) fn all(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.orders.values()
    }

    /// How many orders there are.
    pub(in crate::sandbox) fn len(&self) -> usize {
        self.orders.len()
    }
}

/// Above 2^53, where a reader that takes numbers for doubles loses digits.
const FIRST_ID: u64 = 3_305_216_840_000_000_000;
const LONGEST_STEP: u64 = 100_000_000;
const MOST_ORDERS: usize = 50_000;
