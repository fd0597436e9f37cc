//! What the platform is known to do at one path.

use super::{
    call::{Call, CallClass},
    catalogue::{self, Entry},
    credential::{Credential, has_prefix},
    credential_call::{CredentialCall, is_operator_only, issues_credentials},
};

/// Found once for each request and then asked by everybody: the catalogue by a hash of the path,
/// and the few rules for calls that deal in credentials.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownPath {
    entry: Option<Entry>,
    /// The call whose answer holds credentials, if it is one.
    pub credential_call: Option<CredentialCall>,
    /// Whether only operators may make the call.
    pub is_operator_only: bool,
    unlisted: Unlisted,
    /// On WeCom: whether the call that WeChat has at this path is dangerous.
    is_dangerous_elsewhere: bool,
}

/// What a path takes that the catalogue does not have.
#[derive(Clone, Copy, Debug, Default)]
enum Unlisted {
    /// The app token.
    #[default]
    Any,
    /// Below `/sns/`: anything but that.
    Sns,
    /// Below `/cgi-bin/component/`: the third-party platform's own token.
    Component,
}

impl KnownPath {
    /// What is known of `path`; nothing for a path of another API.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let unlisted = if has_prefix(path, "/sns/") {
            Unlisted::Sns
        } else if has_prefix(path, "/cgi-bin/component/") {
            Unlisted::Component
        } else {
            Unlisted::Any
        };
        Self {
            entry: catalogue::find(path),
            credential_call: issues_credentials(path),
            is_operator_only: is_operator_only(path),
            unlisted,
            is_dangerous_elsewhere: false,
        }
    }

    /// The same path on WeCom: its own table decides, and every other path takes the app's
    /// token. What WeChat calls harmless at that path is not known to be so here; what deletes
    /// there is taken for dangerous until WeCom's table says what it does.
    #[must_use]
    pub fn on_wecom(self, path: &str) -> Self {
        let is_dangerous = self.any_call().is_some_and(|call| call.class == CallClass::Danger);
        Self {
            entry: catalogue::find_wecom(path),
            // The ticket that is kept here is WeChat's.
            credential_call: self.credential_call.filter(|call| *call != CredentialCall::Ticket),
            unlisted: Unlisted::Any,
            is_dangerous_elsewhere: is_dangerous,
            ..self
        }
    }

    /// The call with this method.
    #[must_use]
    pub fn call(&self, method: &http::Method) -> Option<&'static Call> {
        self.entry?.call(method)
    }

    /// The call whatever the method; the more harmful one where both methods exist.
    #[must_use]
    pub fn any_call(&self) -> Option<&'static Call> {
        self.entry?.any_call()
    }

    /// What the call does; see [`catalogue::class_of`].
    #[must_use]
    pub fn class(&self, method: &http::Method) -> Option<CallClass> {
        let known = self.call(method).or_else(|| self.any_call()).map(|call| call.class);
        known.or_else(|| self.is_dangerous_elsewhere.then_some(CallClass::Danger))
    }

    /// The credential that the call takes on the platform; see [`super::credential::needed`].
    #[must_use]
    pub fn needed(&self, method: &http::Method) -> Credential {
        match (self.call(method).or_else(|| self.any_call()), self.unlisted) {
            (Some(call), _) => call.credential,
            (None, Unlisted::Sns) => Credential::UserToken,
            (None, Unlisted::Component) => Credential::ComponentToken,
            (None, Unlisted::Any) => Credential::AppToken,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn on_wecom(path: &str) -> KnownPath {
        KnownPath::of(path).on_wecom(path)
    }

    #[test]
    fn wecom_has_calls_of_its_own_at_the_paths_of_others() {
        let (there, here) = (KnownPath::of("/cgi-bin/user/get"), on_wecom("/cgi-bin/user/get"));
        let name = |known: KnownPath| known.call(&Method::GET).unwrap().name_en;
        assert_ne!(name(there), name(here));
        assert!(on_wecom("/cgi-bin/user/info").any_call().is_none(), "only WeChat has it");
        let token = on_wecom("/cgi-bin/gettoken");
        assert_eq!(token.credential_call, Some(CredentialCall::CorpToken));
        assert_eq!(token.needed(&Method::GET), Credential::AppSecret);
    }

    #[test]
    fn what_wecom_takes_is_the_apps_token_for_every_other_path() {
        for path in [
            "/cgi-bin/message/send",
            "/cgi-bin/component/api_query_auth",
            "/sns/jscode2session",
            "/unheard/of",
        ] {
            assert_eq!(on_wecom(path).needed(&Method::POST), Credential::AppToken, "{path}");
        }
    }

    #[test]
    fn what_deletes_is_dangerous_on_wecom_with_any_method_and_by_analogy() {
        for path in [
            "/cgi-bin/user/delete",
            "/CGI-BIN/user/batchdelete/",
            "/cgi-bin/batch/replaceuser",
            "/cgi-bin/menu/delete",
            // Not in WeCom's table.
            "/cgi-bin/message/mass/send",
        ] {
            for method in [Method::GET, Method::POST] {
                assert_eq!(on_wecom(path).class(&method), Some(CallClass::Danger), "{path}");
            }
        }
        assert_eq!(on_wecom("/cgi-bin/message/send").class(&Method::POST), Some(CallClass::Write));
        assert_eq!(on_wecom("/cgi-bin/department/list").class(&Method::GET), Some(CallClass::Read));
        assert_eq!(on_wecom("/cgi-bin/user/info").class(&Method::GET), None, "read for WeChat");
    }
}
