//! Changes of a product that need no audit.

use serde_json::{Value, json};

use super::{
    fields::{Fields, at, objects, text},
    product_calls::find,
};
use crate::sandbox::{call::Answer, dispatch::Cx, moment, refusal::Refusal};

/// The page and what SKUs may change at once, in draft and online copy alike. A SKU that is not
/// online is 1000004.
pub(super) fn change(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let out_product_id = find(cx, state)?;
    let body = cx.body();
    let product = state.shop.products.product(&out_product_id, cx.now_ms)?;
    for sku in objects(body, "skus") {
        let out_sku_id = text(sku, "out_sku_id");
        let out_sku_id = out_sku_id.ok_or_else(|| Refusal::with(9_401_020, "skus.out_sku_id"))?;
        if !product.is_online(out_sku_id) {
            return Err(Refusal::new(1_000_004));
        }
    }
    product.change_both(cx.now_ms, |copy| lay_over(copy, body));
    Ok(cx.done(json!({ "data": {
        "product_id": product.product_id,
        "out_product_id": out_product_id,
        "update_time": moment::text(cx.now_ms),
    } })))
}

fn lay_over(copy: &mut Fields, body: &Fields) {
    if let Some(path) = text(body, "path") {
        copy.insert("path".to_owned(), path.into());
    }
    let skus = copy.get_mut("skus").and_then(Value::as_array_mut);
    for sku in skus.into_iter().flatten().filter_map(Value::as_object_mut) {
        let changed =
            objects(body, "skus").find(|new| new.get("out_sku_id") == sku.get("out_sku_id"));
        for name in OF_A_SKU {
            if let Some(value) = changed.and_then(|new| at(new, name)) {
                sku.insert((*name).to_owned(), value.clone());
            }
        }
    }
}

/// What the call documents of a SKU.
const OF_A_SKU: &[&str] = &["sale_price", "market_price", "stock_num", "sku_code", "barcode"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::calls::bench::{Bench, product};

    #[test]
    fn price_and_stock_change_at_once_in_both_copies() {
        let bench = Bench::new();
        bench.post("/shop/spu/add", &product("A"));
        let change = |sku: &str| {
            let sku = json!({"out_sku_id": sku, "sale_price": 9900, "stock_num": 3});
            let body = json!({"out_product_id": "A", "skus": [sku], "path": "pages/new"});
            bench.post("/shop/spu/update_without_audit", &body).errcode
        };
        assert_eq!(change("TEA-2201-250G"), Some(1_000_004), "nothing is online yet");
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(change("TEA-2201-250G"), Some(0));
        assert_eq!(change("OTHER"), Some(1_000_004));
        for need_edit_spu in [0, 1] {
            let body = json!({"out_product_id": "A", "need_edit_spu": need_edit_spu});
            let spu = &bench.post("/shop/spu/get", &body).json()["spu"];
            assert_eq!(
                (&spu["path"], &spu["skus"][0]["sale_price"]),
                (&json!("pages/new"), &json!(9900))
            );
            assert_eq!((&spu["status"], &spu["edit_status"]), (&json!(5), &json!(4)));
        }
    }
}
