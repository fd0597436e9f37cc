//! The setup of an SDK or a tool: what to paste, so that a new key is used at once.
//!
//! One file a snippet in `snippets/`; docs/SDKS.md shows the same ones.

mod sdk;
mod snippet;
mod target;

use serde::Serialize;

pub(super) use self::sdk::{Sdk, parser};
use self::{
    snippet::{CA_FILE, Values, fill},
    target::{OwnCa, Target},
};
use crate::{
    base::{kind::Language, permission::ErrorStyle},
    cli::{exit::Failure, host::Host},
    control::KeyForm,
};

/// Where it leads, known before there is a key.
pub(super) struct Plan<'a> {
    sdk: &'static Sdk,
    target: Target<'a>,
    errors: ErrorStyle,
    host: &'a Host,
}

/// What to paste, with what one should know of it.
#[derive(Serialize)]
pub(super) struct Setup {
    /// The word of `--for`.
    sdk: &'static str,
    #[serde(skip)]
    title: &'static str,
    /// The account's name.
    account: String,
    /// Its AppID.
    app_id: String,
    /// All accounts of the key, if it has several.
    #[serde(skip)]
    others: Option<String>,
    /// What takes the place of the platform's address.
    base_url: String,
    /// Where the CA can be had that must be trusted; none when that is not needed.
    ca_url: Option<String>,
    /// Its SHA-256; none also before the first start.
    ca_sha256: Option<String>,
    #[serde(skip)]
    errors: ErrorStyle,
    /// The snippet, the key in it.
    text: String,
}

impl<'a> Plan<'a> {
    /// For a key of this form.
    ///
    /// # Errors
    /// With the exit code for wrong usage, when the key has no account for this SDK.
    pub(super) fn of(sdk: &'static Sdk, form: &KeyForm, host: &'a Host) -> Result<Self, Failure> {
        let target = target::choose(sdk, &form.accounts, host)?;
        Ok(Self { sdk, target, errors: form.errors, host })
    }

    /// With the key, and the address of the gateway.
    pub(super) fn fill(self, key: &str, is_running: bool) -> Setup {
        let gateway = target::gateway_url(self.host, is_running);
        let ca = target::own_ca(self.host, &gateway);
        let (base, platform) = (self.target.base(&gateway), self.target.platform());
        let account = self.target.account;
        let text = fill(
            self.sdk.snippet,
            &Values {
                language: self.host.language(),
                kind: account.kind,
                has_own_ca: !matches!(ca, OwnCa::None),
                base: &base,
                platform: &platform,
                app_id: &account.app_id,
                key,
            },
        );
        let names = || self.target.all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (ca_url, ca_sha256) = match ca {
            OwnCa::None => (None, None),
            OwnCa::Unmade => (Some(format!("{gateway}/-/ca.pem")), None),
            OwnCa::Made(sha256) => (Some(format!("{gateway}/-/ca.pem")), Some(sha256)),
        };
        Setup {
            sdk: self.sdk.word,
            title: self.sdk.title,
            account: account.name.to_string(),
            app_id: account.app_id.clone(),
            others: (self.target.all.len() > 1).then(|| names().join(", ")),
            base_url: base,
            ca_url,
            ca_sha256,
            errors: self.errors,
            text,
        }
    }
}

impl Setup {
    /// For people: the account, the CA, the snippet, in this order.
    pub(super) fn told(&self, language: Language) -> String {
        let Self { title, account, app_id, .. } = self;
        let app_id = if app_id.is_empty() { String::new() } else { format!(", {app_id}") };
        let (all_zh, all_en) = self.others.as_ref().map_or_else(Default::default, |all| {
            (
                format!("；密钥有多个账号，这是第一个：{all}"),
                format!("; the first of the key's: {all}"),
            )
        });
        let mut lines = vec![language.pick(
            &format!("{title}：账号 {account}{app_id}{all_zh}"),
            &format!("{title}: account {account}{app_id}{all_en}"),
        )];
        if let Some(url) = &self.ca_url {
            lines.push(language.pick(
                "先取网关的 CA，再核对它的 SHA-256：",
                "first get the gateway's CA, and compare its SHA-256:",
            ));
            lines.push(format!("  curl -sko {CA_FILE} {url}"));
            lines.push(format!("  openssl x509 -noout -fingerprint -sha256 -in {CA_FILE}"));
            lines.extend(self.ca_sha256.iter().map(|sha256| format!("  {sha256}")));
        }
        if self.errors == ErrorStyle::Wechat {
            lines.push(language.pick(
                "网关自己的拒绝以 HTTP 200 加 errcode 返回（--errors wechat）",
                "the gateway's own refusals come as HTTP 200 with an errcode (--errors wechat)",
            ));
        }
        lines.push(language.pick(
            "贴进去（绕过网关的调用见 docs/SDKS.zh-CN.md）：",
            "paste (what goes past the gateway: docs/SDKS.md):",
        ));
        format!("{}\n\n{}", lines.join("\n"), self.text)
    }
}

#[cfg(test)]
mod tests;
