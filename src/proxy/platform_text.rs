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
            "这不是本网关发出的令牌（或已损坏）：重新调用 /cgi-bin/token 获取，SDK 一般会自动重取；secret 处填访问密钥 wxgk_…。",
            "It is no token of this gateway, or a damaged one: fetch another from /cgi-bin/token, as most SDKs do by themselves, with your key wxgk_… as secret.",
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
    (41_002, ["加上参数 appid（企业微信为 corpid）。", "Add the parameter appid (WeCom: corpid)."]),
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
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::token_form::{
        APP_ID_INVALID, GRANT_TYPE_INVALID, SECRET_MISSING, TOKEN_EXPIRED, TOKEN_INVALID,
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
