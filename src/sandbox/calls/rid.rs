//! A refused call, looked up by its rid.

use serde_json::{Value, json};

use crate::{
    sandbox::{
        call::Answer,
        dispatch::{CallSpec, Cx},
        refusal::Refusal,
    },
    wechat::Rid,
};

/// The platform shows the whole call, its token too.
pub(in crate::sandbox) const CALLS: &[CallSpec] =
    &[CallSpec::post("/cgi-bin/openapi/rid/get", look_up)];

/// 76002 for what is no rid, 76003 for the rid of another account's call.
fn look_up(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let rid = cx.form.field("rid").and_then(Value::as_str).unwrap_or_default();
    if rid.parse::<Rid>().is_err() {
        return Err(Refusal::new(76002));
    }
    let told = cx.state().rids.tell(rid, cx.now_ms);
    let is_unknown = told.as_ref().is_err_and(|refusal| refusal.errcode == 76001);
    // No lock is held here: two accounts may ask for each other's calls at one time.
    if is_unknown && cx.others().any(|other| other.state().rids.has(rid)) {
        return Err(Refusal::new(76003));
    }
    Ok(Answer::json(&json!({ "errcode": 0, "errmsg": "ok", "request": told? })))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::{Bench, Seen, account};
    use serde_json::json;

    fn look_up(bench: &Bench, rid: &str) -> Seen {
        bench.post("/cgi-bin/openapi/rid/get", &json!({ "rid": rid }))
    }

    fn refused_rid(bench: &Bench, query: &str) -> String {
        let refused = bench.post_query("/cgi-bin/tags/create", query, "{}").json();
        refused["errmsg"].as_str().unwrap().rsplit_once("rid: ").unwrap().1.to_owned()
    }

    #[test]
    fn a_refused_call_is_shown_with_its_token_for_seven_days() {
        let bench = Bench::new();
        let query = format!("access_token={}", bench.token());
        let rid = refused_rid(&bench, &query);
        let request = look_up(&bench, &rid).json()["request"].clone();
        assert_eq!(request["request_url"], query);
        assert_eq!(request["request_body"], "{}");
        assert_eq!(request["client_ip"], "127.0.0.1");
        assert!(request["response_body"].as_str().unwrap().contains(&rid));
        bench.control("POST", "clock", r#"{"advance_s":604900}"#);
        assert_eq!(look_up(&bench, &rid).errcode, Some(76004));
    }

    #[test]
    fn a_refused_call_with_the_secret_is_shown_without_it() {
        let bench = Bench::new();
        let query = "appid=wx1&secret=s1&grant_type=x";
        let refused = bench.get("/cgi-bin/token", query).json();
        let rid = refused["errmsg"].as_str().unwrap().rsplit_once("rid: ").unwrap().1;
        assert_eq!(look_up(&bench, rid).json()["request"]["request_url"], "");
    }

    #[test]
    fn a_secret_where_no_call_wants_one_is_kept_nowhere() {
        let bench = Bench::new();
        bench.platform.add_account(account("other", "wx2", "a-secret-that-is-long")).unwrap();
        let query = format!("access_token={}&secret=a-secret-that-is-long", bench.token());
        bench.get("/cgi-bin/nothing", &query);
        bench.post_query("/cgi-bin/tags/create", &query, r#"{"a":"a-secret-that-is-long"}"#);
        let key = format!("wxgk_0123456789_{}", "a".repeat(43));
        bench.get(&format!("/{key}"), &query);
        bench.post_query("/cgi-bin/tags/create", &query, &json!({ "a": key }).to_string());
        let snapshot = bench.control("GET", "snapshot", "").1;
        let records = snapshot["state"]["rids"]["records"].as_array().unwrap();
        assert_eq!(records.len(), 4);
        assert!(records[0]["query"].as_str().unwrap().ends_with("&secret=***"), "{snapshot}");
        let snapshot = snapshot.to_string();
        assert!(!snapshot.contains("a-secret") && !snapshot.contains(&key[..20]), "{snapshot}");
    }

    #[test]
    fn what_is_no_rid_or_not_ours_is_refused() {
        let bench = Bench::new();
        for rid in ["", "x", "617682e0-09059ac5", "617682e0-09059ac5-34a8e2ea-1"] {
            assert_eq!(look_up(&bench, rid).errcode, Some(76002), "{rid}");
        }
        assert_eq!(look_up(&bench, "617682e0-09059ac5-34a8e2ea").errcode, Some(76001));
        bench.platform.add_account(account("other", "wx2", "s2")).unwrap();
        let grant = "grant_type=client_credential&appid=wx2&secret=s2";
        let token = bench.get("/cgi-bin/token", grant).json()["access_token"].clone();
        let query = format!("access_token={}", token.as_str().unwrap());
        let rid = refused_rid(&bench, &query);
        assert_eq!(look_up(&bench, &rid).errcode, Some(76003));
    }
}
