//! The accounts that authorized a third-party platform.

use serde_json::{Value, json};

use super::check_component;
use crate::{
    base::kind::AccountKind,
    sandbox::{
        call::Answer,
        credential::Credential,
        dispatch::{CallSpec, Cx},
        refusal::Refusal,
    },
};

/// Both tell refresh tokens again, for a platform that lost them.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/component/api_get_authorizer_list", list)
        .with(Credential::ComponentToken),
    CallSpec::post("/cgi-bin/component/api_get_authorizer_info", info)
        .with(Credential::ComponentToken),
];

/// A page of them, by AppID.
fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_component(cx, cx.form.text("component_appid"))?;
    let number = |name: &str| {
        let number = cx.form.integer(name).and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| Refusal::with(40097, name))
    };
    let (offset, count) = (number("offset")?, number("count")?);
    if count > MOST_LISTED {
        return Err(Refusal::with(40097, "count"));
    }
    let state = cx.state();
    let all = state.open.authorizations();
    let listed: Vec<Value> = all
        .skip(offset)
        .take(count)
        .map(|(app_id, one)| {
            json!({
                "authorizer_appid": app_id,
                "refresh_token": one.refresh_token,
                "auth_time": one.authorized_ms / 1000,
            })
        })
        .collect();
    let total = state.open.authorizations().count();
    Ok(Answer::json(&json!({ "total_count": total, "list": listed })))
}

/// One of them: what it is, and what it granted.
fn info(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    check_component(cx, cx.form.text("component_appid"))?;
    let app_id = cx.form.text("authorizer_appid").ok_or_else(|| Refusal::new(40013))?;
    let state = cx.state();
    let one = state.open.authorization(app_id)?;
    let granted = json!({
        "authorizer_appid": app_id,
        "authorizer_refresh_token": one.refresh_token,
        "func_info": one.func_info(),
    });
    drop(state);
    let account = cx.roster.by_app_id(app_id, |kind| kind != AccountKind::OpenPlatform);
    let account = account.ok_or_else(|| Refusal::new(61003))?;
    let mut shown = json!({
        "nick_name": account.identity.name,
        "head_img": "",
        "service_type_info": { "id": 0 },
        "verify_type_info": { "id": 0 },
        "user_name": account.original_id(),
        "principal_name": "wxgate sandbox",
        "alias": "",
        "qrcode_url": "",
        "signature": "",
    });
    if account.identity.kind == AccountKind::MiniProgram {
        // Its presence is how a client tells mini programs from official accounts.
        shown["MiniProgramInfo"] = json!({ "network": {}, "categories": [], "visit_status": 0 });
    }
    Ok(Answer::json(&json!({ "authorizer_info": shown, "authorization_info": granted })))
}

/// The page's own limit.
const MOST_LISTED: usize = 500;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::open::token_calls::tests::Duo;

    #[test]
    fn a_lost_refresh_token_is_found_again() {
        let duo = Duo::new();
        let token = duo.authorize(r#"{"appid":"wx1"}"#)["authorizer_refresh_token"].clone();
        let page = json!({ "offset": 0, "count": 100 });
        let listed = duo.component("api_get_authorizer_list", &page).json();
        assert_eq!(
            (&listed["total_count"], &listed["list"][0]["refresh_token"]),
            (&json!(1), &token)
        );
        let info = |app_id: &str| {
            duo.component("api_get_authorizer_info", &json!({ "authorizer_appid": app_id }))
        };
        let known = info("wx1").json();
        assert_eq!(known["authorization_info"]["authorizer_refresh_token"], token);
        assert_eq!(known["authorizer_info"]["nick_name"], "shop");
        assert!(known["authorizer_info"]["MiniProgramInfo"].is_object());
        assert_eq!(info("wx7").errcode, Some(61003));
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        let duo = Duo::new();
        for page in
            [json!({}), json!({"offset": -1, "count": 1}), json!({"offset": 0, "count": 501})]
        {
            let refused = duo.component("api_get_authorizer_list", &page).errcode;
            assert_eq!(refused, Some(40097), "{page}");
        }
    }
}
