//! What the caller reads when the gateway says no: what happened, and what to do now.

use std::fmt::Write as _;

use super::{error::ProxyError, explain::explain, open_text, path_rule::BadPath, platform_text};
use crate::{
    base::{
        code::ErrorCode,
        kind::{AccountKind, Language},
    },
    token::TokenError,
    wechat::{errcode, refusal},
    wire::WireError,
};

/// A message and a hint in one language or both.
pub(super) struct Text {
    /// One line: what happened, to which thing.
    pub(super) message: String,
    /// What to do now.
    pub(super) hint: String,
}

/// The text for `error`. Never holds a credential, an address of ours, or a cause's internals.
pub(super) fn text(error: &ProxyError, language: Language) -> Text {
    let [zh, en, hint_zh, hint_en] = words(error);
    Text { message: language.pick(&zh, &en), hint: language.pick(&hint_zh, &hint_en) }
}

/// Message in Chinese and English, hint in Chinese and English.
fn words(error: &ProxyError) -> [String; 4] {
    match error {
        ProxyError::Denied { code, rule } => denied(*code, rule),
        ProxyError::Certificate { why } => why.words(),
        ProxyError::AccountAmbiguous { .. } | ProxyError::AccountUnknown { .. } => {
            account_words(error)
        }
        ProxyError::HostUnknown { host, sni: None } => [
            format!("不认识的主机名 {}", shown(host)),
            format!("unknown host {}", shown(host)),
            format!(
                "在 proxy.toml 的 [server] 中把 \"{}\" 加入 hosts，然后运行 wxgate reload。",
                shown(host)
            ),
            format!(
                "Add \"{}\" to hosts under [server] in proxy.toml, then run: wxgate reload",
                shown(host)
            ),
        ],
        ProxyError::HostUnknown { host, sni: Some(sni) } => [
            format!("Host 是 {}，但 TLS 握手用的是 {}", shown(host), shown(sni)),
            format!("Host is {}, but the TLS handshake named {}", shown(host), shown(sni)),
            "让客户端在两处使用同一个名字。".into(),
            "Make the client use one name for both.".into(),
        ],
        ProxyError::HeaderRefused { name, why } => [
            format!("请求头 {name} 不被接受（{why}）"),
            format!("header {name} refused: {why}"),
            "去掉或改正这个请求头。".into(),
            "Remove or correct that header.".into(),
        ],
        ProxyError::PathRefused { why } => path_refused(*why),
        ProxyError::ClientCall { key } => [
            format!("请求来自小程序内部，密钥 {key} 已泄露给最终用户"),
            format!("called from inside a mini program: key {key} was shipped to end users"),
            format!("密钥不能写进小程序；请运行 wxgate key revoke {key}，改由自己的服务器调用。"),
            format!(
                "Keys must not stand in a mini program. Run: wxgate key revoke {key}, and call from your own server."
            ),
        ],
        ProxyError::AsPlatform { refusal, code, .. } => platform_text::words(*refusal, *code),
        ProxyError::BodyTooLarge { cap_bytes } => [
            format!("请求体超过 {cap_bytes} 字节"),
            format!("request body over {cap_bytes} bytes"),
            "缩小请求体。上限是 proxy.toml 的 [server] body_max；请求体里带凭据的接口固定为 64 KiB。".into(),
            "Send less. The limit is body_max under [server] in proxy.toml; calls with a credential in their body take 64 KiB, whatever it says.".into(),
        ],
        ProxyError::Token { .. } | ProxyError::TokenRejected { .. } => token_words(error),
        ProxyError::Upstream { upstream, source } => upstream_words(upstream, source),
        _ => plain_words(error),
    }
}

fn account_words(error: &ProxyError) -> [String; 4] {
    match error {
        ProxyError::AccountAmbiguous { choices } => {
            let list = choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            [
                format!("没有指明账号，可选：{list}"),
                format!("no account named; choices: {list}"),
                "在路径前加 /@账号名，或加请求头 X-Wxgate-Account。".into(),
                "Put /@name before the path, or send the header X-Wxgate-Account.".into(),
            ]
        }
        ProxyError::AccountUnknown { name } => [
            format!("没有账号 {}", shown(name)),
            format!("no account {}", shown(name)),
            "检查 /@账号名 的拼写；或请管理员为此密钥开通该账号。".into(),
            "Check the spelling of /@name, or ask an operator to give this key that account."
                .into(),
        ],
        _ => plain_words(error),
    }
}

fn plain_words(error: &ProxyError) -> [String; 4] {
    if let Some(words) = open_text::merchant_missing(error) {
        return words;
    }
    let code = error.code();
    let [zh, en, hint_zh, hint_en] = explain(code);
    match error {
        ProxyError::AmbiguousToken { name } | ProxyError::ForeignToken { name } => {
            [format!("{zh}（{name}）"), format!("{en} ({name})"), hint_zh.into(), hint_en.into()]
        }
        ProxyError::RateLimited { limit, .. } => {
            [format!("{zh}（{limit}）"), format!("{en} ({limit})"), hint_zh.into(), hint_en.into()]
        }
        ProxyError::QuotaExhausted { errcode, .. } => {
            [format!("{zh}（平台返回过 {errcode}）"), format!("{en} (it answered {errcode})"), hint_zh.into(), hint_en.into()]
        }
        ProxyError::MethodRefused { method } => {
            [format!("{zh} {}", shown(method)), format!("{en}: {}", shown(method)), hint_zh.into(), hint_en.into()]
        }
        ProxyError::RequestBody { .. } => [
            "请求体没有传完".into(),
            "the request body did not arrive whole".into(),
            "检查到网关的网络后重发；上游没有收到完整的请求。".into(),
            "Check the network to the gateway and send it again; the upstream got no whole request.".into(),
        ],
        ProxyError::NoCredential { account } => [
            format!("账号 {account} 没有此接口所需的凭据"),
            format!("account {account} has no credential for this call"),
            "此接口需要第三方平台令牌或 AppSecret；请检查该账号的 kind 与 app_secret。".into(),
            "The call takes a third-party platform's token or an AppSecret: check kind and app_secret of the account.".into(),
        ],
        _ => [zh.into(), en.into(), hint_zh.into(), hint_en.into()],
    }
}

fn denied(code: ErrorCode, rule: &str) -> [String; 4] {
    let [zh, en, hint_zh, hint_en] = explain(code);
    [format!("{zh}：{rule}"), format!("{en}: {rule}"), hint_zh.into(), hint_en.into()]
}

fn path_refused(why: BadPath) -> [String; 4] {
    let (zh, en) = match why {
        BadPath::Character => {
            ("路径中有不允许的字符", "the path has a character that is not allowed")
        }
        BadPath::DotSegment => ("路径中有 . 或 ..", "the path has a segment . or .."),
        BadPath::DoubleSlash => ("路径中有连续的斜杠", "the path has two slashes in a row"),
        BadPath::Escape => {
            ("路径中有不允许的百分号编码", "the path has a percent escape that is not allowed")
        }
        BadPath::Door => {
            ("/@账号名 之后不能是 - 或 @", "behind /@name the path cannot begin with - or @")
        }
    };
    [
        zh.into(),
        en.into(),
        "按接口文档中的路径原样发送，参数放在查询串里。".into(),
        "Send the path as the API's documentation has it; arguments belong in the query.".into(),
    ]
}

fn token_words(error: &ProxyError) -> [String; 4] {
    match error {
        ProxyError::Token { account, kind, egress, source } => {
            let mut zh = format!("账号 {account} 暂时没有可用的 access_token");
            let mut en = format!("no access token for account {account}");
            if let Some(errcode) = source.errcode() {
                let said = source.errmsg().unwrap_or_default();
                let _ = write!(zh, "：平台返回 {errcode} {said}");
                let _ = write!(en, ": the platform answered {errcode} {said}");
            }
            if let Some([said_zh, said_en]) = open_text::said(source) {
                let _ = write!(zh, "：{said_zh}");
                let _ = write!(en, ": {said_en}");
            }
            if let (Some(seen), Some(configured)) = (source.refused_ip(), egress) {
                let _ = write!(zh, "；平台看到的出口 IP 是 {seen}，配置的出口是 {configured}");
                let _ = write!(en, "; the platform saw {seen}, configured as egress is {configured}");
            }
            let [hint_zh, hint_en] = token_advice(*kind, source);
            [zh, en, hint_zh, hint_en]
        }
        ProxyError::TokenRejected { errcode, kind, source: Some(source), .. } if !source.is_rejection() => {
            let [hint_zh, hint_en] = token_advice(*kind, source);
            let said = source.errcode().map_or_else(String::new, |code| format!(" {code} {}", source.errmsg().unwrap_or_default()));
            [
                format!("平台拒绝了 access_token（errcode {errcode}），而新令牌取不到{said}"),
                format!("the platform refused the access token (errcode {errcode}), and there is no new one{said}"),
                hint_zh,
                hint_en,
            ]
        }
        ProxyError::TokenRejected { errcode, .. } => [
            format!("平台拒绝了 access_token（errcode {errcode}），换新令牌后仍然如此"),
            format!("the platform refused the access token (errcode {errcode}), a new one too"),
            "多半是 AppSecret 已重置，或有其他程序在强制刷新；运行 wxgate token history 查看。".into(),
            "Mostly the AppSecret was reset, or another program keeps forcing refreshes; see: wxgate token history".into(),
        ],
        _ => plain_words(error),
    }
}

/// What helps against the reason that there is no token.
fn token_advice(kind: AccountKind, error: &TokenError) -> [String; 2] {
    if let Some(advice) = open_text::advice(error) {
        return advice;
    }
    let Some(errcode) = error.errcode() else {
        return [
            "取令牌的请求没有得到应答；检查本机网络，或运行 wxgate token show 查看原因。".into(),
            "The token call got no answer: check this host's network, or see: wxgate token show"
                .into(),
        ];
    };
    if errcode::is_ip_refusal(errcode) {
        let (zh, en) = refusal::where_to_enter(kind, errcode);
        let seen = error.refused_ip().map_or_else(String::new, |ip| format!(" {ip}"));
        return [
            format!("把出口 IP{seen} 加入白名单：{zh}"),
            format!("Add the egress IP{seen} to the allow-list: {en}"),
        ];
    }
    let known = errcode::lookup(errcode::Scope::Wechat, errcode);
    let cure = known
        .map(|known| [known.cure_zh, known.cure_en])
        .filter(|[zh, en]| !zh.is_empty() && !en.is_empty());
    cure.map_or_else(
        || {
            [
                format!("运行 wxgate explain {errcode} 查看含义。"),
                format!("See what it means: wxgate explain {errcode}"),
            ]
        },
        |[zh, en]| [zh.to_owned(), en.to_owned()],
    )
}

fn upstream_words(upstream: &str, source: &WireError) -> [String; 4] {
    let (zh, en) = match source {
        WireError::Dns { .. } => ("域名无法解析", "its name has no address"),
        WireError::Connect { .. } => ("无法连接", "no connection"),
        WireError::Proxy { .. } => ("出口代理拒绝了连接", "the egress proxy refused"),
        WireError::Tls { .. } => {
            ("证书或 TLS 不可信，未发送任何数据", "its TLS is not trusted; nothing was sent")
        }
        WireError::Roots { .. } => ("无法读取信任的根证书", "the trusted roots cannot be read"),
        WireError::Reset { .. } => ("连接中断", "the connection broke"),
        WireError::Invalid { .. } => ("应答不是合法的 HTTP", "the answer is not HTTP"),
        WireError::TooLarge { .. } => ("应答过长", "the answer is too long"),
        WireError::Timeout { .. } => ("超时未应答", "no answer in time"),
        WireError::Loop { .. } => ("上游就是本网关自己", "the upstream is this gateway itself"),
        WireError::Busy { .. } => ("排队的请求过多", "too many requests wait for it"),
        WireError::Ejected { .. } => {
            ("连续失败，暂停片刻后再试", "it failed again and again; it is tried again in a moment")
        }
        WireError::Request { .. } => ("请求体没有传完", "the request body broke off"),
    };
    let (hint_zh, hint_en) = match source {
        WireError::Loop { .. } => (
            "检查 proxy.toml 的 upstream，以及本机 hosts 文件是否把该域名指向了网关。",
            "Check upstream in proxy.toml, and whether this host's own hosts file points that name at the gateway.",
        ),
        WireError::Tls { .. } | WireError::Roots { .. } => (
            "检查账号的 ca 设置，以及中间是否有解密代理。",
            "Check ca of the account, and for a proxy in between that opens TLS.",
        ),
        _ if source.nothing_was_sent() => (
            "请求未发出，可以重试；若持续出现，检查本机网络与 egress 设置。",
            "Nothing was sent, so a retry is safe; if it stays, check the network and egress.",
        ),
        _ => (
            "请求可能已被执行：重试写操作前先查询结果。",
            "The call may have taken effect: look before you repeat one that changes something.",
        ),
    };
    [
        format!("上游 {upstream}：{zh}"),
        format!("upstream {upstream}: {en}"),
        hint_zh.into(),
        hint_en.into(),
    ]
}

/// What a caller wrote, short and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}
