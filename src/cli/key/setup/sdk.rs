//! The SDKs and tools that `--for` knows.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::base::permission::ErrorStyle;

/// One that `--for` names.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli::key) struct Sdk {
    /// Its word on the command line, and the heading of its chapter in docs/SDKS.md.
    pub(super) word: &'static str,
    /// What people call it.
    pub(super) title: &'static str,
    /// The refusals that it reads: most take any status but 200 for a broken connection, and
    /// throw the body with its errcode away.
    pub(super) errors: ErrorStyle,
    /// Whether it knows an account by its AppID; a tool that sends what it is given does not.
    pub(super) has_app_id: bool,
    /// Its snippet; see [`super::snippet`].
    pub(super) snippet: &'static str,
}

impl Sdk {
    /// The style that a key for it has unless told otherwise.
    pub(in crate::cli::key) fn errors(&self) -> ErrorStyle {
        self.errors
    }
}

/// Reads one from the command line. A wrong word gets the nearest one for an answer.
pub(in crate::cli::key) fn parser() -> impl TypedValueParser<Value = &'static Sdk> {
    PossibleValuesParser::new(SDKS.iter().map(|sdk| sdk.word)).try_map(|word| {
        SDKS.iter().find(|sdk| sdk.word == word).ok_or("no such SDK") // the parser knows them all
    })
}

macro_rules! sdks {
    ($($kind:ident $word:literal $title:literal $errors:ident),+ $(,)?) => {
        &[$(Sdk {
            word: $word,
            title: $title,
            errors: ErrorStyle::$errors,
            has_app_id: sdks!(@$kind),
            snippet: include_str!(concat!("snippets/", $word, ".txt")),
        }),+]
    };
    (@sdk) => { true };
    (@tool) => { false };
}

/// All of them, in the order of the documentation.
pub(super) const SDKS: &[Sdk] = sdks![
    sdk "wxjava" "WxJava" Wechat,
    sdk "silenceper" "silenceper/wechat" Wechat,
    sdk "easywechat" "EasyWeChat 6" Wechat,
    sdk "powerwechat" "PowerWeChat 3" Wechat,
    sdk "senparc" "Senparc.Weixin" Wechat,
    sdk "wechatpy" "wechatpy" Wechat,
    sdk "co-wechat-api" "co-wechat-api" Wechat,
    sdk "wechat-api" "wechat-api" Http,
    sdk "node-easywechat" "node-easywechat" Wechat,
    tool "curl" "curl" Http,
    tool "postman" "Postman" Http,
    tool "apifox" "Apifox" Http,
    // Behind these three stands a program that was written for the platform.
    tool "whistle" "whistle" Wechat,
    tool "charles" "Charles" Wechat,
    tool "mitmproxy" "mitmproxy" Wechat,
];
