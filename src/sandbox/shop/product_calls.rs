//! Products of the transaction component.

use serde_json::{Map, Value, json};

use super::{
    product::{Product, Status},
    product_audit, product_change, product_form, product_list,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    form::Form,
    moment,
    refusal::Refusal,
    state::State,
    world::World,
};

/// Fields and errcodes as in the documents of the component (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/spu/add", add),
    CallSpec::shop("/shop/spu/get", get),
    CallSpec::shop("/shop/spu/update", update),
    CallSpec::shop("/shop/spu/update_without_audit", product_change::change),
    CallSpec::shop("/shop/spu/get_list", product_list::list),
    CallSpec::shop("/shop/spu/listing", list),
    CallSpec::shop("/shop/spu/delisting", delist),
    CallSpec::shop("/shop/spu/del", delete),
    CallSpec::shop("/shop/spu/del_audit", withdraw),
];

/// Adding submits the product for audit at once.
fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let out_product_id = out_product_id(cx)?;
    let out_product_id =
        out_product_id.ok_or_else(|| Refusal::with(9_401_020, "out_product_id"))?;
    let state = &mut *cx.state();
    state.shop.products.check_free(out_product_id)?;
    let draft = product_form::draft(body(cx.form)?, out_product_id, state)?;
    let world = cx.world(state);
    let sku_ids = sku_ids(&draft, &[], &world);
    let mut product_id = world.number(11);
    while world.state.shop.products.has(product_id) {
        product_id = world.number(11);
    }
    let audit_id = world.text(AUDIT_ID_LENGTH);
    let product = Product::new(product_id, draft, sku_ids, audit_id, &state.settings, cx.now_ms);
    let skus = product.skus_json();
    state.shop.products.add(out_product_id, product, cx.call.body.len())?;
    product_audit::enter(&mut cx.world(state), out_product_id);
    Ok(done(&json!({
        "product_id": product_id,
        "out_product_id": out_product_id,
        "create_time": moment::text(cx.now_ms),
        "skus": skus,
    })))
}

/// Writes the draft and submits it. While an audit runs it is refused, 9401023: whoever wants
/// to change something must withdraw first.
fn update(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let out_product_id = find(cx, state)?;
    let draft = product_form::draft(body(cx.form)?, &out_product_id, state)?;
    if state.shop.products.product(&out_product_id, cx.now_ms)?.is_under_audit() {
        return Err(Refusal::new(9_401_023));
    }
    state.shop.products.resize(&out_product_id, cx.call.body.len())?;
    let known = state.shop.products.product(&out_product_id, cx.now_ms)?.sku_ids.clone();
    let sku_ids = sku_ids(&draft, &known, &cx.world(state));
    let audit_id = cx.account.ids.text(AUDIT_ID_LENGTH);
    let product = state.shop.products.product(&out_product_id, cx.now_ms)?;
    product.update(draft, sku_ids, audit_id, &state.settings, cx.now_ms);
    let data = json!({
        "product_id": product.product_id,
        "out_product_id": out_product_id,
        "update_time": moment::text(cx.now_ms),
        "skus": product.skus_json(),
    });
    product_audit::enter(&mut cx.world(state), &out_product_id);
    Ok(done(&data))
}

/// `need_edit_spu` chooses the copy: 0 (the default) online, 1 draft.
fn get(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let is_draft = match cx.form.field("need_edit_spu").map(Value::as_i64) {
        None | Some(Some(0)) => false,
        Some(Some(1)) => true,
        Some(_) => return Err(Refusal::with(9_401_020, "need_edit_spu is 0 or 1")),
    };
    let state = &mut *cx.state();
    let out_product_id = find(cx, state)?;
    let spu = state.shop.products.product(&out_product_id, cx.now_ms)?.view(is_draft);
    Ok(Answer::ok("spu", &spu))
}

/// Puts back what the merchant took off, also while a draft is under audit. What the platform
/// took off, only the platform puts back.
fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    shift(cx, &[Status::Delisted], Status::OnSale)
}

/// Takes off what is on sale, or was never on sale.
fn delist(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    shift(cx, &[Status::Initial, Status::OnSale], Status::Delisted)
}

/// 9401023 from any other state.
fn shift(cx: &Cx<'_>, from: &[Status], to: Status) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let out_product_id = find(cx, state)?;
    let product = state.shop.products.product(&out_product_id, cx.now_ms)?;
    if !product.shift(from, to, cx.now_ms) {
        return Err(Refusal::new(9_401_023));
    }
    Ok(cx.done_plainly())
}

/// Takes the draft back from the audit; 9401023 while none runs.
fn withdraw(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let out_product_id = find(cx, state)?;
    if !state.shop.products.product(&out_product_id, cx.now_ms)?.withdraw() {
        return Err(Refusal::new(9_401_023));
    }
    Ok(cx.done_plainly())
}

/// For good: the id stays taken.
fn delete(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let out_product_id = find(cx, state)?;
    state.shop.products.delete(&out_product_id);
    Ok(Answer::json(&json!({ "errcode": 0, "errmsg": "ok" })))
}

/// The product that the body names by either id.
pub(super) fn find(cx: &Cx<'_>, state: &State) -> Result<String, Refusal> {
    let product_id = match cx.form.field("product_id") {
        None => None,
        Some(id) => Some(id.as_u64().ok_or_else(|| Refusal::with(9_401_020, "product_id"))?),
    };
    state.shop.products.resolve(product_id, out_product_id(cx)?)
}

/// The merchant's id, if it is given and has a sane length.
fn out_product_id<'a>(cx: &Cx<'a>) -> Result<Option<&'a str>, Refusal> {
    let bad = || Refusal::with(9_401_020, "out_product_id");
    match cx.form.field("out_product_id") {
        None => Ok(None),
        Some(Value::String(id)) if (1..=MOST_ID_BYTES).contains(&id.len()) => Ok(Some(id)),
        Some(_) => Err(bad()),
    }
}

/// The whole body; the call's form makes sure that there is one.
fn body(form: &Form) -> Result<&Map<String, Value>, Refusal> {
    match form {
        Form::Json(Value::Object(body)) => Ok(body),
        Form::Json(_) | Form::None | Form::Parts(_) | Form::Bad(_) => Err(Refusal::new(47001)),
    }
}

/// A SKU that was there before keeps its id.
fn sku_ids(
    draft: &Map<String, Value>,
    known: &[(String, u64)],
    world: &World<'_>,
) -> Vec<(String, u64)> {
    let old = |out: &str| known.iter().find(|(known, _)| known == out).map(|(_, id)| *id);
    product_form::out_sku_ids(draft)
        .map(|out| (out.to_owned(), old(out).unwrap_or_else(|| world.number(10))))
        .collect()
}

/// The envelope of add and update.
fn done(data: &Value) -> Answer {
    Answer::json(&json!({ "errcode": 0, "errmsg": "ok", "data": data }))
}

/// As in `RAAAAAhk7mUBwAEZ0TRpIA` of the documents.
const AUDIT_ID_LENGTH: usize = 22;
const MOST_ID_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, Seen, product};
    use serde_json::{Value, json};

    fn call(bench: &Bench, verb: &str, body: &Value) -> Seen {
        bench.post(&format!("/shop/spu/{verb}"), body)
    }

    fn wait(bench: &Bench, seconds: u32) {
        bench.control("POST", "clock", &json!({"advance_s": seconds}).to_string());
    }

    #[test]
    fn a_product_lives_from_add_to_delete() {
        let bench = Bench::new();
        let added = call(&bench, "add", &product("TEA-1")).json();
        assert_eq!(
            (&added["errcode"], &added["data"]["out_product_id"]),
            (&json!(0), &json!("TEA-1"))
        );
        assert_eq!(added["data"]["product_id"].to_string().len(), 11);
        let by_id = json!({"product_id": added["data"]["product_id"], "need_edit_spu": 1});
        wait(&bench, 2);
        assert_eq!(call(&bench, "get", &by_id).json()["spu"]["edit_status"], 2);
        assert_eq!(call(&bench, "update", &product("TEA-1")).errcode, Some(9_401_023));
        wait(&bench, 60);
        let spu = &call(&bench, "get", &json!({"out_product_id": "TEA-1"})).json()["spu"];
        assert_eq!((&spu["edit_status"], &spu["status"]), (&json!(4), &json!(5)));
        assert_eq!(spu["title"], product("TEA-1")["title"]);
        let mut changed = product("TEA-1");
        changed["title"] = json!("another");
        let updated = call(&bench, "update", &changed).json();
        assert_eq!(updated["data"]["skus"], added["data"]["skus"], "SKUs keep their ids");
        let online = call(&bench, "get", &json!({"out_product_id": "TEA-1"})).json();
        assert_eq!(online["spu"]["title"], product("TEA-1")["title"]);
        assert_eq!(call(&bench, "get", &by_id).json()["spu"]["title"], "another");
        assert_eq!(call(&bench, "del", &by_id).errcode, Some(0));
        assert_eq!(call(&bench, "get", &by_id).errcode, Some(9_401_002));
        assert_eq!(call(&bench, "add", &product("TEA-1")).errcode, Some(1_000_012));
    }

    #[test]
    fn ids_are_unique_named_and_exact() {
        let bench = Bench::new();
        bench.set(&json!({"large_ids": true}));
        let added = call(&bench, "add", &product("A")).json();
        let product_id = added["data"]["product_id"].as_u64().unwrap();
        assert!(product_id > 1 << 60);
        let body = json!({"product_id": product_id});
        assert_eq!(call(&bench, "get", &body).json()["spu"]["product_id"], product_id);
        assert_eq!(call(&bench, "add", &product("A")).errcode, Some(9_401_001));
        for body in [
            json!({}),
            json!({"product_id": "7"}),
            json!({"out_product_id": 7}),
            json!({"out_product_id": "A", "need_edit_spu": 2}),
        ] {
            assert_eq!(call(&bench, "get", &body).errcode, Some(9_401_020), "{body}");
        }
        let mut nameless = product("A");
        nameless.as_object_mut().unwrap().remove("out_product_id");
        assert_eq!(call(&bench, "add", &nameless).errcode, Some(9_401_020));
        assert_eq!(call(&bench, "del", &json!({"out_product_id": "B"})).errcode, Some(9_401_002));
    }

    #[test]
    fn a_seed_gives_the_same_ids_in_every_run() {
        let run = || {
            let bench = Bench::new();
            wait(&bench, 1);
            let added = call(&bench, "add", &product("A")).json();
            (added["data"]["product_id"].clone(), bench.token())
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn a_product_is_taken_off_and_put_back_and_its_draft_withdrawn() {
        let bench = Bench::new();
        let call = |rest: &str| {
            bench.post(&format!("/shop/spu/{rest}"), &json!({"out_product_id": "A"})).errcode
        };
        let states = || {
            let spu = bench.post("/shop/spu/get", &json!({"out_product_id": "A"})).json();
            (spu["spu"]["status"].as_u64().unwrap(), spu["spu"]["edit_status"].as_u64().unwrap())
        };
        assert_eq!(call("listing"), Some(9_401_002));
        bench.post("/shop/spu/add", &product("A"));
        assert_eq!(call("del_audit"), Some(9_401_023), "not taken up yet");
        bench.control("POST", "clock", r#"{"advance_s":1}"#);
        assert_eq!(call("del_audit"), Some(0));
        bench.control("POST", "clock", r#"{"advance_s":600}"#);
        assert_eq!(states(), (0, 1), "what was withdrawn is not decided");
        assert_eq!(bench.post("/shop/spu/update", &product("A")).errcode, Some(0));
        bench.control("POST", "clock", r#"{"advance_s":60}"#);
        assert_eq!(states(), (5, 4));
        assert_eq!(call("listing"), Some(9_401_023), "it is listed");
        assert_eq!(call("delisting"), Some(0));
        assert_eq!(states(), (11, 4));
        assert_eq!(call("delisting"), Some(9_401_023));
        assert_eq!(call("listing"), Some(0));
        assert_eq!(states(), (5, 4));
    }
}
