//! What a merchant tells buyers of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fields::{Fields, at, text};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// As `update_info` set it; empty before.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Merchant {
    info: Fields,
}

/// Fields as in the documents of the component (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::shop("/shop/account/update_info", update),
    CallSpec::shop("/shop/account/get_info", show),
];

impl Merchant {
    /// Whether buyers reach the customer service of the mini program, which the dedicated
    /// merchant account asks for; also while nothing was set.
    pub(in crate::sandbox) fn is_serving(&self) -> bool {
        let kinds = at(&self.info, "service_agent_type").and_then(Value::as_array);
        kinds.is_none_or(|kinds| kinds.contains(&json!(0)))
    }

    /// Where buyers send goods back to.
    pub(in crate::sandbox) fn return_address(&self) -> Option<&Fields> {
        at(&self.info, "default_receiving_address")?.as_object()
    }
}

/// Kind 1 needs a page, kind 2 a phone number.
fn update(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = &mut *cx.state();
    let body = cx.body();
    let usual = state.settings.component.argument_errcode;
    let bad = |field: &'static str| Refusal::with(usual, field);
    let kinds = at(body, "service_agent_type").and_then(Value::as_array);
    let kinds = kinds.filter(|kinds| !kinds.is_empty()).ok_or_else(|| bad("service_agent_type"))?;
    for kind in kinds {
        match kind.as_u64() {
            Some(0) => {}
            Some(1) if text(body, "service_agent_path").is_none() => {
                return Err(bad("service_agent_path"));
            }
            Some(2) if text(body, "service_agent_phone").is_none() => {
                return Err(bad("service_agent_phone"));
            }
            Some(1 | 2) => {}
            _ => return Err(bad("service_agent_type")),
        }
    }
    if at(body, "default_receiving_address").is_some() {
        for field in ["receiver_name", "detailed_address", "tel_number"] {
            if text(body, &format!("default_receiving_address.{field}")).is_none() {
                return Err(bad("default_receiving_address"));
            }
        }
    }
    for name in FIELDS {
        if let Some(value) = body.get(*name) {
            state.shop.merchant.info.insert((*name).to_owned(), value.clone());
        }
    }
    Ok(cx.done_plainly())
}

fn show(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(cx.done(json!({ "data": cx.state().shop.merchant.info })))
}

const FIELDS: &[&str] = &[
    "service_agent_type",
    "service_agent_path",
    "service_agent_phone",
    "default_receiving_address",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::calls::bench::{Bench, product};

    #[test]
    fn what_was_set_is_shown_and_the_rest_is_empty() {
        let bench = Bench::new();
        let update = |body: &Value| bench.post("/shop/account/update_info", body).errcode;
        let address = json!({"receiver_name": "何青", "detailed_address": "茶园路 18 号", "tel_number": "13800571234"});
        assert_eq!(
            update(
                &json!({"service_agent_type": [0, 2], "service_agent_phone": "1", "default_receiving_address": address})
            ),
            Some(0)
        );
        let data = bench.post("/shop/account/get_info", &json!({})).json()["data"].clone();
        assert_eq!(data["service_agent_type"], json!([0, 2]));
        assert_eq!(data["default_receiving_address"]["receiver_name"], "何青");
        assert_eq!(
            (&data["service_agent_path"], &data["default_receiving_address"]["city"]),
            (&json!(""), &json!(""))
        );
    }

    #[test]
    fn each_kind_of_service_needs_its_own() {
        let bench = Bench::new();
        let update = |body: Value| bench.post("/shop/account/update_info", &body).errcode;
        for wrong in [
            json!({}),
            json!({"service_agent_type": []}),
            json!({"service_agent_type": [3]}),
            json!({"service_agent_type": [1]}),
            json!({"service_agent_type": [2]}),
            json!({"service_agent_type": [0], "default_receiving_address": {"receiver_name": "x"}}),
        ] {
            assert_eq!(update(wrong.clone()), Some(40097), "{wrong}");
        }
        assert_eq!(update(json!({"service_agent_type": [2], "service_agent_phone": "1"})), Some(0));
        let refused = bench.post("/shop/spu/add", &product("A")).errcode;
        assert_eq!(refused, Some(1_040_042), "the mini program's own service is missing");
        assert_eq!(update(json!({"service_agent_type": [0]})), Some(0));
        assert_eq!(bench.post("/shop/spu/add", &product("A")).errcode, Some(0));
    }
}
