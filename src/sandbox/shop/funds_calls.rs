//! Calls about the money of the merchant account.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    bank, code, demand,
    fields::{Fields, amount, at, number, text},
    withdrawal::{self, Wish},
};
use crate::sandbox::{
    call::Answer,
    calls::code_picture::{Look, draw},
    dispatch::{CallSpec, Cx},
    moment,
    refusal::Refusal,
    settings::Settings,
    state::State,
};

/// Fields as in the models of public SDKs (read 2026-08): no page of these calls was found.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/funds/scanorderflow", flows),
    CallSpec::shop("/shop/funds/getorderflow", flow),
    CallSpec::shop("/shop/funds/getbalance", balance),
    CallSpec::shop("/shop/funds/getbankaccount", bank_account),
    CallSpec::shop("/shop/funds/setbankaccount", set_bank_account),
    CallSpec::shop("/shop/funds/submitwithdraw", withdraw),
    CallSpec::shop("/shop/funds/scanwithdraw", withdrawals),
    CallSpec::shop("/shop/funds/getwithdrawdetail", withdrawal_detail),
    CallSpec::shop("/shop/funds/qrcode/gen", make_code),
    CallSpec::shop("/shop/funds/qrcode/get", show_code),
    CallSpec::shop("/shop/funds/qrcode/check", check_code),
];

/// The flows of one day, `yyyyMMdd`.
fn flows(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let date = text(cx.body(), "date").and_then(day);
    let date = date.ok_or_else(|| demand::wrong(&state.settings, "date is yyyyMMdd"))?;
    let (skipped, shown) = page(cx.body(), &state.settings)?;
    let ids: Vec<&str> = state.shop.funds.flows_on(date).map(|flow| flow.id.as_str()).collect();
    let page: Vec<&&str> = ids.iter().skip(skipped).take(shown).collect();
    Ok(cx.done(json!({ "funds_flow_ids": page, "total_num": ids.len() })))
}

fn day(date: &str) -> Option<i64> {
    let (year, month, day) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
    moment::parse(&format!("{year}-{month}-{day} 00:00:00")).map(moment::day)
}

fn flow(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let flow = state.shop.funds.flow(text(cx.body(), "funds_flow_id").unwrap_or_default());
    let flow = flow.ok_or_else(|| demand::wrong(&state.settings, "funds_flow_id is not known"))?;
    Ok(cx.done(json!({ "funds_flow": flow.to_json() })))
}

fn balance(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let funds = &state.shop.funds;
    Ok(cx.done(json!({ "balance_info": {
        "available_amount": funds.available_fen,
        "pending_amount": funds.pending_fen,
    } })))
}

/// Everything in it is empty until it is set.
fn bank_account(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(cx.done(json!({ "account_info": cx.state().shop.funds.bank_account })))
}

fn set_bank_account(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let settings = &state.settings;
    let name = |name: &str| demand::name(cx.body(), &format!("account_info.{name}"), settings);
    let kind = name("bank_account_type")?;
    if !matches!(kind, "ACCOUNT_TYPE_PRIVATE" | "ACCOUNT_TYPE_BUSINESS") {
        return Err(demand::wrong(settings, "account_info.bank_account_type"));
    }
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(name("account_number")?) || !is_number(name("bank_address_code")?) {
        return Err(demand::wrong(settings, "account_number and bank_address_code are digits"));
    }
    let has_branch = ["bank_branch_id", "bank_name"].iter().any(|field| name(field).is_ok());
    if bank::needs_branch(name("account_bank")?) && !has_branch {
        return Err(demand::wrong(settings, "the bank needs bank_branch_id or bank_name"));
    }
    let picked = BANK_ACCOUNT.iter().filter_map(|field| {
        let value = at(cx.body(), &format!("account_info.{field}"))?;
        Some(((*field).to_owned(), value.clone()))
    });
    state.shop.funds.bank_account = picked.collect();
    Ok(cx.done_plainly())
}

/// The money leaves the account at once; whoever scans the code sends it to the bank.
fn withdraw(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let note = |name: &str| match text(cx.body(), name) {
        Some(_) => demand::name(cx.body(), name, &state.settings),
        None => Ok(""),
    };
    let wish = Wish {
        amount_fen: amount(cx.body(), "amount").unwrap_or_default(),
        remark: note("remark")?,
        bank_memo: note("bank_memo")?,
    };
    let mut world = cx.world(state);
    let out_request_no = withdrawal::submit(&mut world, wish)?;
    let ticket = code::make(&mut world, 1, Some(out_request_no.clone()))?;
    Ok(cx.done(json!({ "out_request_no": out_request_no, "qrcode_ticket": ticket })))
}

fn withdrawals(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (skipped, shown) = page(cx.body(), &state.settings)?;
    let all = &state.shop.funds.withdrawals;
    let page = all.iter().skip(skipped).take(shown);
    let numbers: Vec<&str> = page.map(|one| one.out_request_no.as_str()).collect();
    Ok(cx.done(json!({ "out_request_nos": numbers, "total_num": all.len() })))
}

fn withdrawal_detail(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let number = text(cx.body(), "out_request_no").unwrap_or_default();
    let found = state.shop.funds.withdrawals.iter().find(|one| one.out_request_no == number);
    let found =
        found.ok_or_else(|| demand::wrong(&state.settings, "out_request_no is not known"))?;
    Ok(cx.done(json!({ "withdraw_info": found.to_json(&state.settings) })))
}

fn make_code(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let identity = number(cx.body(), "identity_type");
    let identity = identity.ok_or_else(|| demand::wrong(&state.settings, "identity_type"))?;
    let ticket = code::make(&mut cx.world(state), identity, None)?;
    Ok(cx.done(json!({ "qrcode_ticket": ticket })))
}

/// A plain QR code of the ticket, so that a test can read it back.
fn show_code(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (ticket, _) = ticket(cx, &cx.state())?;
    let look = Look { width: CODE_PIXELS, line: [0, 0, 0], is_transparent: false };
    let picture = draw(ticket, look).unwrap_or_default();
    Ok(cx.done(json!({ "qrcode_buf": STANDARD.encode(&picture) })))
}

fn check_code(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let (_, code) = ticket(cx, &state)?;
    Ok(cx.done(json!({
        "status": code.status(cx.now_ms, &state.settings),
        "scan_user_type": code.scanned_by(),
    })))
}

/// The ticket of the body, with its code.
fn ticket<'a>(cx: &'a Cx<'_>, state: &State) -> Result<(&'a str, code::Code), Refusal> {
    let ticket = text(cx.body(), "qrcode_ticket").unwrap_or_default();
    let code = state.shop.funds.codes.get(ticket).cloned();
    let unknown = || demand::wrong(&state.settings, "qrcode_ticket is not known");
    code.map(|code| (ticket, code)).ok_or_else(unknown)
}

/// `page_num` from 1, with `page_size`: what to skip and how many to show.
fn page(body: &Fields, settings: &Settings) -> Result<(usize, usize), Refusal> {
    let read = |name: &str| {
        let given = number(body, name).and_then(|given| usize::try_from(given).ok());
        let given = given.filter(|given| (1..=MOST_SHOWN).contains(given));
        given.ok_or_else(|| demand::wrong(settings, format_args!("{name} is 1 to {MOST_SHOWN}")))
    };
    let (page, size) = (read("page_num")?, read("page_size")?);
    Ok(((page - 1) * size, size))
}

const BANK_ACCOUNT: &[&str] = &[
    "bank_account_type",
    "account_bank",
    "bank_address_code",
    "account_number",
    "bank_branch_id",
    "bank_name",
];
/// The pages name no sizes.
const MOST_SHOWN: usize = 1000;
const CODE_PIXELS: u32 = 280;
