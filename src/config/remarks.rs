//! What is allowed in a configuration and yet worth a look.

use crate::base::kind::AccountKind;

use super::{
    message::{Message, say},
    model::{Account, Config, Upstream},
};

/// Things that are right for some set-ups and mistakes in most. `check` shows them, a start
/// logs them; none stops anything.
#[must_use]
pub fn remarks(config: &Config) -> Vec<Message> {
    let mut remarks: Vec<Message> =
        config.accounts.iter().flat_map(|account| of_account(account)).collect();
    let real: Vec<_> =
        config.accounts.iter().filter(|a| is_real(a) && !a.app_id.is_empty()).collect();
    for (index, account) in real.iter().enumerate() {
        let twin = real.iter().take(index).find(|other| are_twins(other, account));
        if let Some(twin) = twin {
            let (one, two) = (&twin.name, &account.name);
            remarks.push(say!(
                "账号 {one} 与 {two} 的 AppID 相同，会各取各的令牌",
                "accounts {one} and {two} have the same AppID and fetch tokens apart"
            ));
        }
    }
    if config.client_ca.is_none() {
        for key in config.keys.iter().filter(|key| key.subject.is_some()) {
            let name = &key.name;
            remarks.push(say!(
                "密钥 {name} 绑定了客户端证书，但没有设置 [tls] client_ca，证书不会被索取",
                "key {name} is bound to a client certificate, but without [tls] client_ca none is asked for"
            ));
        }
    }
    remarks
}

/// The apps of a company share its CorpID and differ in their secrets.
fn are_twins(one: &Account, other: &Account) -> bool {
    let are_apps = one.kind == AccountKind::Wecom && other.kind == AccountKind::Wecom;
    let secrets = one.app_secret.as_ref().zip(other.app_secret.as_ref());
    let differ = secrets.is_some_and(|(one, other)| !one.matches(other.expose().as_bytes()));
    one.app_id == other.app_id && !(are_apps && differ)
}

fn of_account(account: &Account) -> Vec<Message> {
    match account.kind {
        AccountKind::Generic => Vec::new(),
        AccountKind::Wecom => of_wecom(account),
        AccountKind::MiniProgram | AccountKind::OfficialAccount | AccountKind::OpenPlatform => {
            of_wechat(account)
        }
    }
}

/// Corps that were official accounts before have a `wx…`. The form of a secret is documented
/// nowhere.
fn of_wecom(account: &Account) -> Vec<Message> {
    let name = &account.name;
    if is_usual_id("ww", &account.app_id) || is_usual_id("wx", &account.app_id) {
        return Vec::new();
    }
    vec![say!(
        "账号 {name}：企业 ID（CorpID）通常是 ww 加 16 位小写字母或数字；应用的 AgentId 不是它",
        "account {name}: a CorpID is usually ww and 16 lower-case letters or digits; an app's \
         AgentId is not it"
    )]
}

/// The forms are what the platform's settings page gives out; others may exist.
fn of_wechat(account: &Account) -> Vec<Message> {
    let name = &account.name;
    let mut remarks = Vec::new();
    if !is_usual_id("wx", &account.app_id) {
        remarks.push(say!(
            "账号 {name}：AppID 通常是 wx 加 16 位小写字母或数字",
            "account {name}: an AppID is usually wx and 16 lower-case letters or digits"
        ));
    }
    let odd_secret = account.app_secret.as_ref().is_some_and(|secret| {
        let text = secret.expose();
        text.len() != 32 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    if is_real(account) && odd_secret {
        remarks.push(say!(
            "账号 {name}：AppSecret 通常是 32 位小写十六进制",
            "account {name}: an AppSecret is usually 32 lower-case hex digits"
        ));
    }
    remarks
}

/// Whether mistakes of the account reach a platform.
fn is_real(account: &Account) -> bool {
    account.upstream != Upstream::Sandbox
}

/// The prefix and 16 lower-case letters or digits.
fn is_usual_id(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Files;
    use super::*;
    use crate::base::kind::Language;

    #[test]
    fn unusual_ids_and_secrets_and_twins_are_remarked_and_the_default_is_not() {
        let files = Files::new();
        files.write("odd", "not-the-usual-secret", 0o600);
        let one = |name: &str| {
            format!(
                "[[account]]\nname = '{name}'\napp_id = 'gh_1'\napp_secret = 'file:odd'\n\
                 upstream = 'https://api.weixin.qq.com'\n"
            )
        };
        let config = files.accept(&format!("{}{}", one("a"), one("b")));
        let said: Vec<_> = remarks(&config).iter().map(|m| m.in_language(Language::En)).collect();
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(said[0].contains("account a: an AppID"), "{said:?}");
        assert!(said[1].contains("32 lower-case hex") && !said[1].contains("not-the"), "{said:?}");
        assert!(said[4].contains("a and b have the same AppID"), "{said:?}");
        assert!(remarks(&files.accept("")).is_empty());
    }

    #[test]
    fn a_key_bound_to_a_certificate_that_nobody_asks_for_is_remarked() {
        let files = Files::new();
        let key = "[[key]]\nname = 'ci'\nsubject = 'CN=ci'\n";
        let said = remarks(&files.accept(key));
        assert!(said[0].in_language(Language::En).contains("key ci is bound to a client"));
        files.write("c.pem", &super::super::testing::client_ca_pem(true), 0o644);
        assert!(remarks(&files.accept(&format!("[tls]\nclient_ca = 'c.pem'\n{key}"))).is_empty());
    }

    #[test]
    fn apps_of_a_company_share_its_id_and_an_agent_id_is_none() {
        let files = Files::new();
        files.write("one", "the-secret-of-one-app", 0o600);
        files.write("two", "the-secret-of-another", 0o600);
        let app = |name: &str, corp_id: &str, secret: &str| {
            format!(
                "[[account]]\nname = '{name}'\nkind = 'wecom'\napp_id = '{corp_id}'\n\
                 app_secret = 'file:{secret}'\nupstream = 'https://qyapi.weixin.qq.com'\n"
            )
        };
        let said = |text: &str| -> Vec<String> {
            remarks(&files.accept(text)).iter().map(|m| m.in_language(Language::En)).collect()
        };
        let (new, old) = ("ww0123456789abcdef", "wx0123456789abcdef");
        let apart = app("a", new, "one") + &app("b", new, "two") + &app("c", old, "one");
        assert!(said(&apart).is_empty());
        let twins = app("a", new, "one") + &app("b", new, "one") + &app("c", "1000002", "two");
        let said = said(&twins);
        assert!(said.len() == 2 && said[0].contains("account c: a CorpID"), "{said:?}");
        assert!(said[1].contains("a and b have the same AppID"), "{said:?}");
    }
}
