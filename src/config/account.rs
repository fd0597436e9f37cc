//! `[[account]]`: one app each.

use std::sync::Arc;

use crate::base::{kind::AccountKind, name::Name, secret::Secret};

use super::{
    field::Field,
    limit,
    message::say,
    model::{Account, ForceRefresh, Roots, Server, TokenFamily, Upstream},
    provider::{check_providers, read_provider},
    suggest::write,
    table::Table,
    upstream::{read_egress, read_roots, read_upstream},
};

/// The accounts of the file.
#[derive(Default)]
pub(super) struct Accounts {
    /// Those that could be read.
    pub(super) list: Vec<Arc<Account>>,
    /// The names of all, so that a mistake in an account is no mistake of a key that names it.
    pub(super) names: Vec<Name>,
}

/// Reads all accounts. One that cannot be read is left out; all of its keys are checked.
pub(super) fn read_all(top: &Table<'_>, server: &Server) -> Accounts {
    let mut accounts = Accounts::default();
    let field = top.field("account");
    let how = say!(
        "请写 [[account]]，含 name、app_id 和 upstream",
        "write [[account]] with name, app_id and upstream"
    );
    if field.is_empty_list() {
        field.refuse(say!("至少要有一个账号", "at least one account is needed"), Some(how));
    } else {
        field.require(how);
    }
    let tables = top.tables("account");
    for table in &tables {
        let name = read_name(&table.field("name"), |name| accounts.names.contains(name));
        accounts.names.extend(name.clone());
        accounts.list.extend(read(table, name, server).map(Arc::new));
    }
    check_providers(&tables, &accounts);
    accounts
}

/// A name that is not taken yet. One that is taken is noted, and given all the same.
pub(super) fn read_name(field: &Field<'_>, is_taken: impl Fn(&Name) -> bool) -> Option<Name> {
    field.require(say!("name = \"shop\"", "name = \"shop\""));
    let wanted = say!(
        "名称：1 到 32 个 a-z、0-9 和 -，不以 - 开头",
        "a name: 1 to 32 of a-z, 0-9 and -, the first no -"
    );
    let name = field.parsed::<Name>(&wanted)?;
    if is_taken(&name) {
        field.refuse(say!("名称 {name} 已被使用", "the name {name} is taken"), None);
    }
    Some(name)
}

/// Reads one account. Every key is read before the first `?`, so that no mistake hides another.
fn read(table: &Table<'_>, name: Option<Name>, server: &Server) -> Option<Account> {
    let kind = read_kind(&table.field("kind"));
    let upstream = read_upstream(&table.field("upstream"), server);
    let account = Account {
        app_id: read_app_id(&table.field("app_id"), kind),
        provider: read_provider(table, kind),
        app_secret: read_app_secret(table, kind, upstream.as_ref()),
        roots: read_roots(&table.field("ca")),
        egress: read_egress(&table.table("egress"), server),
        token: read_token(&table.field("token"), kind),
        force_refresh: read_force_refresh(table, kind),
        own_tokens: table.field("own_tokens").flag().unwrap_or(false),
        exclusive: table.field("exclusive").flag().unwrap_or(false),
        upstream_http2: table.field("upstream_http2").flag().unwrap_or(false),
        pass_authorization: read_pass_authorization(&table.field("pass_authorization"), kind),
        limits: limit::read_path_limits(table),
        name: name?,
        kind: kind?,
        upstream: upstream?,
    };
    Some(account)
}

/// None for a wrong kind: what hangs on the kind is then not judged.
fn read_kind(field: &Field<'_>) -> Option<AccountKind> {
    if !field.is_written() {
        return Some(AccountKind::MiniProgram);
    }
    let choices: Vec<_> = AccountKind::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect();
    field.choice(&choices)
}

/// The platform compares an AppID as it is. An unusual one is accepted (see [`super::remarks()`]);
/// one that could not stand in a query is not.
fn read_app_id(field: &Field<'_>, kind: Option<AccountKind>) -> String {
    let is_wecom = kind == Some(AccountKind::Wecom);
    if is_wecom {
        field.require(say!("app_id = \"ww…\"（企业 ID）", "app_id = \"ww…\", the CorpID"));
    } else if kind != Some(AccountKind::Generic) {
        field.require(say!("app_id = \"wx…\"", "app_id = \"wx…\""));
    }
    let Some(text) = field.text() else { return String::new() };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let may_be_empty = kind == Some(AccountKind::Generic);
    if text.is_empty() && !may_be_empty || text.len() > 64 || !text.bytes().all(good) {
        let wanted = if is_wecom {
            say!(
                "企业 ID（CorpID）：ww 开头，在企业微信管理后台“我的企业”中可见",
                "a CorpID: ww and letters and digits, as WeCom's admin console shows it"
            )
        } else {
            say!(
                "AppID：wx 加 16 位字母数字，在平台“开发管理”中可见",
                "an AppID: wx and 16 letters and digits, as the platform's settings show it"
            )
        };
        return field.not_a(text, &wanted, None).unwrap_or_default();
    }
    text.to_owned()
}

/// The sandbox gives its own tokens, a third-party platform gets those of its merchants, and
/// kind `generic` may have no secret at all.
fn read_app_secret(
    table: &Table<'_>,
    kind: Option<AccountKind>,
    upstream: Option<&Upstream>,
) -> Option<Secret> {
    let field = table.field("app_secret");
    let is_wechat = kind.is_some_and(|kind| kind != AccountKind::Generic);
    let is_merchant = table.field("provider").is_written();
    if is_wechat && !is_merchant && matches!(upstream, Some(Upstream::Origins(_))) {
        field.require(say!(
            "请写 app_secret = \"file:secrets/NAME\"；upstream = \"sandbox\" 或写了 provider 的账号不需要",
            "write app_secret = \"file:secrets/NAME\"; an account with upstream = \"sandbox\" or a provider needs none"
        ));
    }
    field.secret()
}

/// WeCom has one token call, and it is neither.
fn read_token(field: &Field<'_>, kind: Option<AccountKind>) -> TokenFamily {
    let choices = [("stable", TokenFamily::Stable), ("classic", TokenFamily::Classic)];
    let family = field.choice(&choices).unwrap_or(TokenFamily::Stable);
    if family == TokenFamily::Classic && kind == Some(AccountKind::Wecom) {
        let message =
            say!("企业微信只有 gettoken 一种取令牌方式", "WeCom has one way to a token, gettoken");
        let advice = say!("请删去这一行", "remove this line");
        field.refuse(message, Some(advice));
    }
    family
}

/// Forcing retires the token of every other holder of the AppSecret, so it is only allowed
/// where there is none.
fn read_force_refresh(table: &Table<'_>, kind: Option<AccountKind>) -> ForceRefresh {
    let field = table.field("force_refresh");
    let choices = [("never", ForceRefresh::Never), ("auto", ForceRefresh::Auto)];
    let choice = field.choice(&choices).unwrap_or(ForceRefresh::Never);
    if choice == ForceRefresh::Auto && kind == Some(AccountKind::Wecom) {
        let message = say!(
            "企业微信的令牌无法强制刷新：到期前每次都得到同一个",
            "a WeCom token cannot be forced: until its end everybody gets the same one"
        );
        field.refuse(message, Some(write("force_refresh = \"never\"")));
        return choice;
    }
    let is_exclusive =
        matches!(table.field("exclusive").value(), Some(v) if v.as_bool() == Some(true));
    if choice == ForceRefresh::Auto && !is_exclusive {
        let message = say!(
            "强制刷新会使生产环境的令牌失效",
            "a forced refresh would kill production's token"
        );
        let advice = say!(
            "生产环境也经过这里时才写 exclusive = true，否则写 \"never\"",
            "write exclusive = true if production calls through here too, else write \"never\""
        );
        field.refuse(message, Some(advice));
    }
    choice
}

/// On the platform the token goes into the query; a foreign header could only leak.
fn read_pass_authorization(field: &Field<'_>, kind: Option<AccountKind>) -> bool {
    let passes = field.flag().unwrap_or(false);
    if passes && kind.is_some_and(|kind| kind != AccountKind::Generic) {
        field.refuse(
            say!(
                "只有 kind = \"generic\" 可以转发 Authorization",
                "only kind = \"generic\" may pass Authorization on"
            ),
            Some(write("pass_authorization = false")),
        );
    }
    passes
}

impl Account {
    /// An account with the defaults of the file; `app_secret` is still missing.
    #[must_use]
    pub fn new(name: Name, kind: AccountKind, app_id: &str, upstream: Upstream) -> Self {
        Self {
            name,
            kind,
            app_id: app_id.to_owned(),
            app_secret: None,
            provider: None,
            upstream,
            roots: Roots::System,
            egress: super::model::Egress::default(),
            token: TokenFamily::Stable,
            force_refresh: ForceRefresh::Never,
            own_tokens: false,
            exclusive: false,
            upstream_http2: false,
            pass_authorization: false,
            limits: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        model::{Account, Upstream},
        testing::{Files, accept, expect_problem, expect_problems},
    };
    use crate::base::kind::AccountKind;

    const START: &str = "[[account]]\nname = 'a'\napp_id = 'wx0123456789abcdef'\n";

    #[test]
    fn an_account_has_a_name_an_app_id_and_an_upstream() {
        expect_problems(
            "[[account]]\n",
            &[(1, "app_id is missing"), (1, "name is missing"), (1, "upstream is missing")],
        );
        let text = "[[account]]\nname = 'A'\napp_id = ''\nupstream = 'sandbox'\n";
        expect_problems(text, &[(2, "`A` is not a name"), (3, "is not an AppID")]);
        let text = "[[account]]\nname = 'a'\napp_id = 'wx 1'\nupstream = 'sandbox'\n";
        expect_problem(text, (3, "`wx 1` is not an AppID", ""));
        let two = format!("{START}upstream = 'sandbox'\n").repeat(2);
        expect_problem(&two, (6, "the name a is taken", ""));
        expect_problem("account = 1\n", (1, "must be a list", ""));
        expect_problem("[account]\nname = 'a'\n", (1, "list of tables", "[[account]]"));
    }

    #[test]
    fn a_file_without_accounts_is_refused() {
        super::super::testing::expect_bare_problem("", (1, "account is missing", "[[account]]"));
        super::super::testing::expect_bare_problem("account = []\n", (1, "at least one", ""));
    }

    #[test]
    fn a_real_upstream_needs_a_secret_and_the_sandbox_and_other_platforms_need_none() {
        let real = format!("{START}upstream = 'https://api.weixin.qq.com'\n");
        expect_problem(&real, (1, "app_secret is missing", "file:secrets/NAME"));
        accept(&format!("{START}upstream = 'sandbox'\n"));
        let text = "[[account]]\nname = 'a'\nkind = 'generic'\nupstream = 'https://x.cn'\n";
        let config = accept(text);
        assert_eq!(
            (config.accounts[0].app_id.as_str(), config.accounts[0].app_secret.is_none()),
            ("", true)
        );
        let files = Files::new();
        files.write("s", "0123456789abcdef0123456789abcdef\n", 0o600);
        let config = files.accept(&format!("{real}app_secret = 'file:s'\n"));
        let secret = config.accounts[0].app_secret.clone().unwrap();
        assert!(secret.matches(b"0123456789abcdef0123456789abcdef"));
    }

    #[test]
    fn contradictions_are_named() {
        for (line, says, advice) in [
            ("force_refresh = 'auto'", "kill production", "exclusive = true"),
            ("force_refresh = 'auto'\nexclusive = false", "kill production", "exclusive = true"),
            ("pass_authorization = true", "only kind = \"generic\"", ""),
            ("kind = 'miniprogram'", "not one of", "did you mean \"mini-program\""),
            ("token = 'classical'", "not one of", "did you mean \"classic\""),
            ("own_tokens = 1", "must be true or false", ""),
            ("callback = 1", "callback is not in this version", ""),
        ] {
            expect_problem(&format!("{START}upstream = 'sandbox'\n{line}\n"), (5, says, advice));
        }
        accept(&format!("{START}upstream = 'sandbox'\nforce_refresh = 'auto'\nexclusive = true\n"));
    }

    #[test]
    fn a_wecom_app_has_a_corp_id_and_a_secret_and_one_way_to_its_token() {
        let head = "[[account]]\nkind = 'wecom'\n";
        expect_problems(
            &format!("{head}upstream = 'https://qyapi.weixin.qq.com'\n"),
            &[(1, "app_id = \"ww…\""), (1, "app_secret is missing"), (1, "name is missing")],
        );
        let named = format!("{head}name = 'work'\napp_id = 'ww0123456789abcdef'\n");
        let config = accept(&format!("{named}upstream = 'sandbox'\ntoken = 'stable'\n"));
        assert_eq!(config.accounts[0].kind, AccountKind::Wecom);
        expect_problems(
            &format!(
                "{named}upstream = 'sandbox'\ntoken = 'classic'\nforce_refresh = 'auto'\n\
                 pass_authorization = true\n"
            ),
            &[(6, "gettoken"), (7, "cannot be forced"), (8, "only kind")],
        );
        let odd = format!("{head}name = 'work'\napp_id = 'ww 1'\nupstream = 'sandbox'\n");
        expect_problem(&odd, (4, "`ww 1` is not a CorpID", ""));
    }

    #[test]
    fn the_constructor_and_the_reader_have_the_same_defaults() {
        let config = accept(&format!("{START}upstream = 'sandbox'\n"));
        let made = Account::new(
            "a".parse().unwrap(),
            AccountKind::MiniProgram,
            "wx0123456789abcdef",
            Upstream::Sandbox,
        );
        assert_eq!(format!("{made:?}"), format!("{:?}", config.accounts[0]));
    }
}
