//! Ids of attribution, as the client call `wx.checkBeforeAddOrder` gives them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fields::{Fields, amount, text};
use crate::sandbox::{account::Account, control_form};

/// Each belongs to one user and lives ten minutes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Traces(BTreeMap<String, Trace>);

#[derive(Debug, Serialize, Deserialize)]
struct Trace {
    openid: String,
    until_ms: i64,
}

impl Traces {
    /// Notes an id that was given to `openid`. When there are too many, those that are over go,
    /// then all.
    pub(in crate::sandbox) fn note(&mut self, trace_id: String, openid: &str, now_ms: i64) {
        if self.0.len() >= MOST_TRACES {
            self.0.retain(|_, trace| trace.until_ms > now_ms);
        }
        if self.0.len() >= MOST_TRACES {
            self.0.clear();
        }
        let until_ms = now_ms.saturating_add(LIFE_MS);
        self.0.insert(trace_id, Trace { openid: openid.to_owned(), until_ms });
    }

    /// Whether the id is this user's and not over; none for one that was not given out here.
    pub(in crate::sandbox) fn is_good(
        &self,
        trace_id: &str,
        openid: &str,
        now_ms: i64,
    ) -> Option<bool> {
        let trace = self.0.get(trace_id)?;
        Some(trace.openid == openid && now_ms < trace.until_ms)
    }
}

/// What the client call `wx.checkBeforeAddOrder` tells a user of the mini program: that an order
/// is needed, for which account, and the id of the attribution.
pub(in crate::sandbox) fn give(account: &Account, body: &[u8]) -> Result<Value, String> {
    let fields: Fields = control_form::read(body)?;
    let openid = text(&fields, "openid").filter(|openid| openid.len() <= MOST_OPENID_BYTES);
    let openid = openid.ok_or("`openid` says whose order it is going to be")?;
    let state = &mut *account.state();
    let scene = amount(&fields, "scene");
    let is_matched =
        scene.is_none_or(|scene| state.settings.component.scene_values.contains(&scene));
    let trace_id = format!("1_{}", account.ids.text(32));
    state.shop.traces.note(trace_id.clone(), openid, account.now_ms());
    Ok(json!({
        "requireOrder": u8::from(is_matched),
        "requiredFundType": 1,
        "traceId": trace_id,
    }))
}

const LIFE_MS: i64 = 600_000;
const MOST_TRACES: usize = 10_000;
/// Four times as long as the platform's.
const MOST_OPENID_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::shop::testing::{Shop, order};

    #[test]
    fn an_order_takes_the_id_of_its_buyer_only() {
        let shop = Shop::new();
        let give = |body: Value| shop.bench.control("POST", "traces", &body.to_string());
        assert_eq!(give(json!({})).0, 400);
        let trace = |openid: &Value| give(json!({"openid": openid, "scene": 1177})).1;
        let mut body = order(&shop.bench, "SO1", 1);
        let given = trace(&body["openid"]);
        assert_eq!(given["requireOrder"], 1);
        let add = |body: &Value| shop.bench.post("/shop/order/add", body).errcode;
        body["trace_id"] = trace(&json!("oSomebodyElse"))["traceId"].clone();
        assert_eq!(add(&body), Some(1_010_061));
        body["trace_id"] = given["traceId"].clone();
        assert_eq!(add(&body), Some(0));
        shop.bench.set(&json!({"require_known_trace": true}));
        body["trace_id"] = json!("1_unknown");
        assert_eq!(add(&body), Some(1_010_061));
    }

    #[test]
    fn an_id_is_good_for_its_user_and_ten_minutes() {
        let mut traces = Traces::default();
        traces.note("t".to_owned(), "alice", 0);
        assert_eq!(traces.is_good("t", "alice", LIFE_MS - 1), Some(true));
        assert_eq!(traces.is_good("t", "alice", LIFE_MS), Some(false));
        assert_eq!(traces.is_good("t", "bob", 0), Some(false));
        assert_eq!(traces.is_good("u", "alice", 0), None);
    }
}
