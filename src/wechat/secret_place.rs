//! Where a call carries the AppSecret.

/// The query parameters that may hold an AppSecret.
pub const SECRET_PARAMETERS: [&str; 3] = ["secret", "appsecret", "corpsecret"];

/// The top-level JSON fields that may hold an AppSecret.
pub const SECRET_FIELDS: [&str; 4] =
    ["secret", "appsecret", "component_appsecret", "component_secret"];

/// Where the AppSecret of a call stands, with the parameter's or field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// A query parameter.
    Query(&'static str),
    /// A top-level field of the JSON body.
    Json(&'static str),
    /// The documentation shows both: wherever the caller wrote it, else the JSON field if
    /// there is a JSON body, else the query.
    Either {
        /// The query parameter.
        query: &'static str,
        /// The JSON field.
        json: &'static str,
    },
}

impl SecretPlace {
    /// The query parameter, if the query may carry it.
    #[must_use]
    pub fn query(self) -> Option<&'static str> {
        match self {
            Self::Query(name) | Self::Either { query: name, .. } => Some(name),
            Self::Json(_) => None,
        }
    }

    /// The JSON field, if the body may carry it.
    #[must_use]
    pub fn json(self) -> Option<&'static str> {
        match self {
            Self::Json(name) | Self::Either { json: name, .. } => Some(name),
            Self::Query(_) => None,
        }
    }
}

/// Where a call that takes the AppSecret carries it.
///
/// Meant for paths whose credential is the AppSecret; all of those are listed. For any other
/// path it says what the family of `/sns/` does.
#[must_use]
pub fn secret_place(path: &str) -> SecretPlace {
    listed(path).map_or(SecretPlace::Query("secret"), |row| row.place)
}

/// The name beside it that carries the AppID: `appid`, `component_appid` or `corpid`.
#[must_use]
pub fn app_id_name(path: &str) -> &'static str {
    listed(path).map_or("appid", |row| row.app_id)
}

/// One call that takes the AppSecret.
struct Row {
    path: &'static str,
    app_id: &'static str,
    place: SecretPlace,
}

/// Like the catalogue: without a trailing slash, in any letter case.
fn listed(path: &str) -> Option<&'static Row> {
    let path = path.strip_suffix('/').unwrap_or(path);
    ROWS.iter().find(|row| row.path.eq_ignore_ascii_case(path))
}

const fn row(path: &'static str, app_id: &'static str, place: SecretPlace) -> Row {
    Row { path, app_id, place }
}

/// From the platform's pages of these calls. `clear_quota/v2` lists body fields, and its
/// example writes them into the query; `api_start_push_ticket` has a field name of its own.
/// `code2verifyinfo` wants AppID and secret of the multi-end app, so it works only for an
/// account that is one.
const ROWS: [Row; 10] = [
    row("/sns/jscode2session", "appid", SecretPlace::Query("secret")),
    row("/cgi-bin/token", "appid", SecretPlace::Query("secret")),
    row("/cgi-bin/stable_token", "appid", SecretPlace::Json("secret")),
    row("/cgi-bin/gettoken", "corpid", SecretPlace::Query("corpsecret")),
    row("/sns/oauth2/access_token", "appid", SecretPlace::Query("secret")),
    row(
        "/cgi-bin/clear_quota/v2",
        "appid",
        SecretPlace::Either { query: "appsecret", json: "appsecret" },
    ),
    row("/donut/code2verifyinfo", "appid", SecretPlace::Query("appsecret")),
    row(
        "/cgi-bin/component/api_component_token",
        "component_appid",
        SecretPlace::Json("component_appsecret"),
    ),
    row(
        "/cgi-bin/component/api_start_push_ticket",
        "component_appid",
        SecretPlace::Json("component_secret"),
    ),
    row("/cgi-bin/component/clear_quota/v2", "component_appid", SecretPlace::Json("appsecret")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::{Credential, catalogue};

    #[test]
    fn every_call_that_takes_the_secret_is_listed_and_no_other() {
        for call in catalogue::calls() {
            let takes_secret = call.credential == Credential::AppSecret;
            assert_eq!(listed(call.path).is_some(), takes_secret, "{}", call.path);
        }
        for row in ROWS {
            assert!(catalogue::lookup_path(row.path).is_some(), "{}", row.path);
        }
    }

    #[test]
    fn every_name_is_one_that_the_gateway_looks_at() {
        for row in ROWS {
            assert!(row.place.query().is_none_or(|name| SECRET_PARAMETERS.contains(&name)));
            assert!(row.place.json().is_none_or(|name| SECRET_FIELDS.contains(&name)));
        }
    }

    #[test]
    fn a_documented_secret_field_agrees_with_the_catalogue() {
        for row in ROWS {
            let call = catalogue::lookup_path(row.path).unwrap();
            let name = row.place.query().or_else(|| row.place.json()).unwrap();
            assert!(call.never_store.contains(&name), "{} hides {name}", row.path);
        }
    }

    #[test]
    fn the_login_call_carries_it_in_the_query() {
        assert_eq!(secret_place("/sns/jscode2session"), SecretPlace::Query("secret"));
        assert_eq!(app_id_name("/cgi-bin/gettoken"), "corpid");
        assert_eq!(secret_place("/cgi-bin/stable_token/").query(), None);
    }
}
