//! Calls about the application for the dedicated merchant account.

use serde_json::{Value, json};

use super::{
    applyment, demand,
    fields::{Fields, at, number, text},
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    settings::Settings,
};

/// Fields as in the models of public SDKs (read 2026-08): no page of these calls was found.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/wxpay/apply", apply),
    CallSpec::shop("/shop/wxpay/get", get),
    CallSpec::shop("/shop/wxpay/get_info", info),
];

/// Encrypted fields are taken as they come: neither method nor key is documented.
fn apply(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    if let Some(what) = first_wrong(cx.body()) {
        return Err(demand::wrong(&state.settings, what));
    }
    if cx.call.body.len() > MOST_BYTES {
        return Err(demand::full());
    }
    applyment::file(&mut cx.world(state), cx.body().clone())?;
    Ok(cx.done_plainly())
}

/// What the fields' descriptions ask for beyond their types.
fn first_wrong(body: &Fields) -> Option<String> {
    let is =
        |place: &str, choices: &[&str]| text(body, place).is_some_and(|t| choices.contains(&t));
    if !matches!(number(body, "organization_type"), Some(2 | 4)) {
        return Some("organization_type is 2 or 4".to_owned());
    }
    if !text(body, "business_license_info.business_time").is_some_and(is_two_dates) {
        return Some(
            "business_license_info.business_time is a list of two dates as text".to_owned(),
        );
    }
    if !is("contact_info.contact_type", &["65", "66"]) {
        return Some("contact_info.contact_type is 65 or 66".to_owned());
    }
    if !is("account_info.bank_account_type", &["74", "75"]) {
        return Some("account_info.bank_account_type is 74 or 75".to_owned());
    }
    let branch = ["account_info.bank_branch_id", "account_info.bank_name"];
    if branch.iter().all(|place| text(body, place).is_none()) {
        return Some("account_info needs bank_branch_id or bank_name".to_owned());
    }
    let (texts, pictures) = match (at(body, "id_card_info"), at(body, "id_doc_info")) {
        (Some(_), _) => (ID_CARD, ID_CARD_PICTURES),
        (None, Some(_)) => (ID_DOCUMENT, ID_DOCUMENT_PICTURES),
        (None, None) => return Some("id_card_info or id_doc_info is missing".to_owned()),
    };
    let licence = "business_license_info.wxa_business_license_copy";
    let has_picture = |place: &&&str| {
        ["media_id", "pay_media_id"].iter().any(|id| text(body, &format!("{place}.{id}")).is_some())
    };
    let missing = texts.iter().find(|place| text(body, place).is_none());
    let missing = missing.map(|place| format!("{place} is missing"));
    missing.or_else(|| {
        let picture =
            std::iter::once(&licence).chain(pictures).find(|place| !has_picture(place))?;
        Some(format!("{picture} needs media_id or pay_media_id"))
    })
}

/// "A JSON array of two dates written as a string."
fn is_two_dates(text: &str) -> bool {
    serde_json::from_str::<Vec<String>>(text).is_ok_and(|dates| dates.len() == 2)
}

/// The application and its state; both empty while nothing was filed.
fn get(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let Some(filed) = state.shop.applyment.filed() else { return Ok(cx.done_plainly()) };
    Ok(cx.done(json!({
        "pay_req": filed.request_json(&cx.account.identity.app_id, &state.settings),
        "pay_resp": filed.state_json(state.shop.applyment.mchid(), &state.settings),
    })))
}

/// What the platform knows of the mini program's owner, personal parts masked.
fn info(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    Ok(cx.done(json!({ "pay_req": owner(&cx.account.identity.app_id, &state.settings) })))
}

fn owner(app_id: &str, settings: &Settings) -> Value {
    let owner = &settings.shop.merchant;
    json!({
        "organization_type": "2",
        "merchant_shortname": owner.store_name,
        "business_license_info": {
            "merchant_name": owner.merchant_name,
            "business_license_number": owner.business_license_number,
        },
        "contact_info": {
            "contact_name": masked(&owner.contact_name, 0, 1),
            "contact_id_card_number": masked(&owner.contact_id_card_number, 2, 1),
            "mobile_phone": masked(&owner.mobile_phone, 3, 2),
        },
        "sales_scene_info": {
            "store_name": owner.store_name,
            "mini_program_sub_appid": app_id,
        },
    })
}

/// All but so many characters at either end as asterisks: `138******34`.
fn masked(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let is_shown = |at: usize| at < first || at + last >= length;
    text.chars().enumerate().map(|(at, sign)| if is_shown(at) { sign } else { '*' }).collect()
}

const ID_CARD: &[&str] = &[
    "id_card_info.id_card_name",
    "id_card_info.id_card_number",
    "id_card_info.id_card_valid_time",
];
const ID_CARD_PICTURES: &[&str] =
    &["id_card_info.wxa_id_card_copy", "id_card_info.wxa_id_card_national"];
const ID_DOCUMENT: &[&str] =
    &["id_doc_info.id_doc_name", "id_doc_info.id_doc_number", "id_doc_info.doc_period_end"];
const ID_DOCUMENT_PICTURES: &[&str] = &["id_doc_info.wxa_id_doc_copy"];
/// The application is kept whole.
const MOST_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{sandbox::calls::bench::Bench, wechat::endpoint::endpoint};

    fn application() -> Value {
        endpoint("/shop/wxpay/apply").unwrap().example_request.clone()
    }

    fn call(bench: &Bench, name: &str, body: &Value) -> Value {
        bench.post(&format!("/shop/wxpay/{name}"), body).json()
    }

    fn wait(bench: &Bench) {
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
    }

    #[test]
    fn an_application_opens_the_merchant_account() {
        let bench = Bench::new();
        bench.set(&json!({"require_merchant_account": true}));
        let balance = || bench.post("/shop/funds/getbalance", &json!({})).errcode;
        assert_eq!(call(&bench, "get", &json!({}))["pay_resp"]["applyment_state"], "");
        assert_eq!(call(&bench, "apply", &application())["errcode"], 0);
        assert_eq!(call(&bench, "apply", &application())["errcode"], 40097, "one waits");
        let waiting = call(&bench, "get", &json!({}));
        assert_eq!(waiting["pay_resp"]["applyment_state"], "AUDITING");
        assert_eq!(balance(), Some(48001));
        wait(&bench);
        assert_eq!(balance(), Some(0));
        let open = call(&bench, "get", &json!({}));
        assert_eq!(open["pay_resp"]["applyment_state"], "FINISH");
        assert_eq!(open["pay_resp"]["sub_mchid"].as_str().unwrap().len(), 10);
        assert_eq!(open["pay_req"]["organization_type"], "2");
        assert_eq!(open["pay_req"]["id_card_info"]["id_card_copy"], "pay_frontT7mZx4");
        assert_eq!(call(&bench, "apply", &application())["errcode"], 40097, "it is open");
    }

    #[test]
    fn a_rejected_application_says_why_and_may_be_repeated() {
        let bench = Bench::new();
        bench.set(&json!({"audit_reject_reason": "照片不清晰"}));
        call(&bench, "apply", &application());
        wait(&bench);
        let seen = call(&bench, "get", &json!({}))["pay_resp"].clone();
        assert_eq!(seen["applyment_state"], "REJECTED");
        assert_eq!(seen["audit_detail"][0]["reject_reason"], "照片不清晰");
        assert_eq!(call(&bench, "apply", &application())["errcode"], 0);
    }

    #[test]
    fn what_an_application_lacks_is_named() {
        for (pointer, value, named) in [
            ("/organization_type", json!(3), "organization_type"),
            ("/business_license_info/business_time", json!("2019-04-12"), "business_time"),
            ("/contact_info/contact_type", json!("64"), "contact_type"),
            ("/account_info/bank_account_type", json!("1"), "bank_account_type"),
            ("/account_info/bank_branch_id", json!(""), "bank_branch_id"),
            ("/id_card_info", Value::Null, "id_card_info"),
            ("/id_card_info/id_card_number", json!(""), "id_card_number"),
            ("/id_card_info/wxa_id_card_copy", json!({"name": "a"}), "wxa_id_card_copy"),
        ] {
            let bench = Bench::new();
            let mut body = application();
            *body.pointer_mut(pointer).unwrap() = value;
            let answer = call(&bench, "apply", &body);
            assert_eq!(answer["errcode"], 40097, "{pointer}");
            assert!(answer["errmsg"].as_str().unwrap().contains(named), "{answer}");
        }
    }

    #[test]
    fn the_owner_is_shown_with_personal_parts_masked() {
        let bench = Bench::new();
        bench.set(&json!({"merchant": {"contact_name": "何青", "mobile_phone": "13800571234",
            "contact_id_card_number": "330106198801010012"}}));
        let shown = call(&bench, "get_info", &json!({}))["pay_req"]["contact_info"].clone();
        assert_eq!(
            shown,
            json!({"contact_name": "*青", "mobile_phone": "138******34",
            "contact_id_card_number": "33***************2"})
        );
        let refused = bench.post_text("/shop/wxpay/get_info", "x");
        assert_eq!(refused.errcode, Some(47001));
    }
}
