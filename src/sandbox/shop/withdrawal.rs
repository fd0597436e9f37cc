//! Money on its way from the merchant account to the bank.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    demand,
    fields::text,
    funds::{self, FlowKind},
    shop_due::ShopDue,
};
use crate::sandbox::{due::Due, refusal::Refusal, settings::Settings, world::World};

/// One withdrawal. Its amount is taken out of the account when it is submitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Withdrawal {
    /// Its number.
    pub(in crate::sandbox) out_request_no: String,
    amount_fen: i64,
    remark: String,
    bank_memo: String,
    bank_name: String,
    bank_num: String,
    stage: Stage,
    /// Why it failed.
    reason: String,
    created_s: i64,
    updated_s: i64,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Somebody has to scan its code.
    Unconfirmed,
    /// The bank has it.
    Underway,
    /// It arrived.
    Done,
    /// It did not, and the money came back.
    Failed,
}

/// What the merchant asks for.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Wish<'a> {
    /// In fen.
    pub(in crate::sandbox) amount_fen: i64,
    /// A note.
    pub(in crate::sandbox) remark: &'a str,
    /// A note for the bank.
    pub(in crate::sandbox) bank_memo: &'a str,
}

impl Withdrawal {
    /// As the detail shows it.
    pub(in crate::sandbox) fn to_json(&self, settings: &Settings) -> Value {
        let [unconfirmed, underway, done, failed] = &settings.shop.withdraw_statuses;
        let status = match self.stage {
            Stage::Unconfirmed => unconfirmed,
            Stage::Underway => underway,
            Stage::Done => done,
            Stage::Failed => failed,
        };
        json!({
            "amount": self.amount_fen,
            "remark": self.remark,
            "bank_memo": self.bank_memo,
            "bank_name": self.bank_name,
            "bank_num": self.bank_num,
            "status": status,
            "reason": self.reason,
            "create_time": self.created_s,
            "update_time": self.updated_s,
        })
    }
}

/// Takes the money out of the account; the number of the withdrawal.
pub(in crate::sandbox) fn submit(world: &mut World<'_>, wish: Wish<'_>) -> Result<String, Refusal> {
    let settings = &world.state.settings;
    let funds = &world.state.shop.funds;
    if !(1..=funds.available_fen).contains(&wish.amount_fen) {
        let most = funds.available_fen;
        return Err(demand::wrong(settings, format_args!("amount is from 1 to {most}")));
    }
    if funds.withdrawals.len() >= MOST_WITHDRAWALS {
        return Err(demand::full());
    }
    let bank = |name: &str| text(&funds.bank_account, name).unwrap_or_default().to_owned();
    let serial = funds.withdrawals.len() + 1;
    let mchid = world.account.mchid();
    let day = funds::day_digits(world.now_ms);
    let now_s = world.now_ms / 1000;
    let withdrawal = Withdrawal {
        out_request_no: format!("wd{mchid}{day}{serial:05}"),
        amount_fen: wish.amount_fen,
        remark: wish.remark.to_owned(),
        bank_memo: wish.bank_memo.to_owned(),
        bank_name: bank("account_bank"),
        bank_num: bank("account_number"),
        stage: Stage::Unconfirmed,
        reason: String::new(),
        created_s: now_s,
        updated_s: now_s,
    };
    let number = withdrawal.out_request_no.clone();
    world.state.shop.funds.withdrawals.push(withdrawal);
    funds::transfer(world, FlowKind::Withdrawal, &number, wish.amount_fen);
    Ok(number)
}

/// Its code was scanned: the bank has it, and answers as the switch says.
pub(in crate::sandbox) fn confirm(world: &mut World<'_>, number: &str) {
    if shift(world, number, Stage::Unconfirmed, Stage::Underway, "").is_some() {
        let delay_ms = i64::from(world.state.settings.shop.withdraw_delay_s) * 1000;
        let out_request_no = number.to_owned();
        world.later(delay_ms, Due::Shop(ShopDue::Withdrawal { out_request_no }));
    }
}

/// Nobody scanned its code in time.
pub(in crate::sandbox) fn drop_unconfirmed(world: &mut World<'_>, number: &str) {
    give_up(world, number, Stage::Unconfirmed, "not confirmed in time");
}

/// The bank answers as the switch says, unless somebody has answered before.
pub(in crate::sandbox) fn finish_due(world: &mut World<'_>, number: &str) {
    let reason = world.state.settings.shop.withdraw_fail_reason.clone();
    finish(world, number, reason.as_deref());
}

/// The bank has paid it out, or has not; the platform tells of it. False if nothing of that
/// number is under way.
pub(in crate::sandbox) fn finish(
    world: &mut World<'_>,
    number: &str,
    fail_reason: Option<&str>,
) -> bool {
    match fail_reason {
        Some(reason) => give_up(world, number, Stage::Underway, reason),
        None => {
            let is_done = shift(world, number, Stage::Underway, Stage::Done, "").is_some();
            if is_done {
                tell(world, number, 2);
            }
            is_done
        }
    }
}

/// The money comes back.
fn give_up(world: &mut World<'_>, number: &str, from: Stage, reason: &str) -> bool {
    let Some(amount_fen) = shift(world, number, from, Stage::Failed, reason) else { return false };
    funds::transfer(world, FlowKind::Return, number, amount_fen);
    tell(world, number, 3);
    true
}

/// Moves a withdrawal; its amount, or none where it is not at `from`.
fn shift(world: &mut World<'_>, number: &str, from: Stage, to: Stage, reason: &str) -> Option<i64> {
    let now_s = world.now_ms / 1000;
    let mut all = world.state.shop.funds.withdrawals.iter_mut();
    let found = all.find(|one| one.out_request_no == number && one.stage == from)?;
    found.stage = to;
    reason.clone_into(&mut found.reason);
    found.updated_s = now_s;
    Some(found.amount_fen)
}

/// What `event` holds is not documented: the word of the new status.
fn tell(world: &mut World<'_>, number: &str, status: usize) {
    let event = world.state.settings.shop.withdraw_statuses.get(status).cloned();
    let body = json!({ "out_request_no": number, "event": event });
    world.tell("withdraw_notify", Map::from_iter([("withdraw_info".to_owned(), body)]));
}

const MOST_WITHDRAWALS: usize = 20_000;
