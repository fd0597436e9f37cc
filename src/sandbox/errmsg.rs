//! What the platform writes beside an errcode.

use crate::wechat::errcode::{self, Scope};

/// The text of a code without its rid; a general one for codes that nobody knows.
pub(super) fn errmsg(errcode: i64) -> &'static str {
    TEXTS
        .binary_search_by_key(&errcode, |(code, _)| *code)
        .ok()
        .and_then(|at| TEXTS.get(at))
        .map_or_else(|| known_text(errcode), |(_, text)| *text)
}

/// Codes without a sample on the wire: the text of the table of errcodes. The pages of the long
/// codes give their texts in Chinese only.
fn known_text(errcode: i64) -> &'static str {
    match errcode::lookup(Scope::Wechat, errcode) {
        Some(known) if errcode >= FIRST_LONG_CODE => known.zh,
        Some(known) => known.en,
        None => "business error",
    }
}

/// Codes of newer services, such as 10060001 or 268485194.
const FIRST_LONG_CODE: i64 = 10_000_000;

/// Sorted by code. Wordings of the platform where samples exist, else of its error pages (read
/// 2026-08).
const TEXTS: &[(i64, &str)] = &[
    (-1, "system error"),
    (0, "ok"),
    (
        40001,
        "invalid credential, access_token is invalid or not latest, could get access_token by \
         getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
    ),
    (40002, "invalid grant_type"),
    (40003, "invalid openid"),
    (40004, "invalid media type"),
    (40007, "invalid media_id"),
    (40008, "invalid message type"),
    (40009, "invalid image size"),
    (40013, "invalid appid"),
    (40014, "invalid access_token"),
    (40029, "invalid code"),
    (40033, "invalid charset. please check your request, if include \\uxxxx will create fail!"),
    (40066, "invalid url"),
    (40097, "invalid args"),
    (40125, "invalid appsecret"),
    (40129, "invalid scene"),
    (40163, "code been used"),
    (40164, "invalid ip, not in whitelist"),
    (40169, "invalid length for scene, or the data is not json string"),
    (40230, "Wechatmp-Serial missing"),
    (40231, "Wechatmp-TimeStamp missing"),
    (40232, "Wechatmp-Signature missing"),
    (40233, "Wechatmp-AppId missing"),
    (40234, "invalid signature"),
    (40235, "invalid encryption"),
    (40236, "invalid Wechatmp-AppId"),
    (40237, "Wechatmp-AppId does not match access_token"),
    (40238, "symmetric key is not set"),
    (40239, "public key is not set"),
    (40240, "timestamp is expired"),
    (40243, "AppSecret is frozen"),
    (41001, "access_token missing"),
    (41002, "appid missing"),
    (41004, "appsecret missing"),
    (41005, "media data missing"),
    (41006, "media_id missing"),
    (41008, "missing code"),
    (41030, "invalid page"),
    (42001, "access_token expired"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43004, "require subscribe"),
    (43101, "user refuse to accept the msg"),
    (44001, "empty media data"),
    (44002, "empty post data"),
    (44004, "empty content"),
    (45001, "media size out of limit"),
    (45002, "content size out of limit"),
    (45009, "reach max api daily quota limit"),
    (45011, "api minute-quota reach limit, must slower, retry next minute"),
    (45015, "response out of time limit or subscription is canceled"),
    (45035, "access clientip is not registered, not in ip-white-list"),
    (45047, "out of response count limit"),
    (47001, "data format error"),
    (48001, "api unauthorized"),
    (48004, "api forbidden for irregularities"),
    (48006, "forbid to clear quota because of reaching the limit"),
    (50002, "user limited"),
    (61003, "component is not authorized by this account"),
    (61004, "access clientip is not registered"),
    (61005, "component ticket is expired"),
    (61006, "component ticket is invalid"),
    (61007, "api is unauthorized to component"),
    (61009, "code is invalid"),
    (61010, "code is expired"),
    (61011, "invalid component"),
    (61012, "invalid option name"),
    (61013, "invalid option value"),
    (61014, "must use component token for component api"),
    (61015, "must use biz account token for not component api"),
    (61023, "refresh_token is invalid"),
    (61024, "must use api(api_component_token) to get token for component acct"),
    (76003, "cgi_path is invalid"),
    (76021, "cgi_path not found"),
    (76022, "could not use this cgi_path, no permission"),
    (85096, "not allow include scancode_time field"),
    (86000, "should be called only from third party"),
    (89503, "this api need to be confirmed by administrator"),
    (100_000, "order state does not allow this action"),
    (990_007, ""),
    (990_018, "time format is wrong, it is yyyy-MM-dd HH:mm:ss"),
    (990_022, "operation is not supported"),
    (1_000_000, "order state transition is not allowed"),
    (1_000_004, "sku is not in the online data"),
    (1_000_005, "third_cat_id is not approved"),
    (1_000_009, "third_cat_id does not exist"),
    (1_000_011, "product id does not exist"),
    (1_000_012, "product id already exists"),
    (1_000_035, "invalid url in product"),
    (1_000_042, "scene is not open"),
    (1_010_004, "pay_info is wrong"),
    (1_010_005, "price_info is wrong"),
    (1_010_009, "address_info is wrong"),
    (1_010_011, "order does not exist, check order id and openid"),
    (1_010_029, "waybill id is missing"),
    (1_010_042, "some goods have no logistics yet"),
    (1_010_043, "order state does not allow payment"),
    (1_010_047, "fund_type of the order is not 1"),
    (1_010_050, "order with fund_type 1 needs no sync"),
    (1_010_051, "order price is 0, nothing to pay"),
    (1_010_061, "trace_id is invalid"),
    (1_020_004, "product is not in the order"),
    (1_040_003, "the component was not joined"),
    (1_040_035, "submit category audit fail"),
    (1_040_042, "service_agent_type must have 0"),
    (1_050_003, "category is approved already"),
    (1_050_005, "audit does not exist"),
    (1_050_006, "nothing was submitted before"),
    (1_050_011, "category needs no audit"),
    (1_070_001, "file or image is empty"),
    (1_070_008, "fetch image fail"),
    (1_070_010, "image must be uploaded through /shop/img/upload"),
    (1_090_020, "coupon callback check fail"),
    (1_090_032, "callback to merchant coupon system fail"),
    (2_747_002, "after-sale argument is wrong"),
    (2_747_009, "refund fail"),
    (2_747_014, "amount is above what can be refunded"),
    (9_401_001, "SPU_EXIST"),
    (9_401_002, "SPU_NOT_EXIST"),
    (9_401_020, "INVALID_ARGUMENT"),
    (9_401_023, "SPU_NOT_ALLOW_EDIT"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_sorted_so_that_each_is_found() {
        assert!(TEXTS.is_sorted_by_key(|(code, _)| *code));
        for (code, text) in TEXTS {
            assert_eq!(errmsg(*code), *text);
        }
        assert_eq!(errmsg(123), "business error");
        assert_eq!(errmsg(45157), "invalid tag name");
        assert_eq!(errmsg(10_060_001), "支付单不存在");
    }
}
