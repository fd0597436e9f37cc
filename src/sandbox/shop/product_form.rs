//! A product as a merchant submits it, checked.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{category, picture, shape};
use crate::{
    sandbox::{refusal::Refusal, state::State},
    wechat::endpoint::endpoint,
};

/// The documented fields of `body`, for the draft; an error is the first thing that is wrong.
pub(in crate::sandbox) fn draft(
    body: &Map<String, Value>,
    out_product_id: &str,
    state: &State,
) -> Result<Map<String, Value>, Refusal> {
    if state.settings.component.check_products {
        check(body, out_product_id, state)?;
    }
    let known = FIELDS.iter().filter_map(|name| Some((*name, body.get(*name)?)));
    let mut draft: Map<String, Value> =
        known.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    draft.insert("out_product_id".to_owned(), out_product_id.into());
    complete(&mut draft);
    Ok(draft)
}

/// Adds what `/shop/spu/get` shows of every product, so that reading costs nothing more.
fn complete(draft: &mut Map<String, Value>) {
    let get = endpoint("/shop/spu/get");
    let spu = get.and_then(|get| get.response.iter().find(|field| field.name == "spu"));
    if let Some(spu) = spu {
        shape::fill(&spu.fields, draft);
    }
    for name in OF_THE_PRODUCT {
        draft.remove(*name);
    }
}

/// The `out_sku_id` of each SKU, in order.
pub(in crate::sandbox) fn out_sku_ids(draft: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let skus = draft.get("skus").and_then(Value::as_array).into_iter().flatten();
    skus.filter_map(|sku| sku.get("out_sku_id")?.as_str())
}

/// Everything that the platform is known to check before it accepts a product for audit; what
/// has no code of its own is 9401020 with the field's name.
fn check(body: &Map<String, Value>, out_product_id: &str, state: &State) -> Result<(), Refusal> {
    let settings = &state.settings;
    if !state.shop.merchant.is_serving() {
        return Err(Refusal::new(1_040_042));
    }
    for name in ["title", "path"] {
        if text(body.get(name)).is_none() {
            return Err(bad(name));
        }
    }
    let head_img = images(body.get("head_img"), "head_img")?;
    if head_img == 0 {
        return Err(bad("head_img"));
    }
    images(body.get("qualification_pics"), "qualification_pics")?;
    images(body.get("desc_info").and_then(|info| info.get("imgs")), "desc_info.imgs")?;
    check_category(body, state)?;
    if body.get("brand_id").and_then(Value::as_u64).is_none() {
        return Err(bad("brand_id"));
    }
    let is_scene_open = settings.component.scene_open || state.shop.access.is_scene_open();
    match body.get("scene_group_list").map(Value::as_array) {
        Some(None) => return Err(bad("scene_group_list")),
        Some(Some(groups)) if !groups.is_empty() && !is_scene_open => {
            return Err(Refusal::new(1_000_042));
        }
        Some(Some(_)) | None => {}
    }
    check_skus(body.get("skus"), out_product_id)
}

/// By default any positive id exists and is approved; switches ask for the list of categories
/// and for their audit.
fn check_category(body: &Map<String, Value>, state: &State) -> Result<(), Refusal> {
    let settings = &state.settings;
    let category = body.get("third_cat_id").and_then(Value::as_i64);
    let category = category.ok_or_else(|| bad("third_cat_id"))?;
    let known = category::find(category);
    if category <= 0 || (settings.component.require_category && known.is_none()) {
        return Err(Refusal::new(1_000_009));
    }
    let is_listed =
        settings.component.third_cats.as_ref().is_none_or(|listed| listed.contains(&category));
    let is_owned = !settings.component.require_category || state.shop.audits.owns(category);
    if !is_listed || !is_owned {
        return Err(Refusal::new(1_000_005));
    }
    let needs_pictures = known.is_some_and(|known| known.needs_product_certificate());
    let pictures = body.get("qualification_pics").and_then(Value::as_array);
    if settings.component.require_category && needs_pictures && pictures.is_none_or(Vec::is_empty) {
        return Err(bad("qualification_pics"));
    }
    Ok(())
}

/// At least one, each with the product's id, an id of its own, an image, and whole numbers.
fn check_skus(skus: Option<&Value>, out_product_id: &str) -> Result<(), Refusal> {
    let skus = skus.and_then(Value::as_array).filter(|skus| !skus.is_empty());
    let skus = skus.ok_or_else(|| bad("skus"))?;
    let mut seen = HashSet::new();
    for sku in skus {
        if text(sku.get("out_product_id")) != Some(out_product_id) {
            return Err(bad("skus.out_product_id"));
        }
        let out_sku_id = text(sku.get("out_sku_id")).ok_or_else(|| bad("skus.out_sku_id"))?;
        if !seen.insert(out_sku_id) {
            return Err(Refusal::with(9_401_020, "skus.out_sku_id is there twice"));
        }
        picture::check_url(text(sku.get("thumb_img")).ok_or_else(|| bad("skus.thumb_img"))?)?;
        // Prices written as text or with decimals are the most frequent mistake.
        for name in ["sale_price", "market_price", "stock_num"] {
            if sku.get(name).and_then(Value::as_u64).is_none() {
                return Err(Refusal::with(9_401_020, format_args!("skus.{name}")));
            }
        }
    }
    Ok(())
}

/// How many images a list holds; missing counts as none.
fn images(list: Option<&Value>, name: &'static str) -> Result<usize, Refusal> {
    let Some(list) = list.filter(|list| !list.is_null()) else { return Ok(0) };
    let list = list.as_array().ok_or_else(|| bad(name))?;
    for one in list {
        picture::check_url(one.as_str().ok_or_else(|| bad(name))?)?;
    }
    Ok(list.len())
}

/// Text that is not empty.
fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The general errcode for a field that is missing or not what it should be.
fn bad(name: &'static str) -> Refusal {
    Refusal::with(9_401_020, name)
}

/// What a product keeps; the platform drops the rest without a word.
const FIELDS: &[&str] = &[
    "title",
    "path",
    "direct_path",
    "head_img",
    "qualification_pics",
    "desc_info",
    "third_cat_id",
    "brand_id",
    "info_version",
    "scene_group_list",
    "item_type",
    "skus",
];

/// What `/shop/spu/get` shows beside the merchant's fields.
const OF_THE_PRODUCT: &[&str] =
    &["product_id", "audit_info", "status", "edit_status", "create_time", "update_time"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::settings::Settings;

    const IMAGE: &str = "https://mmecimage.cn/p/wx1/a";

    fn whole() -> Value {
        json!({
            "title": "t", "path": "p", "head_img": [IMAGE], "third_cat_id": 7523,
            "brand_id": 2_100_000_000_u64, "scene_group_list": [], "junk": 1,
            "skus": [{
                "out_product_id": "P", "out_sku_id": "S", "thumb_img": IMAGE,
                "sale_price": 1, "market_price": 2, "stock_num": 0,
            }],
        })
    }

    fn read(body: &Value, settings: &Settings) -> Result<Map<String, Value>, i64> {
        let body = body.as_object().unwrap();
        let mut state = State::default();
        state.settings = settings.clone();
        draft(body, "P", &state).map_err(|refusal| refusal.errcode)
    }

    #[test]
    fn a_whole_product_is_kept_without_unknown_fields() {
        let draft = read(&whole(), &Settings::default()).unwrap();
        assert_eq!(draft["out_product_id"], "P");
        assert!(!draft.contains_key("junk"));
        assert_eq!(out_sku_ids(&draft).collect::<Vec<_>>(), ["S"]);
    }

    #[test]
    fn each_mistake_has_its_errcode() {
        for (at, value, errcode) in [
            ("/title", json!(""), 9_401_020),
            ("/path", json!(null), 9_401_020),
            ("/head_img", json!([]), 9_401_020),
            ("/head_img", json!(IMAGE), 9_401_020),
            ("/head_img/0", json!("mmecimage.cn/p/a"), 1_000_035),
            ("/head_img/0", json!("https://cdn.example/a.jpg"), 1_070_010),
            ("/third_cat_id", json!("7523"), 9_401_020),
            ("/third_cat_id", json!(0), 1_000_009),
            ("/brand_id", json!(-1), 9_401_020),
            ("/scene_group_list", json!([1]), 1_000_042),
            ("/scene_group_list", json!(1), 9_401_020),
            ("/skus", json!([]), 9_401_020),
            ("/skus/0", json!(7), 9_401_020),
            ("/skus/0/out_product_id", json!("Q"), 9_401_020),
            ("/skus/0/out_sku_id", json!(""), 9_401_020),
            ("/skus/0/thumb_img", json!("https://cdn.example/a.jpg"), 1_070_010),
            ("/skus/0/sale_price", json!("1"), 9_401_020),
            ("/skus/0/market_price", json!(1.5), 9_401_020),
            ("/skus/0/stock_num", json!(-1), 9_401_020),
        ] {
            let mut body = whole();
            *body.pointer_mut(at).unwrap() = value.clone();
            assert_eq!(read(&body, &Settings::default()), Err(errcode), "{at} {value}");
        }
        let mut twice = whole();
        let sku = twice["skus"][0].clone();
        twice["skus"].as_array_mut().unwrap().push(sku);
        assert_eq!(read(&twice, &Settings::default()), Err(9_401_020));
    }

    #[test]
    fn switches_open_scenes_limit_categories_and_end_checks() {
        let mut settings = Settings::default();
        settings.component.scene_open = true;
        let mut body = whole();
        body["scene_group_list"] = json!([1]);
        assert!(read(&body, &settings).is_ok());
        settings.component.third_cats = Some(vec![1]);
        assert_eq!(read(&body, &settings), Err(1_000_005));
        settings.component.check_products = false;
        assert!(read(&json!({}), &settings).is_ok());
    }
}
