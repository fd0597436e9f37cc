//! What sort of app an account is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::permission::{UnknownWord, words};

words! {
    /// The platform and app type of an account; decides credential rules and paths.
    AccountKind {
        /// WeChat mini program, 小程序.
        MiniProgram = "mini-program",
        /// WeChat official account, 公众号.
        OfficialAccount = "official-account",
        /// WeCom, 企业微信.
        Wecom = "wecom",
        /// WeChat third-party platform, 服务商.
        OpenPlatform = "open-platform",
        /// Any other API behind an allow-list; nothing of WeChat is assumed.
        Generic = "generic",
    }
}

words! {
    /// The language of messages and hints.
    Language {
        /// Chinese.
        Zh = "zh",
        /// English.
        En = "en",
        /// Chinese, then English.
        Both = "both",
    }
}

impl Language {
    /// The text in this language; both are joined with a slash.
    #[must_use]
    pub fn pick(self, zh: &str, en: &str) -> String {
        match self {
            Self::Zh => zh.to_owned(),
            Self::En => en.to_owned(),
            Self::Both => format!("{zh} / {en}"),
        }
    }
}
