//! Everything that waits for a decision of the platform, for whoever decides by hand.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    access::SCENE_GROUP,
    audit::{self, Subject},
    category,
    fields::{Fields, text},
    fire_audit::REJECTED,
    product_audit, scene_audit,
};
use crate::sandbox::{account::Account, control_form, world::World};

/// `[{"id","kind","name"}]`; `kind` is `product`, `category`, `brand` or `scene`.
pub(in crate::sandbox) fn waiting(account: &Account) -> Value {
    let now_ms = account.now_ms();
    let shop = &mut account.quiet_state().shop;
    let one = |id: &str, kind: &str, name: &str| json!({ "id": id, "kind": kind, "name": name });
    let mut waiting: Vec<Value> = shop
        .products
        .named(now_ms)
        .filter(|(_, product)| product.is_waiting())
        .map(|(id, product)| one(id, "product", product.title()))
        .collect();
    waiting.extend(shop.audits.waiting().map(|(id, submission)| match &submission.subject {
        Subject::Category { third_cat_id } => one(id, "category", &category_name(*third_cat_id)),
        Subject::Brand { info } => one(id, "brand", brand_name(info)),
    }));
    if shop.access.scene().status == 0 {
        waiting.push(one(SCENE_ID, "scene", SCENE_GROUP));
    }
    json!(waiting)
}

/// `POST audits`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionForm {
    id: String,
    pass: bool,
    #[serde(default)]
    reason: Option<String>,
}

/// Decides one; what still waits. An error says what was wrong.
pub(in crate::sandbox) fn decide(account: &Account, body: &[u8]) -> Result<Value, String> {
    let form: DecisionForm = control_form::read(body)?;
    let reason = form.reason.filter(|reason| !reason.is_empty());
    let reason = reason.unwrap_or_else(|| REJECTED.to_owned());
    let reason = (!form.pass).then_some(reason);
    let now_ms = account.now_ms();
    let mut state = account.state();
    let world = &mut World { account, state: &mut state, now_ms };
    let is_scene = form.id == SCENE_ID && world.state.shop.access.scene().status == 0;
    if is_scene {
        scene_audit::decide(world, reason.as_deref());
    } else if !audit::decide(world, &form.id, reason.clone())
        && !product_audit::decide(world, &form.id, reason)
    {
        return Err(format!("nothing called `{}` waits for a decision", form.id));
    }
    drop(state);
    Ok(waiting(account))
}

fn category_name(third_cat_id: i64) -> String {
    let name = category::find(third_cat_id).map(|found| found.to_json()["third_cat_name"].clone());
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    format!("{third_cat_id} {name}").trim_end().to_owned()
}

fn brand_name(info: &Fields) -> &str {
    text(info, "brand_wording").unwrap_or_default()
}

/// The only scene group has a number for an id, which no product of a merchant needs to have.
const SCENE_ID: &str = "scene-group-1";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Shop, event_names, example};
    use crate::sandbox::calls::bench::product;

    #[test]
    fn what_waits_is_listed_and_decided_by_its_id() {
        let shop = Shop::new();
        assert_eq!(shop.bench.control("GET", "audits", "").1, json!([]));
        shop.bench.post("/shop/spu/add", &product("A"));
        shop.bench.post("/shop/audit/audit_category", &example("/shop/audit/audit_category"));
        shop.bench.post("/shop/audit/audit_brand", &example("/shop/audit/audit_brand"));
        shop.bench.post("/shop/register/apply_scene", &json!({"scene_group_id": 1}));
        let waiting = shop.bench.control("GET", "audits", "").1;
        let kinds = waiting.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap());
        assert_eq!(kinds.collect::<Vec<_>>(), ["product", "category", "brand", "scene"]);
        assert_eq!(waiting[0]["name"], product("A")["title"]);
        assert!(waiting.as_array().unwrap().iter().all(|one| one["name"] != ""), "{waiting}");
        for (at, pass) in [(0, true), (1, false), (2, true), (3, false)] {
            let form = json!({"id": waiting[at]["id"], "pass": pass, "reason": "because"});
            let (status, left) = shop.bench.control("POST", "audits", &form.to_string());
            assert_eq!((status, left.as_array().unwrap().len()), (200, 3 - at), "{left}");
            let again = shop.bench.control("POST", "audits", &form.to_string());
            assert_eq!(again.0, 400, "{again:?}");
        }
        assert_eq!(
            event_names(&shop.bench),
            [
                "open_product_spu_audit",
                "open_product_category_audit",
                "open_product_brand_audit",
                "open_product_scene_group_audit"
            ]
        );
        assert_eq!(shop.bench.control("POST", "audits", "{}").0, 400);
    }
}
