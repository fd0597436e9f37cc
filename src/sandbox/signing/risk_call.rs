//! A call that clients try their signing with: the rank of a user's risk.

use serde_json::json;

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Its page is the sample of API signing.
pub(super) const CALLS: &[CallSpec] = &[CallSpec::post("/wxa/getuserriskrank", rank)];

/// Nobody here is a risk.
fn rank(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    if cx.form.text("appid") != Some(cx.account.identity.app_id.as_str()) {
        return Err(Refusal::new(40013));
    }
    if cx.form.text("openid").is_none() {
        return Err(Refusal::new(40003));
    }
    if cx.form.integer("scene").is_none() {
        return Err(Refusal::with(40097, "scene"));
    }
    if cx.form.text("client_ip").is_none() {
        return Err(Refusal::with(40097, "client_ip"));
    }
    Ok(Answer::json(&json!({
        "errcode": 0, "errmsg": "getuserriskrank succ", "risk_rank": 0,
    })))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::json;

    #[test]
    fn a_user_has_a_rank_and_arguments_are_needed() {
        let bench = Bench::new();
        let good = json!({"appid": "wx1", "openid": "o1", "scene": 0, "client_ip": "127.0.0.1"});
        let ask = |body| bench.post("/wxa/getuserriskrank", &body);
        assert_eq!(ask(good.clone()).json()["risk_rank"], 0);
        for (name, errcode) in
            [("appid", 40013), ("openid", 40003), ("scene", 40097), ("client_ip", 40097)]
        {
            let mut bad = good.clone();
            bad[name] = json!(null);
            assert_eq!(ask(bad).errcode, Some(errcode), "{name}");
        }
    }
}
