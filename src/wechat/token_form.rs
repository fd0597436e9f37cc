//! A call that asks for a token, as the platform reads it: its form, and the texts of refusals.

use serde::Deserialize;

use super::credential_call::CredentialCall;

/// What a caller of a token call wrote. Whether the secret opens anything is for others to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenForm {
    /// `appid` or `corpid`.
    pub app_id: String,
    /// Whether there was any secret at all.
    pub has_secret: bool,
    /// Whether `grant_type` is what the call wants; WeCom wants none.
    pub has_grant_type: bool,
}

/// A refusal in the platform's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformRefusal {
    /// Its number.
    pub errcode: i64,
    /// Its text, without the `rid` behind it.
    pub errmsg: &'static str,
}

/// Reads a token call: `query` gives a decoded parameter.
///
/// The order of complaints is the platform's: method, body, AppID; then, for whoever knows about
/// secrets, secret and grant type. Pages "getAccessToken" and "getStableAccessToken"
/// (developers.weixin.qq.com, read 2026-08), WeCom's page 91039.
///
/// # Errors
/// [`PlatformRefusal`] for a form that the platform does not take.
pub fn read(
    call: CredentialCall,
    method: &http::Method,
    query: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> Result<TokenForm, PlatformRefusal> {
    let given = |name| query(name).filter(|text| !text.is_empty());
    match call {
        CredentialCall::StableToken => read_stable(method, body),
        CredentialCall::ComponentToken => read_component(method, body),
        CredentialCall::CorpToken => Ok(TokenForm {
            app_id: given("corpid").ok_or(CORP_ID_MISSING)?,
            has_secret: given("corpsecret").is_some(),
            has_grant_type: true,
        }),
        _ => Ok(TokenForm {
            app_id: given("appid").ok_or(APP_ID_MISSING)?,
            has_secret: given("secret").is_some(),
            has_grant_type: given("grant_type").as_deref() == Some(GRANT_TYPE),
        }),
    }
}

/// `api_component_token`. The ticket in it is read by nobody: the gateway has its own.
fn read_component(method: &http::Method, body: &[u8]) -> Result<TokenForm, PlatformRefusal> {
    let wire: Wire = read_json(method, body)?;
    Ok(TokenForm {
        app_id: text(&wire.component_appid).ok_or(APP_ID_MISSING)?,
        has_secret: text(&wire.component_appsecret).is_some(),
        has_grant_type: true,
    })
}

fn read_json(method: &http::Method, body: &[u8]) -> Result<Wire, PlatformRefusal> {
    if method != http::Method::POST {
        return Err(POST_ONLY);
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(NO_BODY);
    }
    serde_json::from_slice(body).map_err(|_| NO_JSON)
}

fn text(value: &Option<serde_json::Value>) -> Option<String> {
    let text = value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    (!text.is_empty()).then(|| text.to_owned())
}

fn read_stable(method: &http::Method, body: &[u8]) -> Result<TokenForm, PlatformRefusal> {
    let wire = read_json(method, body)?;
    if wire.force_refresh.is_some_and(|value| !value.is_boolean() && !value.is_null()) {
        return Err(NO_JSON);
    }
    Ok(TokenForm {
        app_id: text(&wire.appid).ok_or(APP_ID_MISSING)?,
        has_secret: text(&wire.secret).is_some(),
        has_grant_type: text(&wire.grant_type).as_deref() == Some(GRANT_TYPE),
    })
}

/// Any type passes here, because the platform takes a wrong type for a missing field.
#[derive(Deserialize)]
struct Wire {
    appid: Option<serde_json::Value>,
    secret: Option<serde_json::Value>,
    grant_type: Option<serde_json::Value>,
    force_refresh: Option<serde_json::Value>,
    component_appid: Option<serde_json::Value>,
    component_appsecret: Option<serde_json::Value>,
}

impl CredentialCall {
    /// Whether it hands out an account's access token for its AppID and AppSecret.
    #[must_use]
    pub fn is_token(self) -> bool {
        match self {
            Self::ClassicToken | Self::StableToken | Self::CorpToken | Self::ComponentToken => true,
            Self::Ticket
            | Self::AuthorizerToken
            | Self::QueryAuth
            | Self::AuthorizerInfo
            | Self::AuthorizerList => false,
        }
    }

    /// What an AppID is answered that nobody has.
    #[must_use]
    pub fn unknown_app(self) -> PlatformRefusal {
        match self {
            Self::ComponentToken => COMPONENT_INVALID,
            _ => APP_ID_INVALID,
        }
    }

    /// What a secret is answered that opens nothing. WeCom says so with another number.
    #[must_use]
    pub fn wrong_secret(self) -> PlatformRefusal {
        match self {
            Self::CorpToken => WRONG_CORP_SECRET,
            _ => WRONG_SECRET,
        }
    }
}

const fn refusal(errcode: i64, errmsg: &'static str) -> PlatformRefusal {
    PlatformRefusal { errcode, errmsg }
}

/// The only value that the two calls of WeChat take.
const GRANT_TYPE: &str = "client_credential";

/// A token that the platform does not know, or knows no more: an SDK fetches another.
pub const TOKEN_INVALID: PlatformRefusal = refusal(
    40_001,
    "invalid credential, access_token is invalid or not latest, could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
);
/// A token whose time is over: an SDK fetches another.
pub const TOKEN_EXPIRED: PlatformRefusal = refusal(42_001, "access_token expired");
/// Any other grant type.
pub const GRANT_TYPE_INVALID: PlatformRefusal = refusal(40_002, "invalid grant_type");
/// No such app, or not for this caller.
pub const APP_ID_INVALID: PlatformRefusal = refusal(40_013, "invalid appid");
/// No secret.
pub const SECRET_MISSING: PlatformRefusal = refusal(41_004, "appsecret missing");
/// A path that the platform does not have.
pub const URL_INVALID: PlatformRefusal = refusal(40_066, "invalid url");
/// Another third-party platform's AppID, or none's.
pub const COMPONENT_INVALID: PlatformRefusal = refusal(61_011, "invalid component");
/// A merchant that does not authorize the platform.
pub const NOT_AUTHORIZED: PlatformRefusal =
    refusal(61_003, "component is not authorized by this account");
/// A refresh token that is not, or no more, the merchant's.
pub const REFRESH_TOKEN_INVALID: PlatformRefusal = refusal(61_023, "refresh_token is invalid");
/// A merchant's token on a call that takes the platform's own.
pub const COMPONENT_TOKEN_WANTED: PlatformRefusal =
    refusal(61_014, "must use component token for component api");
/// Another method.
pub const POST_ONLY: PlatformRefusal = refusal(43_002, "require POST method");
/// Nothing was sent.
pub const NO_BODY: PlatformRefusal = refusal(44_002, "empty post data");
/// No JSON object, or one with a wrong type in it.
pub const NO_JSON: PlatformRefusal = refusal(47_001, "data format error");
const APP_ID_MISSING: PlatformRefusal = refusal(41_002, "appid missing");
const CORP_ID_MISSING: PlatformRefusal = refusal(41_002, "corpid missing");
const WRONG_SECRET: PlatformRefusal = refusal(40_125, "invalid appsecret");
const WRONG_CORP_SECRET: PlatformRefusal = refusal(40_001, "invalid credential");

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn classic(query: &[(&str, &str)]) -> Result<TokenForm, i64> {
        let value = |name: &str| {
            query.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        read(CredentialCall::ClassicToken, &Method::GET, value, b"")
            .map_err(|refusal| refusal.errcode)
    }

    fn stable(method: &Method, body: &str) -> Result<TokenForm, i64> {
        read(CredentialCall::StableToken, method, |_| None, body.as_bytes())
            .map_err(|refusal| refusal.errcode)
    }

    #[test]
    fn the_classic_call_needs_an_app_id_and_notes_the_rest() {
        let whole = classic(&[("appid", "wx1"), ("secret", "s"), ("grant_type", GRANT_TYPE)]);
        let form = TokenForm { app_id: "wx1".into(), has_secret: true, has_grant_type: true };
        assert_eq!(whole, Ok(form));
        assert_eq!(classic(&[("secret", "s")]), Err(41_002));
        assert_eq!(classic(&[("appid", "")]), Err(41_002));
        let bare = classic(&[("appid", "wx1"), ("grant_type", "x")]).unwrap();
        assert!(!bare.has_secret && !bare.has_grant_type);
    }

    #[test]
    fn the_stable_call_takes_a_json_object_by_post() {
        let whole = r#"{"appid":"wx1","secret":"s","grant_type":"client_credential"}"#;
        assert!(stable(&Method::POST, whole).is_ok_and(|form| form.has_secret));
        assert_eq!(stable(&Method::GET, whole), Err(43_002));
        for (body, errcode) in [
            ("", 44_002),
            (" \n", 44_002),
            ("{", 47_001),
            ("[]", 47_001),
            ("\"wx1\"", 47_001),
            ("{}", 41_002),
            (r#"{"appid":1}"#, 41_002),
            (r#"{"appid":"wx1","force_refresh":"true"}"#, 47_001),
        ] {
            assert_eq!(stable(&Method::POST, body), Err(errcode), "{body}");
        }
        assert!(stable(&Method::POST, r#"{"appid":"wx1","force_refresh":true}"#).is_ok());
    }

    #[test]
    fn a_component_is_named_in_json_and_its_ticket_is_not_asked_for() {
        let read = |body: &str| {
            let form =
                read(CredentialCall::ComponentToken, &Method::POST, |_| None, body.as_bytes());
            form.map_err(|refusal| refusal.errcode)
        };
        let form = read(r#"{"component_appid":"wxopen","component_appsecret":"s"}"#).unwrap();
        assert!(form.app_id == "wxopen" && form.has_secret && form.has_grant_type);
        assert_eq!((read("{}"), read("x")), (Err(41_002), Err(47_001)));
        assert_eq!(CredentialCall::ComponentToken.unknown_app().errcode, 61_011);
    }

    #[test]
    fn wecom_has_names_and_numbers_of_its_own() {
        let with = |corp: Option<&str>| {
            let corp = corp.map(str::to_owned);
            let value = move |name: &str| if name == "corpid" { corp.clone() } else { None };
            read(CredentialCall::CorpToken, &Method::GET, value, b"")
        };
        assert_eq!(with(None).unwrap_err().errmsg, "corpid missing");
        let form = with(Some("ww1")).unwrap();
        assert!(form.has_grant_type && !form.has_secret);
        assert_eq!(CredentialCall::CorpToken.wrong_secret().errcode, 40_001);
        assert_eq!(CredentialCall::StableToken.wrong_secret().errcode, 40_125);
    }
}
