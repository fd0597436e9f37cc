//! Which credential a call takes, and where it stands in the request.

use super::known_path::KnownPath;
pub use super::{
    credential_call::{
        CredentialCall, is_operator_only, issues_credentials, may_issue_wecom_token,
    },
    secret_place::{SECRET_FIELDS, SECRET_PARAMETERS, SecretPlace, app_id_name, secret_place},
};
use crate::base::kind::AccountKind;

/// What a call proves itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// The account's access token, or the token of a merchant that a third-party platform acts for.
    AppToken,
    /// The third-party platform's own token.
    ComponentToken,
    /// The AppSecret itself.
    AppSecret,
    /// An end user's OAuth token: the caller has it, nothing is added.
    UserToken,
    /// Nothing at all.
    None,
}

impl Credential {
    /// The word of the catalogue's file.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "token" => Self::AppToken,
            "component" => Self::ComponentToken,
            "secret" => Self::AppSecret,
            "user" => Self::UserToken,
            "none" => Self::None,
            _ => return None,
        })
    }

    /// Whether the gateway puts a token into the query for such a call.
    #[must_use]
    pub fn is_token(self) -> bool {
        matches!(self, Self::AppToken | Self::ComponentToken)
    }
}

/// The credential that a call takes.
///
/// The catalogue decides, and by path where the method is not the documented one: a wrong
/// method must not put a token where a secret belongs. A path that the catalogue does not have
/// takes the app token, but for `/sns/`, whose calls take anything but that.
#[must_use]
pub fn needed(kind: AccountKind, method: &http::Method, path: &str) -> Credential {
    match kind {
        AccountKind::Generic => Credential::None,
        AccountKind::Wecom => KnownPath::of(path).on_wecom(path).needed(method),
        AccountKind::MiniProgram | AccountKind::OfficialAccount | AccountKind::OpenPlatform => {
            KnownPath::of(path).needed(method)
        }
    }
}

/// The name of the query parameter that carries the token of a call.
///
/// Most component calls accept both names. `component_access_token` is that of the classic
/// pages and of the SDKs for the paths below; the others only ever showed `access_token`.
#[must_use]
pub fn token_parameter(credential: Credential, path: &str) -> &'static str {
    let classic = CLASSIC_COMPONENT_PATHS.iter().any(|prefix| has_prefix(path, prefix));
    if credential == Credential::ComponentToken && classic && path != BETA_REGISTRATION {
        COMPONENT_TOKEN_PARAMETER
    } else {
        TOKEN_PARAMETER
    }
}

const CLASSIC_COMPONENT_PATHS: [&str; 3] = ["/cgi-bin/component/", "/sns/", "/wxa/component/"];

/// The one call under `/wxa/component/` whose page has always shown `access_token`.
const BETA_REGISTRATION: &str = "/wxa/component/fastregisterbetaweapp";

/// The query parameter of an access token.
pub const TOKEN_PARAMETER: &str = "access_token";
/// The query parameter of a third-party platform's token.
pub const COMPONENT_TOKEN_PARAMETER: &str = "component_access_token";

/// In any letter case, as the platform might read it.
pub(super) fn has_prefix(path: &str, prefix: &str) -> bool {
    path.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::wechat::class_of;

    fn of(path: &str) -> Credential {
        needed(AccountKind::MiniProgram, &Method::GET, path)
    }

    #[test]
    fn calls_without_an_app_token_take_what_the_platform_documents() {
        for path in [
            "/cgi-bin/token",
            "/cgi-bin/stable_token",
            "/cgi-bin/gettoken",
            "/cgi-bin/clear_quota/v2",
            "/cgi-bin/component/clear_quota/v2",
            "/cgi-bin/component/api_component_token",
            "/cgi-bin/component/api_start_push_ticket",
            "/sns/jscode2session",
            "/sns/oauth2/access_token",
        ] {
            assert_eq!(of(path), Credential::AppSecret, "{path}");
        }
        for path in ["/sns/userinfo", "/sns/auth", "/sns/oauth2/refresh_token", "/sns/new"] {
            assert_eq!(of(path), Credential::UserToken, "{path}");
        }
        for path in [
            "/sns/component/jscode2session",
            "/sns/oauth2/component/access_token",
            "/sns/oauth2/component/refresh_token",
            "/cgi-bin/component/api_create_preauthcode",
            "/cgi-bin/component/api_query_auth",
            "/cgi-bin/component/api_get_authorizer_option",
            "/cgi-bin/component/clear_quota",
            "/cgi-bin/component/unheard_of",
            "/wxa/gettemplatelist",
        ] {
            assert_eq!(of(path), Credential::ComponentToken, "{path}");
        }
    }

    #[test]
    fn everything_else_takes_the_app_token_even_an_unknown_path() {
        for path in [
            "/shop/spu/add",
            "/cgi-bin/user/get",
            "/cgi-bin/clear_quota",
            "/cgi-bin/component/setprivacysetting",
            "/unheard/of",
            "/snsx",
            "/",
            "",
        ] {
            assert_eq!(of(path), Credential::AppToken, "{path}");
        }
    }

    #[test]
    fn neither_method_nor_spelling_puts_a_token_where_a_secret_belongs() {
        for method in [Method::GET, Method::POST, Method::PUT, Method::HEAD] {
            for path in ["/sns/jscode2session", "/sns/jscode2session/", "/SNS/JsCode2Session"] {
                let found = needed(AccountKind::MiniProgram, &method, path);
                assert_eq!(found, Credential::AppSecret, "{method} {path}");
            }
        }
        assert_eq!(of("/Sns/unknown"), Credential::UserToken);
    }

    #[test]
    fn a_generic_account_gets_nothing_of_wechat() {
        for path in ["/cgi-bin/token", "/sns/userinfo", "/orders"] {
            assert_eq!(needed(AccountKind::Generic, &Method::GET, path), Credential::None);
        }
    }

    #[test]
    fn component_calls_carry_the_name_that_their_pages_show() {
        let component = |path| token_parameter(Credential::ComponentToken, path);
        assert_eq!(component("/cgi-bin/component/api_query_auth"), "component_access_token");
        assert_eq!(component("/sns/component/jscode2session"), "component_access_token");
        assert_eq!(component("/wxa/gettemplatelist"), "access_token");
        assert_eq!(component(BETA_REGISTRATION), "access_token");
        let app = token_parameter(Credential::AppToken, "/cgi-bin/component/setprivacysetting");
        assert_eq!(app, "access_token");
    }

    #[test]
    fn the_exempt_registration_is_in_the_catalogue() {
        assert!(class_of(&Method::POST, BETA_REGISTRATION).is_some());
    }
}
