//! Banks, their branches, and the places that these stand in.

use serde_json::{Value, json};

use super::{
    demand,
    fields::{number, text},
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Fields as in the models of public SDKs (read 2026-08): no page of these calls was found.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/funds/getbankbynum", by_number),
    CallSpec::shop("/shop/funds/getbanklist", banks),
    CallSpec::shop("/shop/funds/getprovince", provinces),
    CallSpec::shop("/shop/funds/getcity", cities),
    CallSpec::shop("/shop/funds/getsubbranch", branches),
];

/// One bank.
struct Bank {
    /// The name that a settlement account carries.
    account_bank: &'static str,
    id: &'static str,
    code: &'static str,
    name: &'static str,
    needs_branch: bool,
    kind: u64,
    /// How its card numbers begin.
    cards: &'static [&'static str],
}

struct City {
    province: u64,
    code: u64,
    name: &'static str,
    address_code: &'static str,
}

/// Whether a settlement account at that bank names a branch; false for a bank that the table
/// does not have.
pub(in crate::sandbox) fn needs_branch(account_bank: &str) -> bool {
    BANKS.iter().any(|bank| bank.account_bank == account_bank && bank.needs_branch)
}

impl Bank {
    fn to_json(&self) -> Value {
        json!({
            "account_bank": self.account_bank,
            "bank_id": self.id,
            "bank_code": self.code,
            "bank_name": self.name,
            "need_branch": self.needs_branch,
            "bank_type": self.kind,
        })
    }
}

/// The banks that a card number may belong to; none for one that no bank of the table has.
fn by_number(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let settings = cx.state().settings.clone();
    let card = demand::name(cx.body(), "account_number", &settings)?;
    if !card.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(demand::wrong(&settings, "account_number is digits"));
    }
    let is_its = |bank: &&Bank| bank.cards.iter().any(|beginning| card.starts_with(beginning));
    let mut found: Vec<Value> = BANKS.iter().filter(is_its).map(Bank::to_json).collect();
    for bank in found.iter_mut().filter_map(Value::as_object_mut) {
        bank.remove("bank_type");
    }
    Ok(cx.done(json!({ "total_count": found.len(), "data": found })))
}

fn banks(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let settings = cx.state().settings.clone();
    let (skipped, shown) = demand::window(cx.body(), "limit", MOST_SHOWN, &settings)?;
    let words = text(cx.body(), "key_words").unwrap_or_default();
    let kind = number(cx.body(), "bank_type");
    let is_wanted =
        |bank: &&Bank| bank.name.contains(words) && kind.is_none_or(|kind| kind == bank.kind);
    let found = BANKS.iter().filter(is_wanted).skip(skipped).take(shown);
    let list: Vec<Value> = found.map(Bank::to_json).collect();
    Ok(cx.done(json!({ "data": list })))
}

fn provinces(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let list: Vec<Value> = PROVINCES
        .iter()
        .map(|(code, name)| json!({ "province_code": code, "province_name": name }))
        .collect();
    Ok(cx.done(json!({ "total_count": list.len(), "data": list })))
}

fn cities(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let province = number(cx.body(), "province_code");
    let list: Vec<Value> = CITIES
        .iter()
        .filter(|city| Some(city.province) == province)
        .map(|city| {
            json!({
                "city_code": city.code,
                "city_name": city.name,
                "bank_address_code": city.address_code,
            })
        })
        .collect();
    if list.is_empty() {
        return Err(demand::wrong(&cx.state().settings, "province_code is not known"));
    }
    Ok(cx.done(json!({ "total_count": list.len(), "data": list })))
}

/// Branches of one bank in one city; those of the table only.
fn branches(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let settings = cx.state().settings.clone();
    let (skipped, shown) = demand::window(cx.body(), "limit", MOST_SHOWN, &settings)?;
    let city = number(cx.body(), "city_code");
    let city = CITIES.iter().find(|known| Some(known.code) == city);
    let city = city.ok_or_else(|| demand::wrong(&settings, "city_code is not known"))?;
    let code = text(cx.body(), "bank_code").unwrap_or_default();
    let bank = BANKS.iter().find(|bank| bank.code == code);
    let bank = bank.ok_or_else(|| demand::wrong(&settings, "bank_code is not known"))?;
    let there = BRANCHES.iter().filter(|(of, at, _, _)| *of == code && *at == city.code);
    let all: Vec<Value> =
        there.map(|(_, _, id, name)| json!({ "branch_id": id, "branch_name": name })).collect();
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(skipped).take(shown).collect();
    Ok(cx.done(json!({
        "account_bank": bank.account_bank,
        "account_bank_code": bank.id.parse::<u64>().unwrap_or_default(),
        "bank_alias": bank.name,
        "bank_alias_code": bank.code,
        "count": page.len(),
        "total_count": total,
        "data": page,
    })))
}

/// A bank that has an id of its own; "其他银行" share one and need a branch.
const fn large(
    name: &'static str,
    id: &'static str,
    code: &'static str,
    cards: &'static [&'static str],
) -> Bank {
    Bank { account_bank: name, id, code, name, needs_branch: false, kind: 1, cards }
}

const fn other(name: &'static str, code: &'static str, cards: &'static [&'static str]) -> Bank {
    let account_bank = "其他银行";
    Bank { account_bank, id: "1099", code, name, needs_branch: true, kind: 1, cards }
}

const fn city(province: u64, code: u64, name: &'static str, address_code: &'static str) -> City {
    City { province, code, name, address_code }
}

/// A small choice. The documents show 招商银行 and 浙江网商银行; codes of the others are made up.
const BANKS: &[Bank] = &[
    large("招商银行", "1001", "1000009561", &["6214", "622588", "622609"]),
    large("工商银行", "1002", "1000009502", &["622202", "621226"]),
    large("建设银行", "1003", "1000009503", &["621700", "622700"]),
    large("农业银行", "1005", "1000009505", &["622848", "621336"]),
    large("交通银行", "1020", "1000009520", &["622260", "622262"]),
    large("中国银行", "1026", "1000009526", &["621661", "621660"]),
    other("浙江网商银行", "1000009501", &["623612"]),
    other("杭州银行", "1000009571", &["603367"]),
];

/// Codes but that of 浙江省 are made up.
const PROVINCES: &[(u64, &str)] =
    &[(1, "北京市"), (9, "上海市"), (10, "江苏省"), (12, "浙江省"), (20, "广东省")];

const CITIES: &[City] = &[
    city(1, 10, "北京市", "110100"),
    city(9, 21, "上海市", "310100"),
    city(10, 25, "南京市", "320100"),
    city(10, 512, "苏州市", "320500"),
    city(12, 571, "杭州市", "330100"),
    city(12, 574, "宁波市", "330200"),
    city(20, 20, "广州市", "440100"),
    city(20, 755, "深圳市", "440300"),
];

/// Bank, city, branch and its name; but for the documents' first, made up.
const BRANCHES: &[(&str, u64, &str, &str)] = &[
    ("1000009501", 571, "323331000001", "浙江网商银行股份有限公司"),
    ("1000009571", 571, "313331000014", "杭州银行股份有限公司"),
    ("1000009571", 571, "313331000022", "杭州银行股份有限公司西湖支行"),
    ("1000009561", 571, "308331012014", "招商银行股份有限公司杭州分行"),
    ("1000009561", 755, "308584000013", "招商银行股份有限公司深圳分行"),
];
const MOST_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sandbox::calls::bench::Bench;

    fn call(name: &str, body: &Value) -> Value {
        Bench::new().post(&format!("/shop/funds/{name}"), body).json()
    }

    #[test]
    fn a_card_number_tells_its_bank() {
        let found = call("getbankbynum", &json!({"account_number": "6214830012345678"}));
        assert_eq!(
            (&found["total_count"], &found["data"][0]["bank_id"]),
            (&json!(1), &json!("1001"))
        );
        assert_eq!(found["data"][0].get("bank_type"), None);
        assert_eq!(call("getbankbynum", &json!({"account_number": "99"}))["total_count"], 0);
        assert_eq!(call("getbankbynum", &json!({"account_number": "6x"}))["errcode"], 40097);
    }

    #[test]
    fn banks_are_found_by_words_and_page() {
        let found = call("getbanklist", &json!({"key_words": "招商", "bank_type": 1}));
        assert_eq!(found["data"].as_array().unwrap().len(), 1);
        let all = call("getbanklist", &json!({}));
        assert_eq!(all["data"].as_array().unwrap().len(), BANKS.len());
        let page = call("getbanklist", &json!({"offset": 1, "limit": 2}));
        assert_eq!(page["data"][0]["bank_id"], "1002");
        assert_eq!(call("getbanklist", &json!({"limit": 201}))["errcode"], 40097);
    }

    #[test]
    fn provinces_lead_to_cities_and_cities_to_branches() {
        for province in call("getprovince", &json!({}))["data"].as_array().unwrap() {
            let body = json!({"province_code": province["province_code"]});
            assert_ne!(call("getcity", &body)["total_count"], 0, "{province}");
        }
        assert_eq!(call("getcity", &json!({"province_code": 99}))["errcode"], 40097);
        let body = json!({"city_code": 571, "bank_code": "1000009571", "offset": 1, "limit": 1});
        let found = call("getsubbranch", &body);
        assert_eq!((&found["count"], &found["total_count"]), (&json!(1), &json!(2)));
        assert_eq!(found["data"][0]["branch_id"], "313331000022");
        for bad in [
            json!({"city_code": 1, "bank_code": "1000009571"}),
            json!({"city_code": 571, "bank_code": "1"}),
        ] {
            assert_eq!(call("getsubbranch", &bad)["errcode"], 40097, "{bad}");
        }
        assert!(needs_branch("其他银行") && !needs_branch("招商银行") && !needs_branch("x"));
    }
}
