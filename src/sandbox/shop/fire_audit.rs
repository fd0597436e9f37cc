//! Decisions of the platform, let happen by hand: audits, products taken off, registration.

use serde_json::{Map, json};

use super::{
    access_calls,
    audit::{self, Subject},
    fields::{Fields, number, objects, text},
    fire,
    product::Status,
    product_audit, scene_audit,
};
use crate::sandbox::{state::State, world::World};

/// None for an event that is no decision of the platform.
pub(in crate::sandbox) fn happen(
    world: &mut World<'_>,
    event: &str,
    set: &Fields,
) -> Option<Result<(), String>> {
    Some(match event {
        "open_product_account_register" => register(world, fire::inner(set, REGISTRATION)),
        "open_product_category_audit" => certificate(world, event, fire::inner(set, CERTIFICATE)),
        "open_product_brand_audit" => certificate(world, event, fire::inner(set, CERTIFICATE)),
        "open_product_spu_audit" => product(world, fire::inner(set, PRODUCT)),
        "open_product_spu_status_update" => shift(world, fire::inner(set, PRODUCT)),
        "open_product_scene_group_audit" => scene(world, fire::inner(set, SCENE)),
        _ => return None,
    })
}

/// 2 opens the component, 10 cancels it.
fn register(world: &mut World<'_>, set: &Fields) -> Result<(), String> {
    let is_joined = world.state.shop.access.is_joined();
    match (number(set, "status").unwrap_or(2), is_joined) {
        (2, false) => access_calls::join(world),
        (10, true) => access_calls::leave(world),
        (2, true) => return Err("the component is open already; status 10 cancels it".to_owned()),
        (10, false) => return Err("the component is not open; status 2 opens it".to_owned()),
        _ => return Err("status is 2 or 10".to_owned()),
    }
    Ok(())
}

/// 1 passes, 9 rejects.
fn certificate(world: &mut World<'_>, event: &str, set: &Fields) -> Result<(), String> {
    let reason = reject_reason(set, 1, 9)?;
    let is_category = event == "open_product_category_audit";
    let needs = if is_category { "category under audit" } else { "brand under audit" };
    let waiting = world.state.shop.audits.waiting().filter(|(_, one)| match one.subject {
        Subject::Category { .. } => is_category,
        Subject::Brand { .. } => !is_category,
    });
    let waiting: Vec<(String, String)> =
        waiting.map(|(id, _)| (id.to_owned(), id.to_owned())).collect();
    let audit_id = named(waiting, text(set, "audit_id"), event, needs)?;
    audit::decide(world, &audit_id, reason);
    Ok(())
}

/// 4 passes, 3 rejects.
fn product(world: &mut World<'_>, set: &Fields) -> Result<(), String> {
    let reason = reject_reason(set, 4, 3)?;
    let now_ms = world.now_ms;
    let waiting = world.state.shop.products.named(now_ms).filter(|(_, one)| one.is_waiting());
    let waiting: Vec<(String, String)> =
        waiting.map(|(id, _)| (id.to_owned(), id.to_owned())).collect();
    let wanted = product_id(world.state, set)?;
    let event = "open_product_spu_audit";
    let id = named(waiting, wanted.as_deref(), event, "product that waits for its audit")?;
    product_audit::decide(world, &id, reason);
    Ok(())
}

/// 13 takes off what is on sale, 5 puts it back.
fn shift(world: &mut World<'_>, set: &Fields) -> Result<(), String> {
    let event = "open_product_spu_status_update";
    let (from, to, needs) = match number(set, "status").unwrap_or(13) {
        13 => (Status::OnSale, Status::TakenOff, "product with status 5"),
        5 => (Status::TakenOff, Status::OnSale, "product with status 13"),
        _ => return Err("status is 13 or 5".to_owned()),
    };
    let now_ms = world.now_ms;
    let waiting = world.state.shop.products.named(now_ms).filter(|(_, one)| one.status() == from);
    let waiting: Vec<(String, String)> =
        waiting.map(|(id, _)| (id.to_owned(), id.to_owned())).collect();
    let wanted = product_id(world.state, set)?;
    let id = named(waiting, wanted.as_deref(), event, needs)?;
    let product = world.state.shop.products.product(&id, now_ms);
    let product = product.map_err(|refusal| refusal.errmsg.into_owned())?;
    product.shift(&[from], to, now_ms);
    let mut told = product.told(&id);
    told["status"] = json!(to as u8);
    told["reject_reason"] = json!(text(set, "reject_reason").unwrap_or_default());
    world.tell(event, Map::from_iter([(PRODUCT.to_owned(), told)]));
    Ok(())
}

/// 1 passes, 2 fails; with 1, an item of `scene_group_ext_list` that has 2 fails alone.
fn scene(world: &mut World<'_>, set: &Fields) -> Result<(), String> {
    let reason = match number(set, "status").unwrap_or(1) {
        1 => None,
        2 => Some(text(set, "reason").unwrap_or(REJECTED)),
        _ => return Err("status is 1 or 2".to_owned()),
    };
    let status = world.state.shop.access.scene().status;
    if status != 0 {
        return Err(format!("the scene group has status {status}; apply for it first"));
    }
    let failed =
        objects(set, "scene_group_ext_list").find(|item| number(item, "status") == Some(2));
    let failed = failed.and_then(|item| number(item, "ext_id")).filter(|id| (1..=2).contains(id));
    match failed.filter(|_| reason.is_none()) {
        Some(ext_id) => {
            scene_audit::fail_item(world, ext_id, text(set, "reason").unwrap_or(REJECTED));
        }
        None => scene_audit::decide(world, reason),
    }
    Ok(())
}

/// The product that either id names, by the merchant's.
fn product_id(state: &State, set: &Fields) -> Result<Option<String>, String> {
    let (product_id, out_product_id) = (number(set, "product_id"), text(set, "out_product_id"));
    if product_id.is_none() && out_product_id.is_none() {
        return Ok(None);
    }
    let found = state.shop.products.resolve(product_id, out_product_id);
    found.map(Some).map_err(|refusal| refusal.errmsg.into_owned())
}

/// The named one, if it waits; else the only one.
fn named(
    waiting: Vec<(String, String)>,
    wanted: Option<&str>,
    event: &str,
    needs: &str,
) -> Result<String, String> {
    let Some(wanted) = wanted else { return fire::only(waiting, event, needs) };
    let found = waiting.into_iter().find(|(id, _)| id == wanted).map(|(id, _)| id);
    found.ok_or_else(|| format!("{event}: `{wanted}` is no {needs}"))
}

/// Why it is rejected; none where it passes, which it does unless `set` says otherwise.
fn reject_reason(set: &Fields, passed: u64, rejected: u64) -> Result<Option<String>, String> {
    match number(set, "status").unwrap_or(passed) {
        status if status == passed => Ok(None),
        status if status == rejected => {
            Ok(Some(text(set, "reject_reason").unwrap_or(REJECTED).to_owned()))
        }
        _ => Err(format!("status is {passed} or {rejected}")),
    }
}

/// What is said where nobody gives a reason.
pub(in crate::sandbox) const REJECTED: &str = "审核不通过";
const REGISTRATION: &str = "OpenProductAccountRegister";
const CERTIFICATE: &str = "QualificationAuditResult";
const PRODUCT: &str = "OpenProductSpuAudit";
const SCENE: &str = "SceneGroupAudit";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Shop, event_names, example};
    use crate::sandbox::calls::bench::product;

    #[test]
    fn a_product_is_decided_taken_off_and_restored() {
        let shop = Shop::new();
        for id in ["A", "B"] {
            assert_eq!(shop.bench.post("/shop/spu/add", &product(id)).errcode, Some(0));
        }
        let audit = "open_product_spu_audit";
        let several = shop.fire(audit, &json!({})).unwrap_err();
        assert!(several.ends_with("name it in `set`: B, A"), "{several}");
        let passed = json!({"OpenProductSpuAudit": {"out_product_id": "A", "status": 4}});
        let told = shop.fire(audit, &passed).unwrap();
        assert_eq!(told["OpenProductSpuAudit"]["spu_status"], 5);
        let rejected = json!({"status": 3, "reject_reason": "test goods"});
        let told = shop.fire(audit, &rejected).unwrap();
        assert_eq!(told["OpenProductSpuAudit"]["reject_reason"], "test goods");
        assert!(shop.fire(audit, &passed).unwrap_err().contains("`A` is no product that waits"));
        let event = "open_product_spu_status_update";
        let told = shop.fire(event, &json!({})).unwrap();
        assert_eq!(told["OpenProductSpuAudit"]["status"], 13);
        assert!(shop.fire(event, &json!({"status": 13})).is_err(), "nothing is on sale");
        let told = shop.fire(event, &json!({"status": 5, "out_product_id": "A"})).unwrap();
        assert_eq!(told["OpenProductSpuAudit"]["spu_status"], 5);
        shop.advance(600);
        assert_eq!(event_names(&shop.bench).len(), 4, "nothing is decided twice");
        assert!(shop.fire(event, &json!({"status": 7})).is_err());
        assert!(shop.fire(event, &json!({"out_product_id": "Z"})).is_err());
    }

    #[test]
    fn certificates_the_scene_and_the_registration_are_decided() {
        let shop = Shop::new();
        let category = example("/shop/audit/audit_category");
        let brand = example("/shop/audit/audit_brand");
        assert_eq!(shop.bench.post("/shop/audit/audit_category", &category).errcode, Some(0));
        assert_eq!(shop.bench.post("/shop/audit/audit_brand", &brand).errcode, Some(0));
        let told = shop.fire("open_product_category_audit", &json!({})).unwrap();
        assert_eq!(told["QualificationAuditResult"]["status"], 1);
        let rejected = json!({"QualificationAuditResult": {"status": 9}});
        let told = shop.fire("open_product_brand_audit", &rejected).unwrap();
        assert_eq!(told["QualificationAuditResult"]["reject_reason"], super::REJECTED);
        assert!(shop.fire("open_product_brand_audit", &json!({})).is_err());
        let scene = "open_product_scene_group_audit";
        assert!(shop.fire(scene, &json!({})).is_err(), "nobody applied for it");
        shop.bench.post("/shop/register/apply_scene", &json!({"scene_group_id": 1}));
        let told = shop.fire(scene, &json!({"status": 2, "reason": "no shop"})).unwrap();
        assert_eq!(told["SceneGroupAudit"]["reason"], "no shop");
        shop.bench.post("/shop/register/apply_scene", &json!({"scene_group_id": 1}));
        let item = json!({"scene_group_ext_list": [{"ext_id": 2, "status": 2}]});
        shop.fire(scene, &item).unwrap();
        let group = shop.bench.post("/shop/register/check", &json!({})).json();
        let group = &group["data"]["scene_group_list"][0];
        assert_eq!(
            (&group["status"], &group["scene_group_ext_list"][1]["status"]),
            (&json!(1), &json!(2))
        );
        shop.bench.post("/shop/register/apply_scene", &json!({"scene_group_id": 1}));
        shop.fire(scene, &json!({})).unwrap();
        let register = "open_product_account_register";
        assert!(shop.fire(register, &json!({"status": 2})).is_err(), "it is open");
        shop.fire(register, &json!({"status": 10})).unwrap();
        assert!(shop.fire(register, &json!({"status": 10})).is_err(), "it is not open");
        shop.fire(register, &json!({})).unwrap();
    }
}
