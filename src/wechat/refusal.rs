//! The platform refuses our address: which address it saw, and where to enter it.

use std::net::IpAddr;

use super::errcode::is_ip_refusal;
use crate::base::{cidr::plain, kind::AccountKind};

/// The address that the platform saw, out of the text of a refusal.
///
/// - 40164: `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: …`, before 2018
///   without the second address. It is taken where the first is no address.
/// - 61004: `access clientip is not registered requestIP: 1.2.3.4 rid: …`
/// - 60020 (WeCom): `not allow to access from your ip, hint: […], from ip: 1.2.3.4, more info …`
/// - 45035 has no documented form: both of WeChat's are tried.
#[must_use]
pub fn refused_ip(errcode: i64, errmsg: &str) -> Option<IpAddr> {
    if !is_ip_refusal(errcode) {
        return None;
    }
    MARKS.iter().find_map(|mark| address_behind(errmsg, mark))
}

/// The menu in which the refused address must be entered, in Chinese and English; for an
/// errcode that is no refusal of an address: that of the account's kind all the same.
///
/// Source: "API IP 白名单", <https://developers.weixin.qq.com/doc/oplatform/developers/basic_func/ip_whitelist.html>.
#[must_use]
pub fn where_to_enter(kind: AccountKind, errcode: i64) -> (&'static str, &'static str) {
    match (errcode, kind) {
        (60_020, _) | (_, AccountKind::Wecom) => WECOM,
        (45_035, _) => STORE,
        // Also on a merchant's account: the token is that of a platform acting for it.
        (61_004, _) | (_, AccountKind::OpenPlatform) => OPEN_PLATFORM,
        (_, AccountKind::MiniProgram) => MINI_PROGRAM,
        (_, AccountKind::OfficialAccount) => OFFICIAL_ACCOUNT,
        (_, AccountKind::Generic) => GENERIC,
    }
}

/// What stands before the address, most telling first.
const MARKS: [&str; 4] = ["invalid ip ", " ipv6 ", "requestIP: ", "from ip: "];

fn address_behind(errmsg: &str, mark: &str) -> Option<IpAddr> {
    let (_, behind) = errmsg.split_once(mark)?;
    let text = behind.split(|c: char| c == ',' || c.is_whitespace()).next()?;
    text.parse().ok().map(plain)
}

const MINI_PROGRAM: (&str, &str) = (
    "微信公众平台 mp.weixin.qq.com → 开发管理 → 开发设置 → 开发者 ID → IP 白名单",
    "mp.weixin.qq.com → 开发管理 (Development) → 开发设置 (Settings) → 开发者 ID (Developer ID) → IP 白名单 (IP allow-list)",
);

const OFFICIAL_ACCOUNT: (&str, &str) = (
    "微信开发者平台 developers.weixin.qq.com → 我的业务 → 公众号/服务号 → 基础信息 → 开发信息 → API IP 白名单（旧入口：mp.weixin.qq.com → 设置与开发 → 开发接口管理）",
    "developers.weixin.qq.com → 我的业务 (My services) → the account → 基础信息 (Basics) → 开发信息 (Development) → API IP 白名单 (IP allow-list); formerly mp.weixin.qq.com → 设置与开发 → 开发接口管理",
);

const OPEN_PLATFORM: (&str, &str) = (
    "微信开放平台 open.weixin.qq.com → 第三方平台 → 开发资料 → 白名单 IP 地址列表（属于服务商，不在商家账号里；核对现网版本）",
    "open.weixin.qq.com → 第三方平台 (third-party platform) → 开发资料 (Development) → 白名单 IP 地址列表 (IP allow-list); the service provider's own list, not the merchant's; check the released version",
);

const WECOM: (&str, &str) = (
    "企业微信管理后台 work.weixin.qq.com → 应用管理 → 该应用 → 企业可信IP（先设置可信域名或接收消息服务器 URL）",
    "work.weixin.qq.com → 应用管理 (Applications) → the application → 企业可信IP (trusted IPs); a trusted domain or a callback URL must be set first",
);

const STORE: (&str, &str) =
    ("微信小店店铺后台的 IP 白名单", "the IP allow-list in the console of the WeChat Store");

const GENERIC: (&str, &str) =
    ("该接口提供方的 IP 白名单", "the IP allow-list of whoever runs the API");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_every_known_wording() {
        for (errcode, errmsg, ip) in [
            (
                40_164,
                "invalid ip 114.221.21.30 ipv6 ::ffff:114.221.21.30, not in whitelist rid: 658cff8e-7783352d-44cb33e5",
                "114.221.21.30",
            ),
            (
                40_164,
                "invalid ip 61.172.68.219, not in whitelist hint: [KJZfAa0644e575]",
                "61.172.68.219",
            ),
            (40_164, "invalid ip  ipv6 2001:db8::7, not in whitelist", "2001:db8::7"),
            (40_164, "invalid ip ::ffff:1.2.3.4, not in whitelist", "1.2.3.4"),
            (
                61_004,
                "access clientip is not registered requestIP: 27.18.103.5 rid: 62a9a3ac-204f22d9-196a7580",
                "27.18.103.5",
            ),
            (
                60_020,
                "not allow to access from your ip, hint: [1690282230612130918224239], from ip: 222.65.121.207, more info at https://open.work.weixin.qq.com/devtool/query?e=60020",
                "222.65.121.207",
            ),
            (45_035, "access clientip is not registered requestIP: 1.2.3.4 rid: x", "1.2.3.4"),
        ] {
            assert_eq!(refused_ip(errcode, errmsg), Some(ip.parse().unwrap()), "{errmsg}");
        }
    }

    #[test]
    fn no_address_is_made_up() {
        for (errcode, errmsg) in [
            (40_164, ""),
            (40_164, "invalid ip , not in whitelist"),
            (40_164, "invalid ip 8.149.XXX.108, not in whitelist"),
            (40_164, "invalid ip 999.1.1.1, not in whitelist"),
            (61_004, "access clientip is not registered"),
            (60_020, "not allow to access from your ip, hint: [1]"),
            (40_001, "invalid ip 1.2.3.4, not in whitelist"),
            (0, "requestIP: 1.2.3.4"),
        ] {
            assert_eq!(refused_ip(errcode, errmsg), None, "{errmsg}");
        }
    }

    #[test]
    fn the_menu_is_that_of_whoever_keeps_the_list() {
        let zh = |kind, errcode| where_to_enter(kind, errcode).0;
        assert!(zh(AccountKind::MiniProgram, 40_164).contains("开发管理 → 开发设置"));
        assert!(zh(AccountKind::OfficialAccount, 40_164).contains("基础信息 → 开发信息"));
        assert!(zh(AccountKind::MiniProgram, 61_004).contains("open.weixin.qq.com"));
        assert!(zh(AccountKind::Wecom, 60_020).contains("企业可信IP"));
        assert!(zh(AccountKind::MiniProgram, 45_035).contains("小店"));
        for kind in AccountKind::ALL {
            let (zh, en) = where_to_enter(*kind, 40_164);
            assert!(!zh.is_empty() && !en.is_empty());
        }
    }
}
