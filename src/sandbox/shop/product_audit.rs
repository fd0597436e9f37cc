//! The decision about a submitted product.

use serde_json::Map;

use super::access::Proof;
use crate::sandbox::{due::Due, world::World};

/// Enters the decision of the product's latest submission.
pub(in crate::sandbox) fn enter(world: &mut World<'_>, out_product_id: &str) {
    let Ok(product) = world.state.shop.products.product(out_product_id, world.now_ms) else {
        return;
    };
    let delay_ms = product.decides_ms().saturating_sub(world.now_ms);
    world.later(delay_ms, Due::ProductAudit { out_product_id: out_product_id.to_owned() });
}

/// Tells of a decision whose time has come. A product that was withdrawn or submitted again
/// meanwhile has another entry.
pub(in crate::sandbox) fn decide_due(world: &mut World<'_>, out_product_id: &str) {
    let now_ms = world.now_ms;
    let Ok(product) = world.state.shop.products.product(out_product_id, now_ms) else { return };
    if !product.take_decision() {
        return;
    }
    let told = product.told(out_product_id);
    if product.is_passed() {
        world.state.shop.access.prove(Proof::SpuAudit);
    }
    world
        .tell("open_product_spu_audit", Map::from_iter([("OpenProductSpuAudit".to_owned(), told)]));
}

/// Decides the submission that waits now and not at its time, and tells of it; false if nothing
/// of that id waits.
pub(in crate::sandbox) fn decide(
    world: &mut World<'_>,
    out_product_id: &str,
    reject_reason: Option<String>,
) -> bool {
    let now_ms = world.now_ms;
    let product = world.state.shop.products.product(out_product_id, now_ms);
    let is_decided = product.is_ok_and(|product| product.decide(reject_reason, now_ms));
    if is_decided {
        decide_due(world, out_product_id);
    }
    is_decided
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::calls::bench::{Bench, product};

    #[test]
    fn a_decision_is_told_once_when_its_time_has_come() {
        let bench = Bench::new();
        let told = || bench.control("GET", "events", "").1;
        assert_eq!(bench.post("/shop/spu/add", &product("A")).errcode, Some(0));
        bench.set(&json!({"audit_reject_reason": "test goods"}));
        assert_eq!(bench.post("/shop/spu/add", &product("B")).errcode, Some(0));
        bench.control("POST", "clock", r#"{"advance_s":59}"#);
        assert_eq!(told()["events"], json!([]));
        bench.control("POST", "clock", r#"{"advance_s":600}"#);
        bench.post("/shop/spu/get", &json!({"out_product_id": "A"}));
        let told = told();
        let events = told["events"].as_array().unwrap();
        assert_eq!((events.len(), &told["next"]), (2, &json!(2)), "{told}");
        let message = &events[0]["message"];
        assert_eq!(message["Event"], "open_product_spu_audit");
        assert_eq!(message["OpenProductSpuAudit"]["status"], 4);
        assert_eq!(message["OpenProductSpuAudit"]["spu_status"], 5);
        assert_eq!(events[1]["message"]["OpenProductSpuAudit"]["reject_reason"], "test goods");
        let (_, later) = bench.control("GET", "events?after=1", "");
        assert_eq!(later["events"].as_array().unwrap().len(), 1);
        assert_eq!(bench.control("GET", "events?after=x", "").0, 400);
    }
}
