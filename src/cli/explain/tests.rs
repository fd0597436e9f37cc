//! What people and programs are told.

use super::*;

fn shown(asked: &str) -> String {
    shown::text(&answer::to(asked), false)
}

#[test]
fn a_pasted_refusal_shows_the_ip_and_where_to_enter_it() {
    let text = shown(
        r#"{"errcode":40164,"errmsg":"invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: 1-2-3"}"#,
    );
    assert!(text.contains("saw: 203.0.113.9\n"), "{text}");
    assert!(text.contains("开发管理 → 开发设置") && text.contains("API IP 白名单"), "{text}");
    assert!(text.contains("token_unavailable"), "what the gateway does: {text}");
    let json =
        serde_json::to_value(answer::to("40164 invalid ip 203.0.113.9, not in whitelist")).unwrap();
    assert_eq!(json["refused_ip"], "203.0.113.9");
    assert_eq!(json["meanings"][0]["class"], "access");
    assert!(json["enter_ip_at"].as_array().unwrap().len() >= 2);
}

#[test]
fn a_bare_number_has_cure_class_and_what_the_gateway_does() {
    let text = shown("45009");
    for part in ["45009", "[wechat, quota]", "cure:", "怎么办:", "wxgate limit reset"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(shown("-1").contains("100 to 300 ms"));
    assert!(shown("40001").contains("repeats the call once"));
    assert!(shown("40164").contains("paste the whole error"));
    assert!(!shown("45009").contains("enter it at"));
}

#[test]
fn our_own_codes_are_known_by_number_and_by_name() {
    for asked in ["-94010", "key_missing", r#"{"errcode":-94010,"errmsg":"wxgate: x"}"#] {
        let text = shown(asked);
        assert!(text.contains("key_missing  [wxgate, HTTP 401]"), "{text}");
        assert!(text.contains("wxgate key create"), "{text}");
    }
    assert!(answer::to("-94010").is_known());
}

#[test]
fn words_are_searched_and_a_typing_error_is_noticed() {
    assert!(shown("白名单").contains("40164"));
    assert!(shown("whitelist").contains("40164"));
    let many = answer::to("invalid");
    assert_eq!(many.meanings.len(), 10);
    assert!(many.more > 0 && shown::text(&many, false).contains("more"));
    let text = shown("54009");
    assert!(text.contains("not known here") && text.contains("45009"), "{text}");
    assert!(shown("qwertyuiop").contains("no errcode has all"));
    assert!(!answer::to("qwertyuiop").is_known());
}

#[test]
fn colours_stand_only_where_they_are_wanted() {
    let answer = answer::to("45009");
    assert!(shown::text(&answer, true).contains("\u{1b}["));
    assert!(!shown::text(&answer, false).contains('\u{1b}'));
}
