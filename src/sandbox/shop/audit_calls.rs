//! Calls about categories, brands and their certificates.

use serde_json::{Value, json};

use super::{
    audit::{self, Subject},
    category,
    fields::{Fields, amount, at, text},
    picture,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    quota::Limits,
    refusal::Refusal,
    state::State,
};

/// Fields and errcodes as in the documents of the component (read 2026-08). The list of
/// categories is "strictly rate limited"; by how much is not known, so that only the usual limit
/// holds.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/cat/get", categories).limited(Limits::USUAL),
    CallSpec::shop("/shop/ec/category/getcategoryrule", rule),
    CallSpec::shop("/shop/audit/audit_category", submit_category),
    CallSpec::shop("/shop/audit/audit_brand", submit_brand).keeping(),
    CallSpec::shop("/shop/audit/result", result),
    CallSpec::shop("/shop/audit/get_miniapp_certificate", certificates),
    CallSpec::shop("/shop/account/get_category_list", own_categories),
    CallSpec::shop("/shop/account/get_brand_list", own_brands),
];

fn categories(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let list: Vec<Value> = category::all().iter().map(|one| one.to_json()).collect();
    Ok(cx.done(json!({ "third_cat_list": list })))
}

/// Of the store that came after the component.
fn rule(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = amount(cx.body(), "category_id").unwrap_or_default();
    let found = category::find(id).ok_or_else(|| Refusal::new(1_000_009))?;
    let deposit_fen = if found.needs_certificate() { 1_000_000 } else { 200_000 };
    let list = json!([{ "deliver_type": 0, "acct_type": [0] }]);
    Ok(cx.done(json!({ "deposit": deposit_fen, "list": list })))
}

/// 1000009 for a category that does not exist, 1050011 for one that needs no certificate,
/// 1050003 for one that is approved.
fn submit_category(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    check_scenes(body, state)?;
    picture::check_list(at(body, "audit_req.license"))?;
    picture::check_list(at(body, "audit_req.category_info.certificate"))?;
    let level = |name: &str| {
        amount(body, &format!("audit_req.category_info.level{name}")).unwrap_or_default()
    };
    let third_cat_id = level("3");
    let found = category::find(third_cat_id);
    let found = found.filter(|found| found.is_at(level("1"), level("2"), third_cat_id));
    let found = found.ok_or_else(|| Refusal::new(1_000_009))?;
    if !found.needs_certificate() {
        return Err(Refusal::new(1_050_011));
    }
    if state.shop.audits.is_approved(third_cat_id) {
        return Err(Refusal::new(1_050_003));
    }
    let audit_id = audit::submit(&mut cx.world(state), Subject::Category { third_cat_id })?;
    Ok(cx.done(json!({ "audit_id": audit_id })))
}

/// Registered marks (1, 3) and those applied for (2, 4) need different papers.
fn submit_brand(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    check_scenes(body, state)?;
    let info = at(body, "audit_req.brand_info").and_then(Value::as_object);
    let info = info.cloned().unwrap_or_default();
    let usual = state.settings.component.argument_errcode;
    let bad = |field: &str| Refusal::with(usual, format_args!("audit_req.brand_info.{field}"));
    for (field, choices) in [
        ("brand_audit_type", 1..=4),
        ("brand_management_type", 1..=3),
        ("commodity_origin_type", 1..=2),
    ] {
        amount(&info, field).filter(|given| choices.contains(given)).ok_or_else(|| bad(field))?;
    }
    let mark = text(&info, "trademark_type").and_then(|text| text.parse::<u8>().ok());
    mark.filter(|class| (1..=45).contains(class)).ok_or_else(|| bad("trademark_type"))?;
    let is_registered = matches!(amount(&info, "brand_audit_type"), Some(1 | 3));
    let wanted = if is_registered { REGISTERED } else { APPLIED_FOR };
    let is_agent = amount(&info, "brand_management_type") == Some(2);
    let agency: &[&str] = if is_agent { &["sale_authorization"] } else { &[] };
    for field in wanted.iter().chain(agency) {
        let is_there = text(&info, field).is_some()
            || at(&info, field).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if !is_there {
            return Err(bad(field));
        }
    }
    picture::check_list(at(body, "audit_req.license"))?;
    for field in PICTURES {
        picture::check_list(at(&info, field))?;
    }
    let audit_id = audit::submit(&mut cx.world(state), Subject::Brand { info })?;
    Ok(cx.done(json!({ "audit_id": audit_id })))
}

/// A scene that is not open: 1000042. The list itself may be missing unless the switch asks
/// for it; its absence is reported as 1040035.
fn check_scenes(body: &Fields, state: &State) -> Result<(), Refusal> {
    let groups = at(body, "audit_req.scene_group_list").and_then(Value::as_array);
    let is_open = state.settings.component.scene_open || state.shop.access.is_scene_open();
    match groups {
        None if state.settings.component.require_scene_group_list => Err(Refusal::new(1_040_035)),
        Some(groups) if !groups.is_empty() && !is_open => Err(Refusal::new(1_000_042)),
        None | Some(_) => Ok(()),
    }
}

fn result(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let audit_id = text(cx.body(), "audit_id").unwrap_or_default();
    let data = state.shop.audits.result(audit_id).ok_or_else(|| Refusal::new(1_050_005))?;
    Ok(cx.done(json!({ "data": data })))
}

/// What the mini program itself filed when it was registered: 1 its categories, 2 its brand.
/// 1050006 where nothing was.
fn certificates(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let filed = match amount(cx.body(), "req_type") {
        Some(1) => &state.settings.component.filed_categories,
        Some(2) => &state.settings.component.filed_brands,
        _ => {
            return Err(Refusal::with(
                state.settings.component.argument_errcode,
                "req_type is 1 or 2",
            ));
        }
    };
    if filed.is_empty() {
        return Err(Refusal::new(1_050_006));
    }
    Ok(match amount(cx.body(), "req_type") {
        Some(1) => cx.done(json!({ "category_info_list": filed })),
        _ => cx.done(json!({ "brand_info": filed.last() })),
    })
}

/// Owned from the start or approved.
fn own_categories(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let owned = category::all().iter().filter(|one| state.shop.audits.owns(one.id()));
    let data: Vec<Value> = owned.map(|one| one.to_json()).collect();
    Ok(cx.done(json!({ "data": data })))
}

fn own_brands(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let brands = state.shop.audits.brands();
    let data: Vec<Value> = brands
        .map(|(id, info)| json!({ "brand_id": id, "brand_wording": text(info, "brand_wording") }))
        .collect();
    Ok(cx.done(json!({ "data": data })))
}

const REGISTERED: &[&str] = &[
    "trademark_registration_certificate",
    "trademark_registrant",
    "trademark_registrant_nu",
    "trademark_authorization_period",
];
const APPLIED_FOR: &[&str] =
    &["trademark_registration_application", "trademark_applicant", "trademark_application_time"];
const PICTURES: &[&str] = &[
    "sale_authorization",
    "trademark_registration_certificate",
    "trademark_change_certificate",
    "trademark_registration_application",
    "imported_goods_form",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sandbox::{
            calls::bench::{Bench, product},
            shop::testing::event_names,
        },
        wechat::endpoint::endpoint,
    };

    fn example(path: &str) -> Value {
        endpoint(path).unwrap().example_request.clone()
    }

    fn submit(bench: &Bench, kind: &str, change: impl Fn(&mut Value)) -> (Option<i64>, Value) {
        let path = format!("/shop/audit/{kind}");
        let mut body = example(&path);
        change(&mut body["audit_req"]);
        let answer = bench.post(&path, &body);
        (answer.errcode, answer.json()["audit_id"].clone())
    }

    #[test]
    fn a_category_is_approved_and_then_products_may_carry_it() {
        let bench = Bench::new();
        bench.set(&json!({"require_category": true}));
        let add = |id: &str| bench.post("/shop/spu/add", &product(id)).errcode;
        assert_eq!(add("A"), Some(1_000_005), "the category is not approved");
        let (errcode, audit_id) = submit(&bench, "audit_category", |_| {});
        assert_eq!(errcode, Some(0));
        let result = || {
            let answer = bench.post("/shop/audit/result", &json!({"audit_id": audit_id})).json();
            answer["data"]["status"].clone()
        };
        assert_eq!(result(), 0);
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(result(), 1);
        assert_eq!(add("A"), Some(0));
        assert_eq!(submit(&bench, "audit_category", |_| {}).0, Some(1_050_003));
        assert_eq!(event_names(&bench)[0], "open_product_category_audit");
        let own = bench.post("/shop/account/get_category_list", &json!({})).json();
        let own = own["data"].as_array().unwrap();
        assert!(own.iter().any(|one| one["third_cat_id"] == 7523), "{own:?}");
        let unknown = bench.post("/shop/audit/result", &json!({"audit_id": "x"}));
        assert_eq!(unknown.errcode, Some(1_050_005));
    }

    #[test]
    fn what_is_wrong_with_certificates_has_its_code() {
        let bench = Bench::new();
        let category = |change: fn(&mut Value)| submit(&bench, "audit_category", change).0;
        assert_eq!(category(|r| r["category_info"]["level3"] = json!(1)), Some(1_000_009));
        assert_eq!(category(|r| r["category_info"]["level1"] = json!(1)), Some(1_000_009));
        let free = |r: &mut Value| {
            r["category_info"] =
                json!({"level1": 6593, "level2": 6594, "level3": 6595, "certificate": []});
        };
        assert_eq!(submit(&bench, "audit_category", free).0, Some(1_050_011));
        assert_eq!(category(|r| r["scene_group_list"] = json!([1])), Some(1_000_042));
        assert_eq!(category(|r| r["license"] = json!("https://x/y.jpg")), Some(40097));
        assert_eq!(category(|r| r["license"] = json!(["https://x/y.jpg"])), Some(1_070_010));
        assert_eq!(category(|r| r["license"] = json!(["media-id"])), Some(0));
        bench.set(&json!({"require_scene_group_list": true}));
        assert_eq!(category(|r| r["scene_group_list"] = json!(null)), Some(1_040_035));
    }

    #[test]
    fn a_brand_needs_the_papers_of_its_mark() {
        let bench = Bench::new();
        let brand = |change: fn(&mut Value)| submit(&bench, "audit_brand", change).0;
        assert_eq!(brand(|r| r["brand_info"]["trademark_type"] = json!("46")), Some(40097));
        assert_eq!(brand(|r| r["brand_info"]["brand_audit_type"] = json!(2)), Some(40097));
        assert_eq!(brand(|r| r["brand_info"]["brand_management_type"] = json!(2)), Some(40097));
        assert_eq!(brand(|_| {}), Some(0));
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        let brands = bench.post("/shop/account/get_brand_list", &json!({})).json();
        assert_eq!(brands["data"][0]["brand_wording"], "山间一叶");
        assert_eq!(brands["data"][0]["brand_id"], 2_100_001);
        assert_eq!(event_names(&bench), ["open_product_brand_audit"]);
    }

    #[test]
    fn lists_of_categories_and_their_rules() {
        let bench = Bench::new();
        let list = bench.post("/shop/cat/get", &json!({})).json();
        assert_eq!(list["third_cat_list"][0]["third_cat_id"], 7523);
        let rule =
            |id: i64| bench.post("/shop/ec/category/getcategoryrule", &json!({"category_id": id}));
        assert_eq!(rule(7523).json()["deposit"], 1_000_000);
        assert_eq!(rule(1).errcode, Some(1_000_009));
    }

    #[test]
    fn what_the_mini_program_filed_itself_is_a_switch() {
        let bench = Bench::new();
        let ask = |kind: u8| {
            bench.post("/shop/audit/get_miniapp_certificate", &json!({"req_type": kind}))
        };
        assert_eq!(
            (ask(1).errcode, ask(2).errcode, ask(3).errcode),
            (Some(1_050_006), Some(1_050_006), Some(40097))
        );
        bench.set(&json!({
            "filed_categories": [{"first_category_id": 304, "first_category_name": "商家自营"}],
            "filed_brands": [{"brand_wording": "山间一叶"}],
        }));
        assert_eq!(ask(1).json()["category_info_list"][0]["first_category_id"], 304);
        assert_eq!(ask(2).json()["brand_info"]["brand_wording"], "山间一叶");
    }
}
