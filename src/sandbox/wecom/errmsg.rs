//! How WeCom words a refusal.

use std::{borrow::Cow, net::IpAddr};

use crate::{base::cidr::plain, sandbox::refusal::Refusal};

/// The text with WeCom's tail. A text of the platform is WeCom's own where it has another one
/// for the code; a text that a call made up stays.
pub(in crate::sandbox) fn errmsg(refusal: &Refusal, hint: &str, peer: IpAddr) -> String {
    let text = match &refusal.errmsg {
        Cow::Borrowed(usual) => own_text(refusal.errcode).unwrap_or(usual),
        Cow::Owned(text) => text,
    };
    let (peer, errcode) = (plain(peer), refusal.errcode);
    format!(
        "{text}, hint: [{hint}], from ip: {peer}, more info at \
         https://open.work.weixin.qq.com/devtool/query?e={errcode}"
    )
}

/// Digits that name the call, made from its rid; their meaning is not documented.
pub(in crate::sandbox) fn hint(rid: &str) -> String {
    let groups = rid.split('-').map(|group| u32::from_str_radix(group, 16).unwrap_or(0));
    groups.map(|group| format!("{group:010}")).collect()
}

/// Codes that mean something else to WeCom, or that only WeCom has.
fn own_text(errcode: i64) -> Option<&'static str> {
    Some(match errcode {
        40001 => "invalid credential",
        40003 => "invalid userid",
        40004 => "invalid media type",
        40008 => "invalid message type",
        40013 => "invalid corpid",
        40056 => "invalid agentid",
        40058 => "invalid Request Parameter",
        40091 => "invalid secret",
        41002 => "corpid missing",
        41004 => "corpsecret missing",
        41009 => "userid missing",
        41011 => "agentid missing",
        41019 => "department missing",
        60003 => "department not found",
        60020 => "not allow to access from your ip",
        60111 => "userid not found",
        81013 => "user & party & tag all invalid",
        82001 => "all user, party and tag are empty",
        301_002 => "not allow operate another agent with this accesstoken",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_ends_with_hint_address_and_link() {
        let peer = "::ffff:203.0.113.9".parse().unwrap();
        let text = errmsg(&Refusal::new(60020), &hint("617682e0-00000001-0000000a"), peer);
        let wanted = "not allow to access from your ip, hint: [163515670400000000010000000010], \
                      from ip: 203.0.113.9, more info at \
                      https://open.work.weixin.qq.com/devtool/query?e=60020";
        assert_eq!(text, wanted);
        assert_eq!(crate::wechat::refusal::refused_ip(60020, &text), Some(plain(peer)));
        let own = errmsg(&Refusal::with(47001, "x"), "1", peer);
        assert!(own.starts_with("data format error: x, hint: [1]"), "{own}");
    }
}
