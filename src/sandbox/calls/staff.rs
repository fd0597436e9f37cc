//! Accounts of the people who answer customers.

use serde_json::json;

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Deleting is documented as a GET, and as a POST for mini programs: both are taken.
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[
    CallSpec::post("/customservice/kfaccount/add", add),
    CallSpec::post("/customservice/kfaccount/update", rename),
    CallSpec::get("/customservice/kfaccount/del", dismiss).by_any_method(),
    CallSpec::get("/cgi-bin/customservice/getkflist", list),
    CallSpec::get("/cgi-bin/customservice/getonlinekflist", list_online),
];

fn name<'a>(cx: &'a Cx<'_>) -> &'a str {
    cx.form.text("kf_account").or_else(|| cx.query.value("kf_account")).unwrap_or_default()
}

fn add(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().staff.add(name(cx), cx.form.text("nickname").unwrap_or_default())?;
    Ok(Answer::done())
}

fn rename(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().staff.rename(name(cx), cx.form.text("nickname").unwrap_or_default())?;
    Ok(Answer::done())
}

fn dismiss(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().staff.dismiss(name(cx))?;
    Ok(Answer::done())
}

fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&json!({ "kf_list": cx.state().staff.to_json() })))
}

/// Nobody of a simulated staff is ever online.
fn list_online(_: &Cx<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::json(&json!({ "kf_online_list": [] })))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;
    use serde_json::json;

    #[test]
    fn staff_is_added_listed_and_deleted_either_way() {
        let bench = Bench::new();
        let post = |rest: &str, body: &serde_json::Value| {
            bench.post(&format!("/customservice/kfaccount/{rest}"), body).errcode
        };
        for n in 1..=2 {
            let clerk = json!({"kf_account": format!("test{n}@test"), "nickname": "客服"});
            assert_eq!(post("add", &clerk), Some(0));
        }
        assert_eq!(post("add", &json!({"kf_account": "test1"})), Some(65404));
        assert_eq!(post("update", &json!({"kf_account": "x@y", "nickname": "x"})), Some(65401));
        let list = || bench.get_with_token("/cgi-bin/customservice/getkflist", "").json();
        assert_eq!(list()["kf_list"][0]["kf_id"], 1001);
        let path = "/customservice/kfaccount/del";
        assert_eq!(bench.get_with_token(path, "kf_account=test1@test").errcode, Some(0));
        assert_eq!(post("del", &json!({"kf_account": "test2@test"})), Some(0));
        assert_eq!(list(), json!({"kf_list": []}));
        let online = bench.get_with_token("/cgi-bin/customservice/getonlinekflist", "").json();
        assert_eq!(online, json!({"kf_online_list": []}));
    }
}
