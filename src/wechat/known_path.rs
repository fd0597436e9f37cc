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
        self.call(method).or_else(|| self.any_call()).map(|call| call.class)
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
