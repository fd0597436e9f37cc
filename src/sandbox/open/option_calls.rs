//! Options of an account that a third-party platform may read and set.

use serde::{Deserialize, Serialize};
use serde_json::json;

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

/// The older paths take the platform's own token and name the account in the body.
pub(super) const CALLS: &[CallSpec] = &[
    CallSpec::post("/cgi-bin/component/get_authorizer_option", show).with(Credential::ActingToken),
    CallSpec::post("/cgi-bin/component/set_authorizer_option", set).with(Credential::ActingToken),
    CallSpec::post("/cgi-bin/component/api_get_authorizer_option", show_named)
        .with(Credential::ComponentToken),
    CallSpec::post("/cgi-bin/component/api_set_authorizer_option", set_named)
        .with(Credential::ComponentToken),
];

/// What an account has set; all off at first.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Options {
    location_report: u8,
    voice_recognize: u8,
    customer_service: u8,
}

impl Options {
    /// The slot of an option, with its highest value: 61012.
    fn slot(&mut self, name: Option<&str>) -> Result<(&mut u8, u8), Refusal> {
        match name {
            Some("location_report") => Ok((&mut self.location_report, 2)),
            Some("voice_recognize") => Ok((&mut self.voice_recognize, 1)),
            Some("customer_service") => Ok((&mut self.customer_service, 1)),
            Some(_) | None => Err(Refusal::new(61012)),
        }
    }

    /// 61013 for a value that the option does not have.
    fn set(&mut self, name: Option<&str>, value: Option<i64>) -> Result<(), Refusal> {
        let (slot, highest) = self.slot(name)?;
        let value = value.and_then(|value| u8::try_from(value).ok());
        *slot = value.filter(|value| *value <= highest).ok_or_else(|| Refusal::new(61013))?;
        Ok(())
    }
}

fn show(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let name = cx.form.text("option_name");
    let (value, _) = cx.state().options.slot(name).map(|(slot, highest)| (*slot, highest))?;
    Ok(Answer::json(&json!({
        "errcode": 0, "errmsg": "ok", "option_name": name, "option_value": value.to_string(),
    })))
}

fn set(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    cx.state().options.set(cx.form.text("option_name"), cx.form.integer("option_value"))?;
    Ok(Answer::done())
}

fn show_named(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (app_id, name) = (cx.form.text("authorizer_appid"), cx.form.text("option_name"));
    let value = of_named(cx, |options| options.slot(name).map(|(slot, _)| *slot))?;
    Ok(Answer::json(&json!({
        "authorizer_appid": app_id, "option_name": name, "option_value": value.to_string(),
    })))
}

fn set_named(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let (name, value) = (cx.form.text("option_name"), cx.form.integer("option_value"));
    of_named(cx, |options| options.set(name, value))?;
    Ok(Answer::done())
}

/// Works on the options of the account that the body names: 61003 without its authorization.
fn of_named<T>(
    cx: &Cx<'_>,
    work: impl FnOnce(&mut Options) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    check_component(cx, cx.form.text("component_appid"))?;
    let app_id = cx.form.text("authorizer_appid").ok_or_else(|| Refusal::new(40013))?;
    cx.state().open.authorization(app_id)?;
    let account = cx.roster.by_app_id(app_id, |kind| kind != AccountKind::OpenPlatform);
    let account = account.ok_or_else(|| Refusal::new(61003))?;
    work(&mut account.state().options)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::open::token_calls::tests::Duo;

    #[test]
    fn what_is_set_by_one_path_is_read_by_the_other() {
        let duo = Duo::new();
        let query = format!("access_token={}", duo.acting_token());
        let acting =
            |call: &str, body| duo.post(&format!("/cgi-bin/component/{call}"), &query, &body);
        let set = json!({ "option_name": "location_report", "option_value": "2" });
        assert_eq!(acting("set_authorizer_option", set).errcode, Some(0));
        let named = json!({ "authorizer_appid": "wx1", "option_name": "location_report" });
        let shown = duo.component("api_get_authorizer_option", &named).json();
        assert_eq!(shown["option_value"], "2");
        let set = json!({
            "authorizer_appid": "wx1", "option_name": "voice_recognize", "option_value": "1",
        });
        assert_eq!(duo.component("api_set_authorizer_option", &set).errcode, Some(0));
        let shown = acting("get_authorizer_option", json!({"option_name": "voice_recognize"}));
        assert_eq!(shown.json()["option_value"], "1");
    }

    #[test]
    fn unknown_names_values_and_accounts_are_refused() {
        let duo = Duo::new();
        duo.acting_token();
        for (app_id, name, value, errcode) in [
            ("wx1", "x", "1", 61012),
            ("wx1", "voice_recognize", "2", 61013),
            ("wx1", "location_report", "-1", 61013),
            ("wx7", "location_report", "1", 61003),
        ] {
            let body = json!({
                "authorizer_appid": app_id, "option_name": name, "option_value": value,
            });
            let refused = duo.component("api_set_authorizer_option", &body).errcode;
            assert_eq!(refused, Some(errcode), "{body}");
        }
    }
}
