//! `provider` of an account: the third-party platform that acts for it.

use std::sync::Arc;

use crate::base::{kind::AccountKind, name::Name};

use super::{
    account::Accounts,
    field::Field,
    message::say,
    model::{Account, Upstream},
    suggest::{closest, did_you_mean, one_of},
    table::Table,
};

/// Reads `provider`. Whether there is such a platform is known once all accounts are read.
pub(super) fn read_provider(table: &Table<'_>, kind: Option<AccountKind>) -> Option<Name> {
    let field = table.field("provider");
    if kind == Some(AccountKind::OpenPlatform) {
        refuse_token_keys(table, || {
            say!(
                "第三方平台只有 component_access_token，没有别的取法",
                "a third-party platform has its component token and no other way"
            )
        });
    }
    let name = field.parsed::<Name>(&say!("账号名", "an account's name"))?;
    match kind {
        Some(AccountKind::MiniProgram | AccountKind::OfficialAccount) | None => {}
        Some(AccountKind::Wecom | AccountKind::OpenPlatform | AccountKind::Generic) => {
            let message = say!(
                "只有小程序和公众号可以授权给第三方平台",
                "only mini programs and official accounts authorize a third-party platform"
            );
            let advice = say!(
                "请删去 provider，或写 kind = \"mini-program\"",
                "remove provider, or write kind = \"mini-program\""
            );
            field.refuse(message, Some(advice));
        }
    }
    let secret = table.field("app_secret");
    if secret.is_written() {
        let message = say!(
            "provider 与 app_secret 只能有一个：令牌由第三方平台取得",
            "provider and app_secret exclude each other: the platform gets the token"
        );
        secret.refuse(message, Some(say!("请删去其中一个", "remove one of the two")));
    }
    refuse_token_keys(table, || {
        say!(
            "令牌由第三方平台取得，此项不起作用",
            "the third-party platform gets the token, so this has no effect"
        )
    });
    Some(name)
}

fn refuse_token_keys(table: &Table<'_>, message: impl Fn() -> super::Message) {
    for key in ["token", "force_refresh"] {
        let field = table.field(key);
        if field.is_written() {
            field.refuse(message(), Some(say!("请删去", "remove it")));
        }
    }
}

/// Holds every `provider` against the accounts of the file.
pub(super) fn check_providers(tables: &[Table<'_>], accounts: &Accounts) {
    for table in tables {
        let field = table.field("provider");
        if let Some(text) = field.value().and_then(|value| value.as_str()) {
            check(&field, text, table, accounts);
        }
    }
}

fn check(field: &Field<'_>, text: &str, table: &Table<'_>, accounts: &Accounts) {
    let platforms: Vec<&Arc<Account>> =
        accounts.list.iter().filter(|account| account.kind == AccountKind::OpenPlatform).collect();
    let names: Vec<&str> = platforms.iter().map(|account| account.name.as_str()).collect();
    let Some(platform) = platforms.iter().find(|account| account.name.as_str() == text) else {
        // An account with mistakes of its own may be the one.
        let is_read = accounts.list.iter().any(|account| account.name.as_str() == text);
        if is_read || !accounts.names.iter().any(|name| name.as_str() == text) {
            let all = (!names.is_empty()).then(|| one_of(&names));
            let advice = closest(text, &names).map(did_you_mean).or(all);
            let how = || {
                say!(
                    "请另写一个 kind = \"open-platform\" 的账号",
                    "write an account of kind = \"open-platform\" too"
                )
            };
            let wanted = say!(
                "本文件里 kind = \"open-platform\" 的账号",
                "an account of this file of kind = \"open-platform\""
            );
            field.not_a::<()>(text, &wanted, advice.or_else(|| Some(how())));
        }
        return;
    };
    let is_sandbox = |value: &str| value == "sandbox";
    let upstream = table.field("upstream");
    let is_own_sandbox = upstream.value().and_then(|v| v.as_str()).is_some_and(is_sandbox);
    if upstream.is_written() && is_own_sandbox != (platform.upstream == Upstream::Sandbox) {
        let message = say!(
            "与 {text} 的上游不同：一个是沙箱，一个是真实平台，令牌互不相认",
            "unlike that of {text}: one is the sandbox and one is real, so no token fits both"
        );
        let advice = say!(
            "两者都写 \"sandbox\"，或都写真实地址",
            "write \"sandbox\" for both, or real origins for both"
        );
        upstream.refuse(message, Some(advice));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem, expect_problems};

    const PLATFORM: &str = "[[account]]\nname = 'open'\nkind = 'open-platform'\napp_id = 'wxopen0123456789'\nupstream = 'sandbox'\n";
    const MERCHANT: &str = "[[account]]\nname = 'shop'\napp_id = 'wx0123456789abcdef'\n";

    fn merchant(rest: &str) -> String {
        format!("{PLATFORM}{MERCHANT}{rest}\n")
    }

    #[test]
    fn a_merchant_names_its_platform_and_needs_no_secret() {
        let config = accept(&merchant("upstream = 'sandbox'\nprovider = 'open'"));
        assert_eq!(config.accounts[1].provider.as_ref().unwrap().as_str(), "open");
        assert!(config.accounts[0].provider.is_none());
        // In any order of the file.
        let turned = format!("{MERCHANT}upstream = 'sandbox'\nprovider = 'open'\n{PLATFORM}");
        assert_eq!(accept(&turned).accounts[0].provider.as_ref().unwrap().as_str(), "open");
    }

    #[test]
    fn contradictions_are_named_where_they_stand() {
        for (rest, line, says, advice) in [
            ("upstream = 'sandbox'\nprovider = 'opn'", 10, "`opn` is not an account", "\"open\""),
            ("upstream = 'sandbox'\nprovider = 'shop'", 10, "`shop` is not an account", "\"open\""),
            ("upstream = 'https://x.cn'\nprovider = 'open'", 9, "one is the sandbox", "both"),
            ("upstream = 'sandbox'\nprovider = 'open'\ntoken = 'stable'", 11, "no effect", ""),
            (
                "upstream = 'sandbox'\nprovider = 'open'\nkind = 'generic'",
                10,
                "only mini programs",
                "mini-program",
            ),
        ] {
            expect_problem(&merchant(rest), (line, says, advice));
        }
        let text = merchant(
            "upstream = 'sandbox'\nprovider = 'open'\napp_secret = 'env:GOOD'\nforce_refresh = 'never'",
        );
        expect_problems(&text, &[(11, "exclude each other"), (12, "no effect")]);
    }

    #[test]
    fn a_platform_has_a_component_secret_and_no_other_token() {
        expect_problem(&format!("{PLATFORM}token = 'stable'\n"), (6, "component token", ""));
        let real = PLATFORM.replace("'sandbox'", "'https://api.weixin.qq.com'");
        expect_problem(&real, (1, "app_secret is missing", ""));
        expect_problem(&format!("{PLATFORM}provider = 'open'\n"), (6, "only mini programs", ""));
        let lonely = format!("{MERCHANT}upstream = 'sandbox'\nprovider = 'open'\n");
        expect_problem(&lonely, (5, "`open` is not an account", "kind = \"open-platform\""));
    }
}
