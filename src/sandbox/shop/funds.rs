//! The money of the dedicated merchant account.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{code::Code, fields::Fields, withdrawal::Withdrawal};
use crate::sandbox::{moment, world::World};

/// What is there, how it came and went, and where it is withdrawn to.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Funds {
    /// Settled, in fen.
    pub(in crate::sandbox) available_fen: i64,
    /// Paid by buyers and not settled yet, in fen.
    pub(in crate::sandbox) pending_fen: i64,
    /// Oldest first; when there are too many, the oldest go.
    flows: VecDeque<Flow>,
    /// As it was set; empty before.
    pub(in crate::sandbox) bank_account: Fields,
    /// Oldest first.
    pub(in crate::sandbox) withdrawals: Vec<Withdrawal>,
    /// Codes that confirm something, by their tickets.
    pub(in crate::sandbox) codes: BTreeMap<String, Code>,
}

/// Money that came or went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Flow {
    /// Its id: of the transaction, the refund, the withdrawal.
    pub(in crate::sandbox) id: String,
    kind: FlowKind,
    amount_fen: i64,
    /// What the account held afterwards, settled or not.
    balance_fen: i64,
    /// The merchant's number of the order, or the withdrawal's.
    request_no: String,
    booked_ms: i64,
}

/// Why it came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum FlowKind {
    /// A buyer paid.
    Sale,
    /// A buyer got money back.
    Refund,
    /// The merchant withdrew.
    Withdrawal,
    /// A withdrawal failed.
    Return,
}

impl FlowKind {
    /// Kind, direction and business as texts; the documents show those of a sale.
    fn texts(self) -> [&'static str; 3] {
        match self {
            Self::Sale => ["交易", "收入", "订单"],
            Self::Refund => ["退款", "支出", "订单"],
            Self::Withdrawal => ["提现", "支出", "提现"],
            Self::Return => ["提现退回", "收入", "提现"],
        }
    }
}

impl Funds {
    /// The flow of that id.
    pub(in crate::sandbox) fn flow(&self, id: &str) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == id)
    }

    /// What was booked on that day.
    pub(in crate::sandbox) fn flows_on(&self, day: i64) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(move |flow| moment::day(flow.booked_ms) == day)
    }
}

impl Flow {
    /// As the calls show it: in yuan, unlike all other calls.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        let [kind, direction, business] = self.kind.texts();
        json!({
            "funds_flow_id": self.id,
            "type": kind,
            "flow_type": direction,
            "amount": yuan(self.amount_fen),
            "balance": yuan(self.balance_fen),
            "busi_type": business,
            "request_no": self.request_no,
            "bookkeeping_time": moment::text(self.booked_ms),
        })
    }
}

/// A buyer paid `fen`, which wait for their settlement.
pub(in crate::sandbox) fn receive(world: &mut World<'_>, id: &str, request_no: &str, fen: i64) {
    let funds = &mut world.state.shop.funds;
    funds.pending_fen = funds.pending_fen.saturating_add(fen);
    book(world, FlowKind::Sale, id, request_no, fen);
}

/// Money of a sale becomes available.
pub(in crate::sandbox) fn settle(world: &mut World<'_>, fen: i64) {
    let funds = &mut world.state.shop.funds;
    funds.pending_fen = funds.pending_fen.saturating_sub(fen);
    funds.available_fen = funds.available_fen.saturating_add(fen);
}

/// A buyer gets money back, from what was settled or from what was not.
pub(in crate::sandbox) fn give_back(
    world: &mut World<'_>,
    request_no: &str,
    fen: i64,
    is_settled: bool,
) -> String {
    let funds = &mut world.state.shop.funds;
    let from = if is_settled { &mut funds.available_fen } else { &mut funds.pending_fen };
    *from = from.saturating_sub(fen);
    let refund_id = refund_id(world);
    book(world, FlowKind::Refund, &refund_id, request_no, fen);
    refund_id
}

/// Money leaves for the bank, or comes back from it.
pub(in crate::sandbox) fn transfer(
    world: &mut World<'_>,
    kind: FlowKind,
    out_request_no: &str,
    fen: i64,
) {
    let funds = &mut world.state.shop.funds;
    let change = match kind {
        FlowKind::Withdrawal | FlowKind::Refund => -fen,
        FlowKind::Return | FlowKind::Sale => fen,
    };
    funds.available_fen = funds.available_fen.saturating_add(change);
    let id = match kind {
        FlowKind::Return => format!("{out_request_no}R"),
        FlowKind::Withdrawal | FlowKind::Refund | FlowKind::Sale => out_request_no.to_owned(),
    };
    book(world, kind, &id, out_request_no, fen);
}

fn book(world: &mut World<'_>, kind: FlowKind, id: &str, request_no: &str, fen: i64) {
    let booked_ms = world.now_ms;
    let funds = &mut world.state.shop.funds;
    if funds.flows.len() >= MOST_FLOWS {
        funds.flows.pop_front();
    }
    funds.flows.push_back(Flow {
        id: id.to_owned(),
        kind,
        amount_fen: fen,
        balance_fen: funds.available_fen.saturating_add(funds.pending_fen),
        request_no: request_no.to_owned(),
        booked_ms,
    });
}

/// As in `50300802762022061914290076341` of the documents: the day in the middle.
fn refund_id(world: &World<'_>) -> String {
    let serial = world.account.ids.next() % 10_000_000_000;
    format!("50300802762{}{serial:010}", day_digits(world.now_ms))
}

/// `20220619`.
pub(in crate::sandbox) fn day_digits(now_ms: i64) -> String {
    moment::text(now_ms).chars().filter(char::is_ascii_digit).take(8).collect()
}

/// `1820.50`.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.unsigned_abs() / 100, fen.unsigned_abs() % 100)
}

const MOST_FLOWS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_yuan() {
        for (fen, text) in [(182_050, "1820.50"), (5, "0.05"), (0, "0.00"), (-150, "-1.50")] {
            assert_eq!(yuan(fen), text);
        }
        assert_eq!(day_digits(1_767_196_800_000), "20260101");
    }
}
