//! What a caller reads where a third-party platform has no token.

use super::error::ProxyError;
use crate::token::TokenError;

/// What happened, in Chinese and English, where the platform's errcode does not say it.
pub(super) fn said(error: &TokenError) -> Option<[String; 2]> {
    match error.root() {
        TokenError::Ticket { fault, .. } => Some([
            format!("第三方平台没有可用的 component_verify_ticket（{fault}）"),
            format!("the third-party platform has no component_verify_ticket ({fault})"),
        ]),
        TokenError::Unauthorized { .. } => Some([
            "商家已取消授权，或已重新授权而旧的 refresh_token 作废".into(),
            "the merchant withdrew its authorization, or gave it anew and the old refresh token died"
                .into(),
        ]),
        _ => None,
    }
}

/// What helps, in Chinese and English.
pub(super) fn advice(error: &TokenError) -> Option<[String; 2]> {
    match error.root() {
        TokenError::Ticket { account, callback, .. } => {
            let account = &account.account;
            Some([
                format!(
                    "把最近推送的票据从标准输入交给：wxgate token ticket {account}。本版本还不接收推送：由收到推送的程序（授权事件接收 URL）转交；以后网关自己接收的地址是 {callback}，现在不要填"
                ),
                format!(
                    "Give the last ticket that was pushed on standard input to: wxgate token ticket {account}. This version receives no pushes: the program behind the authorization event URL (授权事件接收 URL) passes them on. The gateway's own address will be {callback}; do not enter it yet"
                ),
            ])
        }
        TokenError::Unauthorized { .. } => Some([
            "请商家在授权页重新授权，再用 api_query_auth 换取；已在别处重新授权的，调用一次 api_get_authorizer_info 即可恢复。沙箱中：POST /-/sandbox/{平台账号}/authorize，内容 {\"appid\":\"…\"}"
                .into(),
            "Let the merchant authorize again and exchange the code with api_query_auth; if that was done elsewhere, one call of api_get_authorizer_info recovers it. In the sandbox: POST {\"appid\":\"…\"} to /-/sandbox/{platform}/authorize"
                .into(),
        ]),
        _ => None,
    }
}

/// A platform was asked to act, and not told for whom.
pub(super) fn merchant_missing(error: &ProxyError) -> Option<[String; 4]> {
    let ProxyError::MerchantMissing { platform } = error else { return None };
    Some([
        format!("账号 {platform} 是第三方平台，此接口须指明代哪个商家调用"),
        format!("account {platform} is a third-party platform, and no merchant was named"),
        "在路径前加 /@商家AppID，或加请求头 X-Wxgate-Account: 商家AppID，或用该商家的替身令牌（api_query_auth、api_authorizer_token 所得）。"
            .into(),
        "Put /@APPID of the merchant before the path, or send it as X-Wxgate-Account, or use the merchant's surrogate (from api_query_auth or api_authorizer_token)."
            .into(),
    ])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::token::{SlotId, TicketFault};

    #[test]
    fn a_ticket_that_never_came_is_told_with_url_and_command() {
        let open = SlotId::real("open".parse().unwrap());
        let ticket = TokenError::Ticket {
            account: open.clone(),
            fault: TicketFault::NeverCame,
            callback: "https://gateway.example/-/callback/open".into(),
        };
        let merchant = TokenError::Component { account: open, source: Arc::new(ticket) };
        let [zh, en] = advice(&merchant).unwrap();
        for text in [&zh, &en] {
            assert!(text.contains("https://gateway.example/-/callback/open"), "{text}");
            assert!(text.contains("wxgate token ticket open"), "{text}");
        }
        assert!(said(&merchant).unwrap()[1].contains("none has come"));
    }
}
