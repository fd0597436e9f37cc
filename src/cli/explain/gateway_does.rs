//! What this gateway does when the platform answers an errcode, in Chinese and English.

use crate::{
    base::outcome::Outcome,
    wechat::{Scope, errcode::is_ip_refusal},
};

/// The table "what is tried again" of the documentation, read for one errcode. WeCom's 40001
/// means its secret, and its quotas are not known to turn at any hour.
pub(super) fn about(scope: Scope, errcode: i64, class: Outcome) -> (&'static str, &'static str) {
    let is_wecom = scope == Scope::Wecom;
    match (errcode, class) {
        (45_009, _) if !is_wecom => (
            "原样返回，并在平台换日（UTC+8）前拦下该路径；每 10 分钟放行一次试探；调用 clear_quota 或 wxgate limit reset 后立即放行。",
            "Passes it on, then refuses that path until the platform's day turns (UTC+8); one probe each 10 minutes; clear_quota or `wxgate limit reset` frees it.",
        ),
        (45_011, _) if !is_wecom => (
            "原样返回，并拦下该路径到下一分钟。",
            "Passes it on, then refuses that path until the minute turns.",
        ),
        (40_001 | 40_014 | 42_001, _) if !(is_wecom && errcode == 40_001) => (
            "令牌若是网关放入的，就换一个新令牌，重发一次；仍失败则回 502 token_rejected。",
            "If the gateway put the token in, it replaces it and repeats the call once; if that fails too: 502 token_rejected.",
        ),
        (code, _) if is_ip_refusal(code) => (
            "不重试。取令牌时遇到，则回 502 token_unavailable，并写明平台看到的 IP 和填写位置。",
            "Never repeated. On a token fetch it becomes 502 token_unavailable with the IP that the platform saw and the menu for it.",
        ),
        (_, Outcome::Busy) => (
            "目录中标为可重复的接口，100 到 300 毫秒后重发一次；其余原样返回。",
            "Repeats calls that the catalogue marks as repeatable once, 100 to 300 ms later; passes all others on.",
        ),
        (_, Outcome::Ok) => ("成功。", "This is success."),
        (_, Outcome::Token) => ("原样返回；不换令牌。", "Passes it on; the token is kept."),
        (_, Outcome::Gateway) => (
            "这是网关自己的回答，请求没有到达平台，或没有得到平台的回答。",
            "This is the gateway's own answer: the call did not reach the platform, or got no answer from it.",
        ),
        (
            _,
            Outcome::Quota
            | Outcome::Access
            | Outcome::Request
            | Outcome::Business
            | Outcome::Upstream
            | Outcome::Network
            | Outcome::Abandoned,
        ) => ("原样返回，不重试。", "Passes it on and does not repeat it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_met_otherwise_on_wecom() {
        let of = |scope, errcode, class| about(scope, errcode, class).1;
        for (errcode, class) in
            [(40_001, Outcome::Token), (45_009, Outcome::Quota), (45_011, Outcome::Quota)]
        {
            let wecom = of(Scope::Wecom, errcode, class);
            assert!(wecom.starts_with("Passes it on"), "{errcode}: {wecom}");
            assert_ne!(wecom, of(Scope::Wechat, errcode, class), "{errcode}");
        }
        let dead = |scope| of(scope, 40_014, Outcome::Token);
        assert_eq!(dead(Scope::Wecom), dead(Scope::Wechat));
    }
}
