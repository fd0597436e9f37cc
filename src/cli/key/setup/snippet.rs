//! A snippet and how it is filled in.
//!
//! `{{name}}` stands for a value. A line may begin with words that say when it stands there, each
//! with a bar behind it: `ca|en|# …` is for a gateway whose CA must be trusted, and for readers of
//! English. What is no such word and no such name stays as it is: Postman writes `{{…}}` too.

use crate::base::kind::{AccountKind, Language};

/// What a snippet is filled in with.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    /// Of the comments.
    pub(super) language: Language,
    /// Of the account.
    pub(super) kind: AccountKind,
    /// Whether the gateway's certificate is from a CA of its own.
    pub(super) has_own_ca: bool,
    /// `https://localhost:8443`, perhaps with an account's path behind it.
    pub(super) base: &'a str,
    /// The platform's host: what programs call without a gateway.
    pub(super) platform: &'a str,
    /// The account's AppID.
    pub(super) app_id: &'a str,
    /// The key's text.
    pub(super) key: &'a str,
}

/// The name under which the CA is kept where the SDK runs.
pub(super) const CA_FILE: &str = "wxgate-ca.pem";

/// The snippet as it is pasted.
pub(super) fn fill(snippet: &str, values: &Values<'_>) -> String {
    let lines = snippet.lines().filter_map(|line| standing(line, values));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    for (name, value) in [
        ("{{base}}", values.base),
        ("{{platform}}", values.platform),
        ("{{app_id}}", values.app_id),
        ("{{key}}", values.key),
        ("{{path}}", path(values.kind)),
        ("{{ca}}", CA_FILE),
    ] {
        text = text.replace(name, value);
    }
    text
}

/// The line without its words, if all of them hold.
fn standing<'a>(line: &'a str, values: &Values<'_>) -> Option<&'a str> {
    let mut rest = line;
    while let Some((word, behind)) = rest.split_once('|') {
        match holds(word, values) {
            Some(true) => rest = behind,
            Some(false) => return None,
            None => break,
        }
    }
    Some(rest)
}

/// Whether the word holds; none where it is no word of ours.
fn holds(word: &str, values: &Values<'_>) -> Option<bool> {
    let Values { language, kind, has_own_ca, .. } = *values;
    Some(match word {
        "zh" => language != Language::En,
        "en" => language != Language::Zh,
        "ca" => has_own_ca,
        "no-ca" => !has_own_ca,
        "mini" => kind == AccountKind::MiniProgram,
        "official" => kind == AccountKind::OfficialAccount,
        "app" => matches!(kind, AccountKind::MiniProgram | AccountKind::OfficialAccount),
        "wecom" => kind == AccountKind::Wecom,
        _ => return None,
    })
}

/// A call that changes nothing and that every account may make.
fn path(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::MiniProgram
        | AccountKind::OfficialAccount
        | AccountKind::Wecom
        | AccountKind::OpenPlatform => "/cgi-bin/getcallbackip",
        AccountKind::Generic => "/",
    }
}
