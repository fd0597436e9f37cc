//! The choices that some switches have.

use serde::{Deserialize, Serialize};

/// Which calls look at the IP list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IpCheck {
    /// Calls with the AppSecret: mini programs.
    Secret,
    /// All calls: official accounts.
    All,
}

/// What happens to a forced refresh that comes too soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TooSoon {
    /// The current token with its remaining time.
    Current,
    /// 45009.
    Error,
}

/// Which content type JSON comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JsonType {
    /// `application/json`, but `text/plain` on the calls that are known for it.
    Usual,
    /// `application/json` on all.
    Json,
    /// `text/plain` on all.
    Plain,
}

/// Which content type a mini program code comes with. The image is always a PNG.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CodeType {
    /// What the bytes are.
    #[serde(rename = "image/png")]
    Png,
    /// What the platform is said to send for codes that are not transparent, whatever the bytes.
    #[serde(rename = "image/jpeg")]
    Jpeg,
}

/// What a user of a web page grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum OauthScope {
    /// The openid.
    #[serde(rename = "snsapi_base")]
    Base,
    /// A look at the user, too.
    #[serde(rename = "snsapi_userinfo")]
    Userinfo,
}
