//! Members and departments.

use serde_json::{Value, json};

use super::directory::{
    DEPARTMENTS, Department, MEMBERS, Member, is_department, is_within, member,
};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// The calls by which SDKs try whether a token is good.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::get("/cgi-bin/user/get", user),
    CallSpec::get("/cgi-bin/user/simplelist", simple_list),
    CallSpec::get("/cgi-bin/department/list", departments),
];

/// One member with what an internal app may see.
fn user(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let userid = cx.query.value("userid").ok_or_else(|| Refusal::new(41009))?;
    let found = member(userid).ok_or_else(|| Refusal::new(60111))?;
    Ok(Answer::json(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "userid": found.userid,
        "name": found.name,
        "department": [found.department],
        "main_department": found.department,
        "position": "",
        "status": 1,
    })))
}

/// The members of a department, with `fetch_child=1` also of those below it.
fn simple_list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let id = cx.query.value("department_id").ok_or_else(|| Refusal::new(41019))?;
    let id = known_department(id)?;
    let is_deep = cx.query.value("fetch_child") == Some("1");
    let belongs =
        |one: &&Member| one.department == id || (is_deep && is_within(one.department, id));
    let shown = |one: &Member| json!({ "userid": one.userid, "name": one.name, "department": [one.department] });
    let list: Vec<Value> = MEMBERS.iter().filter(belongs).map(shown).collect();
    Ok(Answer::ok("userlist", &list))
}

/// All departments, or one with those below it.
fn departments(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let top = cx.query.value("id").map_or(Ok(1), known_department)?;
    let shown = |one: &Department| json!({ "id": one.id, "name": one.name, "parentid": one.parent_id, "order": one.id });
    let list: Vec<Value> =
        DEPARTMENTS.iter().filter(|one| is_within(one.id, top)).map(shown).collect();
    Ok(Answer::ok("department", &list))
}

fn known_department(text: &str) -> Result<i64, Refusal> {
    let id = text.parse().ok().filter(|id| is_department(*id));
    id.ok_or_else(|| Refusal::new(60003))
}

#[cfg(test)]
mod tests {
    use crate::{base::kind::AccountKind, sandbox::calls::bench::Bench};

    #[test]
    fn members_are_found_by_id_and_by_department() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        let get = |path: &str, query: &str| bench.get_with_token(path, query);
        let found = get("/cgi-bin/user/get", "userid=zhangsan").json();
        assert_eq!(
            (found["userid"].as_str(), found["name"].as_str()),
            (Some("ZhangSan"), Some("张三"))
        );
        assert_eq!(get("/cgi-bin/user/get", "userid=x").errcode, Some(60111));
        assert_eq!(get("/cgi-bin/user/get", "").errcode, Some(41009));
        let count = |query: &str| {
            let list = get("/cgi-bin/user/simplelist", query).json();
            list["userlist"].as_array().map(Vec::len)
        };
        assert_eq!((count("department_id=1"), count("department_id=2")), (Some(0), Some(2)));
        assert_eq!(count("department_id=1&fetch_child=1"), Some(3));
        assert_eq!(get("/cgi-bin/user/simplelist", "").errcode, Some(41019));
        assert_eq!(get("/cgi-bin/user/simplelist", "department_id=9").errcode, Some(60003));
    }

    #[test]
    fn departments_come_as_a_tree_from_any_of_them() {
        let bench = Bench::of_kind(AccountKind::Wecom);
        let count = |query: &str| {
            let list = bench.get_with_token("/cgi-bin/department/list", query).json();
            list["department"].as_array().map(Vec::len)
        };
        assert_eq!((count(""), count("id=2"), count("id=x")), (Some(3), Some(1), None));
    }
}
