//! The calls that hand out credentials, or that only an operator may make.

/// A call whose answer holds credentials. The gateway answers it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialCall {
    /// `GET /cgi-bin/token`.
    ClassicToken,
    /// `POST /cgi-bin/stable_token`.
    StableToken,
    /// `GET /cgi-bin/gettoken` of WeCom.
    CorpToken,
    /// `GET /cgi-bin/ticket/getticket`.
    Ticket,
    /// `api_component_token`: the third-party platform's own token.
    ComponentToken,
    /// `api_authorizer_token`: a merchant's token for its refresh token.
    AuthorizerToken,
    /// `api_query_auth`: a merchant's token and refresh token for an authorization code.
    QueryAuth,
    /// `api_get_authorizer_info`: holds the refresh token.
    AuthorizerInfo,
    /// `api_get_authorizer_list`: holds all refresh tokens.
    AuthorizerList,
}

impl CredentialCall {
    /// Whether its answer tells a third-party platform of merchants, tokens included.
    #[must_use]
    pub fn tells_of_merchants(self) -> bool {
        match self {
            Self::QueryAuth | Self::AuthorizerInfo | Self::AuthorizerList => true,
            Self::ClassicToken
            | Self::StableToken
            | Self::CorpToken
            | Self::Ticket
            | Self::ComponentToken
            | Self::AuthorizerToken => false,
        }
    }

    /// Its path on the platform.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::ClassicToken => "/cgi-bin/token",
            Self::StableToken => "/cgi-bin/stable_token",
            Self::CorpToken => "/cgi-bin/gettoken",
            Self::Ticket => "/cgi-bin/ticket/getticket",
            Self::ComponentToken => "/cgi-bin/component/api_component_token",
            Self::AuthorizerToken => "/cgi-bin/component/api_authorizer_token",
            Self::QueryAuth => "/cgi-bin/component/api_query_auth",
            Self::AuthorizerInfo => "/cgi-bin/component/api_get_authorizer_info",
            Self::AuthorizerList => "/cgi-bin/component/api_get_authorizer_list",
        }
    }

    /// Every one of them.
    pub const ALL: [Self; 9] = [
        Self::ClassicToken,
        Self::StableToken,
        Self::CorpToken,
        Self::Ticket,
        Self::ComponentToken,
        Self::AuthorizerToken,
        Self::QueryAuth,
        Self::AuthorizerInfo,
        Self::AuthorizerList,
    ];
}

/// Whether the path is one of a call whose answer holds credentials. In any letter case and
/// with a trailing slash too, so that no spelling gets such an answer past the gateway.
#[must_use]
pub fn issues_credentials(path: &str) -> Option<CredentialCall> {
    let path = path.strip_suffix('/').unwrap_or(path);
    // All begin so: most requests are told apart by one comparison.
    path.get(..CGI_BIN.len()).filter(|begin| begin.eq_ignore_ascii_case(CGI_BIN))?;
    CredentialCall::ALL.into_iter().find(|call| call.path().eq_ignore_ascii_case(path))
}

/// Whether only operators may make the call: it spends one of the few resets of a month, or
/// restarts the ticket on which a third-party platform's token hangs.
#[must_use]
pub fn is_operator_only(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    OPERATOR_ONLY.iter().any(|listed| listed.eq_ignore_ascii_case(path))
}

/// Whether a path of WeCom may be that of a call whose answer holds somebody's token: those for
/// service providers and linked companies are named so, and what they answer is not known here.
#[must_use]
pub fn may_issue_wecom_token(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path).to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("get") && name.ends_with("token")
}

const CGI_BIN: &str = "/cgi-bin/";

const OPERATOR_ONLY: [&str; 6] = [
    "/cgi-bin/clear_quota",
    "/cgi-bin/clear_quota/v2",
    "/cgi-bin/openapi/quota/clear",
    "/cgi-bin/component/clear_quota",
    "/cgi-bin/component/clear_quota/v2",
    "/cgi-bin/component/api_start_push_ticket",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::catalogue;

    #[test]
    fn every_spelling_of_a_credential_call_is_recognised() {
        for call in CredentialCall::ALL {
            let path = call.path();
            for spelling in [path.to_owned(), format!("{path}/"), path.to_uppercase()] {
                assert_eq!(issues_credentials(&spelling), Some(call), "{spelling}");
            }
            assert!(catalogue::lookup_path(path).is_some(), "{path}");
        }
    }

    #[test]
    fn calls_with_a_token_in_the_answer_are_all_covered() {
        let platforms_own =
            ["access_token", "component_access_token", "authorizer_access_token", "ticket"];
        for call in catalogue::calls().iter().filter(|call| call.path.starts_with(CGI_BIN)) {
            if platforms_own.iter().any(|field| call.never_store.contains(field)) {
                assert!(issues_credentials(call.path).is_some(), "{}", call.path);
            }
        }
    }

    #[test]
    fn other_paths_are_not_taken_for_credential_calls() {
        for path in [
            "",
            "/",
            "/cgi-bin/",
            "/cgi-bin/tokens",
            "/cgi-bin/token/x",
            "/xcgi-bin/token",
            "/中文路径",
        ] {
            assert_eq!(issues_credentials(path), None, "{path}");
            assert!(!is_operator_only(path), "{path}");
        }
    }

    #[test]
    fn a_call_of_wecom_that_is_named_after_a_token_is_suspected() {
        for path in [
            "/cgi-bin/corpgroup/corp/gettoken",
            "/cgi-bin/service/get_provider_token",
            "/cgi-bin/service/GET_CORP_TOKEN/",
        ] {
            assert!(may_issue_wecom_token(path), "{path}");
        }
        for path in ["/cgi-bin/user/get", "/cgi-bin/message/send", "/", ""] {
            assert!(!may_issue_wecom_token(path), "{path}");
        }
    }

    #[test]
    fn every_reset_of_a_quota_is_for_operators() {
        for call in catalogue::calls().iter().filter(|call| call.path.contains("clear_quota")) {
            assert!(is_operator_only(call.path), "{}", call.path);
        }
        assert!(is_operator_only("/CGI-BIN/openapi/quota/clear/"));
        for path in OPERATOR_ONLY {
            assert!(catalogue::lookup_path(path).is_some(), "{path}");
        }
        assert!(!is_operator_only("/cgi-bin/openapi/quota/get"));
    }
}
