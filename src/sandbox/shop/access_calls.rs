//! Calls of the access process.

use serde_json::{Map, json};

use super::{
    access,
    fields::{amount, number},
    scene_audit,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    due::Due,
    refusal::Refusal,
    world::World,
};

/// Fields and errcodes as in the documents of the component (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/register/apply", apply),
    CallSpec::shop("/shop/register/check", check),
    CallSpec::shop("/shop/register/finish_access_info", finish),
    CallSpec::shop("/shop/register/apply_scene", apply_scene),
    CallSpec::shop("/shop/scene/check", check_scene),
];

/// Opens the component after the switch's delay; the real one took a working day or two. A
/// repeat changes nothing.
fn apply(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    if let Some(errcode) = state.settings.component.standard_component_errcode {
        return Err(Refusal::new(errcode));
    }
    let delay_ms = i64::from(state.settings.component.register_delay_s) * 1000;
    let is_joined = state.shop.access.is_joined();
    let mut world = cx.world(state);
    if !is_joined && delay_ms == 0 {
        join(&mut world);
    } else if !is_joined {
        world.later(delay_ms, Due::Registration);
    }
    Ok(cx.done_plainly())
}

/// The component is open from now on.
pub(in crate::sandbox) fn join(world: &mut World<'_>) {
    if !world.state.shop.access.is_joined() {
        world.state.shop.access.join();
        tell_registration(world, 2);
    }
}

/// The component is cancelled: orders and products stay, categories and brands are gone.
pub(in crate::sandbox) fn leave(world: &mut World<'_>) {
    world.state.shop.access.leave();
    world.state.shop.audits.clear();
    tell_registration(world, 10);
}

fn tell_registration(world: &mut World<'_>, status: u8) {
    let body = json!({ "status": status });
    let fields = Map::from_iter([("OpenProductAccountRegister".to_owned(), body)]);
    world.tell("open_product_account_register", fields);
}

/// 1040003 until the component was applied for.
fn check(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let access = &state.shop.access;
    let status = match (state.settings.component.component_banned, access.is_joined()) {
        (true, _) => 3,
        (false, true) => 2,
        (false, false) => return Err(Refusal::new(1_040_003)),
    };
    Ok(cx.done(json!({ "data": {
        "status": status,
        "access_info": access.flags(),
        "scene_group_list": [access.scene_json()],
    } })))
}

/// The Finish button. A step that no traffic has proven cannot be finished; the platform's code
/// for that is not known.
fn finish(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let wanted = number(cx.body(), "access_info_item").and_then(access::item);
    let usual = state.settings.component.argument_errcode;
    let item = wanted.ok_or_else(|| Refusal::with(usual, "access_info_item"))?;
    let access = &mut state.shop.access;
    if item.needs.is_some_and(|proof| !access.is_proven(proof)) {
        return Err(Refusal::with(
            state.settings.component.step_open_errcode,
            "the step is not done",
        ));
    }
    let is_last = item.needs.is_none();
    if is_last && state.settings.component.require_order_of_items && !access.is_tested() {
        return Err(Refusal::with(
            state.settings.component.step_open_errcode,
            "other steps are open",
        ));
    }
    access.finish(item);
    Ok(cx.done_plainly())
}

/// Group 1 is the only one.
fn apply_scene(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    if number(cx.body(), "scene_group_id") != Some(1) {
        return Err(Refusal::with(
            state.settings.component.argument_errcode,
            "scene_group_id is 1",
        ));
    }
    if state.settings.component.require_order_of_items && !state.shop.access.is_all_finished() {
        return Err(Refusal::with(
            state.settings.component.step_open_errcode,
            "other steps are open",
        ));
    }
    scene_audit::apply(&mut cx.world(state));
    Ok(cx.done_plainly())
}

/// Whether payments that began in the scene are verified.
fn check_scene(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let scene = amount(cx.body(), "scene").unwrap_or_default();
    let is_matched = state.settings.component.scene_values.contains(&scene);
    Ok(cx.done(json!({ "is_matched": u8::from(is_matched) })))
}

impl access::Access {
    /// Whether every item that traffic proves is finished, in either generation.
    fn is_tested(&self) -> bool {
        let any = |numbers: &[u64]| numbers.iter().any(|number| self.is_finished(*number));
        any(&[6]) && any(&[7, 19]) && any(&[8]) && any(&[9, 20])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::event_names;
    use crate::sandbox::calls::bench::{Bench, product};

    fn post(bench: &Bench, rest: &str, body: &Value) -> Option<i64> {
        bench.post(&format!("/shop/{rest}"), body).errcode
    }

    fn checked(bench: &Bench) -> Value {
        bench.post("/shop/register/check", &json!({})).json()["data"].clone()
    }

    #[test]
    fn the_component_is_joined_before_it_is_checked() {
        let bench = Bench::new();
        assert_eq!(post(&bench, "register/check", &json!({})), Some(1_040_003));
        assert_eq!(post(&bench, "register/apply", &json!({})), Some(0));
        assert_eq!(post(&bench, "register/apply", &json!({})), Some(0), "a repeat is harmless");
        let data = checked(&bench);
        assert_eq!(data["status"], 2);
        let flags = data["access_info"].as_object().unwrap();
        assert!(flags.len() == 15 && flags.values().all(|flag| *flag == 0), "{data}");
        assert_eq!(data["scene_group_list"][0]["status"], 3);
        assert_eq!(event_names(&bench), ["open_product_account_register"]);
    }

    #[test]
    fn with_the_switch_nothing_works_before_the_component_is_open() {
        let bench = Bench::new();
        bench.set(&json!({"require_component": true, "register_delay_s": 3600}));
        assert_eq!(post(&bench, "cat/get", &json!({})), Some(48001));
        let province = post(&bench, "ec/category/getcategoryrule", &json!({"category_id": 7523}));
        assert_eq!(province, Some(0), "the store's calls live on");
        assert_eq!(post(&bench, "register/apply", &json!({})), Some(0));
        assert_eq!(post(&bench, "cat/get", &json!({})), Some(48001));
        bench.control("POST", "clock", r#"{"advance_s":3600}"#);
        assert_eq!(post(&bench, "cat/get", &json!({})), Some(0));
        bench.set(&json!({"component_banned": true}));
        assert_eq!(post(&bench, "cat/get", &json!({})), Some(48004));
        assert_eq!(checked(&bench)["status"], 3);
        bench.set(&json!({"component_banned": false, "standard_component_errcode": 48001}));
        assert_eq!(post(&bench, "register/apply", &json!({})), Some(48001));
    }

    #[test]
    fn a_step_is_finished_when_traffic_has_proven_it() {
        let bench = Bench::new();
        post(&bench, "register/apply", &json!({}));
        let finish = |item: u64| {
            post(&bench, "register/finish_access_info", &json!({"access_info_item": item}))
        };
        assert_eq!(finish(6), Some(990_022));
        assert_eq!(finish(5), Some(40097));
        bench.post("/shop/spu/add", &product("A"));
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(checked(&bench)["access_info"]["spu_audit_success"], 1);
        assert_eq!(finish(6), Some(0));
        assert_eq!(finish(10), Some(0));
        bench.set(&json!({"require_order_of_items": true}));
        assert_eq!(finish(11), Some(990_022), "other steps are open");
        let flags = checked(&bench)["access_info"].clone();
        assert_eq!(
            (&flags["spu_audit_finished"], &flags["test_api_finished"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(flags["open_product_task_finished"], 0);
    }

    #[test]
    fn a_scene_is_audited_and_applied_for_again_when_it_failed() {
        let bench = Bench::new();
        post(&bench, "register/apply", &json!({}));
        let apply =
            |group: u64| post(&bench, "register/apply_scene", &json!({"scene_group_id": group}));
        let advance = || bench.control("POST", "clock", r#"{"advance_s":60}"#);
        let state = || checked(&bench)["scene_group_list"][0].clone();
        assert_eq!(apply(2), Some(40097));
        bench.set(&json!({"audit_reject_reason": "no customer service page"}));
        assert_eq!(apply(1), Some(0));
        assert_eq!(state()["status"], 0);
        advance();
        assert_eq!(
            (&state()["status"], &state()["reason"]),
            (&json!(2), &json!("no customer service page"))
        );
        bench.set(&json!({"audit_reject_reason": null}));
        apply(1);
        advance();
        assert_eq!(state()["scene_group_ext_list"][1]["status"], 1);
        assert_eq!(event_names(&bench).len(), 3);
    }

    #[test]
    fn payments_are_verified_in_the_scenes_of_channels() {
        let bench = Bench::new();
        for (scene, is_matched) in [(1177, 1), (1001, 0)] {
            let answer = bench.post("/shop/scene/check", &json!({"scene": scene})).json();
            assert_eq!(answer["is_matched"], is_matched, "{scene}");
        }
        assert_eq!(post(&bench, "scene/check", &json!({"scene": "1177"})), Some(40097));
    }
}
