//! What stands beside a refusal in the platform's words: what to do here.

use super::explain::explain;
use crate::{base::code::ErrorCode, wechat::PlatformRefusal};

/// Message in Chinese and English, cure in Chinese and English.
pub(super) fn words(refusal: PlatformRefusal, code: ErrorCode) -> [String; 4] {
    let known = CURES.iter().find(|(errcode, _)| *errcode == refusal.errcode);
    let [zh, en] = known.map_or(["", ""], |(_, cure)| *cure);
    let [what_zh, what_en, cure_zh, cure_en] = explain(code);
    let errmsg = refusal.errmsg;
    if is_about_the_form(refusal) {
        return [errmsg.into(), errmsg.into(), zh.into(), en.into()];
    }
    // A secret that is a key after all: what is wrong with that key says more.
    let is_of_a_key = matches!(code, ErrorCode::KeyExpired | ErrorCode::KeyRevoked);
    let (zh, en) = if known.is_none() || is_of_a_key { (cure_zh, cure_en) } else { (zh, en) };
    [what_zh.into(), what_en.into(), zh.into(), en.into()]
}

/// Whether it speaks of the request alone, so that no code of ours fits.
pub(super) fn is_about_the_form(refusal: PlatformRefusal) -> bool {
    FORM.contains(&refusal.errcode)
}

const FORM: [i64; 6] = [40_002, 40_066, 41_002, 43_002, 44_002, 47_001];

const CURES: &[(i64, [&str; 2])] = &[
    (
        40_001,
        [
            "令牌不是本网关发出的（或已损坏），或 corpsecret 处不是访问密钥：重新调用 /cgi-bin/token（企业微信为 gettoken）获取，SDK 一般会自动重取；secret 处填访问密钥 wxgk_…。",
            "The token is not of this gateway, or damaged, or corpsecret holds no key: fetch another from /cgi-bin/token (WeCom: gettoken), as most SDKs do by themselves, with your key wxgk_… as secret.",
        ],
    ),
    (40_002, ["grant_type 应为 client_credential。", "grant_type is client_credential."]),
    (
        40_013,
        [
            "appid 填该账号的 AppID 或账号名（区分大小写），且密钥要有权使用它；用 wxgate key list 核对。",
            "appid is the account's AppID or its name, in the same letter case, and of an account that the key may use: wxgate key list",
        ],
    ),
    (
        40_066,
        [
            "这个账号所属的平台没有此接口；检查账号的 kind。",
            "The platform of this account has no such call; check the account's kind.",
        ],
    ),
    (
        40_125,
        [
            "secret 处填 wxgate 访问密钥（wxgk_…），不是 AppSecret：AppSecret 只放在网关主机上。密钥用 wxgate key create 生成。",
            "The place of the secret takes your wxgate key (wxgk_…), not the AppSecret, which stays on the gateway's host. Keys are made by: wxgate key create",
        ],
    ),
    (
        41_002,
        [
            "加上 appid（企业微信为 corpid）：放在查询串里，stable_token 放在 JSON 请求体里。",
            "Add appid (WeCom: corpid): in the query, for stable_token in the JSON body.",
        ],
    ),
    (
        41_004,
        [
            "加上参数 secret，值为访问密钥 wxgk_…。",
            "Add the parameter secret with your key, wxgk_….",
        ],
    ),
    (
        42_001,
        [
            "令牌到期，重新获取即可；SDK 一般会自动重取。有效期见 proxy.toml 的 [token] surrogate_life。",
            "Its time is over: fetch another, as most SDKs do by themselves. How long it lives: surrogate_life under [token] in proxy.toml.",
        ],
    ),
    (43_002, ["此接口只接受 POST。", "The call takes POST only."]),
    (44_002, ["请求体应为 JSON。", "The body is a JSON object."]),
    (
        47_001,
        [
            "请求体不是合法的 JSON，或 force_refresh 不是布尔值。",
            "The body is no JSON object, or force_refresh is no boolean.",
        ],
    ),
    (
        61_003,
        [
            "该商家没有授权（或已取消授权）给此第三方平台：请商家在授权页授权，再用 api_query_auth 换取。",
            "That merchant does not authorize the platform, or no more: let it authorize, then exchange the code with api_query_auth.",
        ],
    ),
    (
        61_011,
        [
            "component_appid 填第三方平台账号的 AppID 或账号名，且密钥要有权使用它。",
            "component_appid is the AppID or the name of an account of kind open-platform that the key may use.",
        ],
    ),
    (
        61_014,
        [
            "此接口要用第三方平台自己的令牌：用 api_component_token 取得，或直接用访问密钥。",
            "The call takes the platform's own token: fetch one with api_component_token, or use your key.",
        ],
    ),
    (
        61_023,
        [
            "authorizer_refresh_token 填网关给的句柄 wxgr_…；商家重新授权后旧句柄作废，用 api_get_authorizer_info 取回新的。",
            "authorizer_refresh_token is a handle wxgr_… of this gateway. When the merchant authorizes again the old one dies: api_get_authorizer_info tells the new one.",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::token_form::{
        APP_ID_INVALID, COMPONENT_INVALID, COMPONENT_TOKEN_WANTED, GRANT_TYPE_INVALID,
        NOT_AUTHORIZED, REFRESH_TOKEN_INVALID, SECRET_MISSING, TOKEN_EXPIRED, TOKEN_INVALID,
        URL_INVALID,
    };

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        let wrong_secret = crate::wechat::credential::CredentialCall::ClassicToken.wrong_secret();
        for (refusal, code) in [
            (TOKEN_INVALID, ErrorCode::SurrogateRefused),
            (TOKEN_EXPIRED, ErrorCode::SurrogateRefused),
            (GRANT_TYPE_INVALID, ErrorCode::TargetRefused),
            (APP_ID_INVALID, ErrorCode::AccountUnknown),
            (SECRET_MISSING, ErrorCode::KeyMissing),
            (URL_INVALID, ErrorCode::PathNotAllowed),
            (COMPONENT_INVALID, ErrorCode::AccountUnknown),
            (COMPONENT_TOKEN_WANTED, ErrorCode::PathNotAllowed),
            (NOT_AUTHORIZED, ErrorCode::AccountUnknown),
            (REFRESH_TOKEN_INVALID, ErrorCode::SurrogateRefused),
            (wrong_secret, ErrorCode::KeyUnknown),
        ] {
            let texts = words(refusal, code);
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", refusal.errcode);
            assert_ne!(texts[2], texts[3]);
        }
        let [.., cure] = words(wrong_secret, ErrorCode::KeyRevoked);
        assert!(cure.contains("wxgate key create") && !cure.contains("AppSecret"), "{cure}");
    }
}
