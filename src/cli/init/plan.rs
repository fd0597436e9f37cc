//! What a new installation shall be.

use std::path::PathBuf;

use crate::base::{
    kind::{AccountKind, Language},
    name::Name,
    secret::Secret,
};

/// Every answer.
#[derive(Debug)]
pub(super) struct Plan {
    /// The account's short name.
    pub(super) name: Name,
    /// Its kind.
    pub(super) kind: AccountKind,
    /// Its AppID; empty only for kind `generic`.
    pub(super) app_id: String,
    /// Its AppSecret; none only for kind `generic`.
    pub(super) app_secret: Option<Secret>,
    /// Origins in order of preference; at least one.
    pub(super) upstream: Vec<String>,
    /// What the team calls the gateway by; empty = this host only.
    pub(super) hosts: Vec<String>,
    /// Where it listens.
    pub(super) port: u16,
    /// Chain and key of one's own; none = self-signed.
    pub(super) certificate: Option<(PathBuf, PathBuf)>,
    /// Language of messages.
    pub(super) language: Language,
}

impl Plan {
    /// Whether the gateway shall be reached from other machines.
    pub(super) fn is_public(&self) -> bool {
        !self.hosts.is_empty()
    }
}

/// Where calls of this kind go; none where nobody but the user knows.
///
/// The second one is the platform's disaster-recovery host.
pub(super) fn upstream_of(kind: AccountKind) -> Option<Vec<String>> {
    let hosts: &[&str] = match kind {
        AccountKind::MiniProgram | AccountKind::OfficialAccount | AccountKind::OpenPlatform => {
            &["https://api.weixin.qq.com", "https://api2.weixin.qq.com"]
        }
        AccountKind::Wecom => &["https://qyapi.weixin.qq.com"],
        AccountKind::Generic => return None,
    };
    Some(hosts.iter().map(ToString::to_string).collect())
}
