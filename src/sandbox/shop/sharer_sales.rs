//! What was sold through a sharer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    fields::{at, text},
    order::Order,
};
use crate::sandbox::{ids::derived_text, moment, state::State};

/// Orders that are credited to somebody, oldest first.
#[derive(Debug)]
pub(in crate::sandbox) struct Sales<'a> {
    /// The orders.
    pub(in crate::sandbox) orders: Vec<&'a Order>,
}

/// What was sold in one live.
#[derive(Debug)]
pub(in crate::sandbox) struct Live<'a> {
    /// Its id.
    pub(in crate::sandbox) export_id: String,
    /// Whose live it was.
    nickname: &'a str,
    started_s: i64,
    /// What was sold in it.
    pub(in crate::sandbox) sales: Sales<'a>,
}

/// Paid orders that are credited to the sharer and were not refunded altogether: turnover is
/// "valid turnover".
pub(in crate::sandbox) fn of<'a>(state: &'a State, openid: &str) -> Sales<'a> {
    let orders = state.shop.orders.all().filter(|order| {
        order.status.is_paid() && text(&order.promotion, "sharer_openid") == Some(openid)
    });
    Sales { orders: orders.collect() }
}

impl<'a> Sales<'a> {
    /// What was paid and not paid back, in fen.
    pub(in crate::sandbox) fn turnover_fen(&self) -> i64 {
        let valid = |order: &&Order| {
            let refunded: i64 = order.lines.iter().map(|line| line.refunded_fen).sum();
            order.price_fen.saturating_sub(refunded)
        };
        self.orders.iter().map(valid).fold(0, i64::saturating_add)
    }

    /// How many people bought.
    pub(in crate::sandbox) fn buyers(&self) -> usize {
        self.orders.iter().map(|order| &order.openid).collect::<BTreeSet<_>>().len()
    }

    /// The same by lives, in the order of their first sale.
    pub(in crate::sandbox) fn lives(self) -> Vec<Live<'a>> {
        let mut lives: Vec<Live<'a>> = Vec::new();
        for order in self.orders {
            let export_id = export_id(order);
            match lives.iter_mut().find(|live| live.export_id == export_id) {
                Some(live) => live.sales.orders.push(order),
                None => lives.push(Live {
                    export_id,
                    nickname: text(&order.promotion, "finder_nickname").unwrap_or_default(),
                    started_s: started_s(order),
                    sales: Sales { orders: vec![order] },
                }),
            }
        }
        lives
    }
}

impl Live<'_> {
    /// As the list shows it. When a live ended, nothing here knows.
    pub(in crate::sandbox) fn to_json(&self, status: u64) -> Value {
        json!({
            "live_export_id": self.export_id,
            "live_nickname": self.nickname,
            "live_start_time": self.started_s,
            "live_status": status,
            "gmv": self.sales.turnover_fen(),
            "order_cnt": self.sales.orders.len(),
            "user_cnt": self.sales.buyers(),
        })
    }
}

/// The attribution of an order names the account and the start of the live, which together are
/// the live; its id is always the same for both.
fn export_id(order: &Order) -> String {
    let account = text(&order.promotion, "finder_nickname").unwrap_or_default();
    let live = format!("live of {account} at {}", started_s(order));
    format!("export/lv_{}", derived_text(live.as_bytes(), 8))
}

/// Written as a date or as Unix seconds.
fn started_s(order: &Order) -> i64 {
    let Some(started) = at(&order.promotion, "live_start_time") else { return 0 };
    let of_text = |text: &str| {
        moment::parse(text).map(|at_ms| at_ms / 1000).or_else(|| text.parse::<i64>().ok())
    };
    started.as_i64().or_else(|| of_text(started.as_str()?)).unwrap_or_default()
}
