//! `[[key]]`: access keys that stand in the file, by their hash or a certificate's subject.

use crate::base::{
    name::Name,
    permission::{ErrorStyle, Lane, Role},
    subject::{HOW, Subject},
};

use super::{
    account::{Accounts, read_name},
    field::Field,
    message::say,
    model::{FixedKey, Upstream},
    suggest::{closest, did_you_mean, one_of},
    table::Table,
};

/// Reads all keys. `accounts` are those that a key may name.
pub(super) fn read_all(top: &Table<'_>, accounts: &Accounts) -> Vec<FixedKey> {
    let mut keys: Vec<FixedKey> = Vec::new();
    for table in top.tables("key") {
        let name = read_name(&table.field("name"), |name| keys.iter().any(|k| k.name == *name));
        let Some(key) = read(&table, name, accounts) else { continue };
        refuse_twins(&table, &key, &keys);
        keys.push(key);
    }
    keys
}

/// One hash or one subject names one key.
fn refuse_twins(table: &Table<'_>, key: &FixedKey, others: &[FixedKey]) {
    if key.sha256.is_some() && others.iter().any(|other| other.sha256 == key.sha256) {
        let message = say!("这个密钥已经写过", "this key stands in the file already");
        table.field("sha256").refuse(message, None);
    }
    let twin = others.iter().find(|other| other.subject == key.subject);
    if let (Some(_), Some(twin)) = (&key.subject, twin) {
        let (this, other) = (&key.name, &twin.name);
        let message = say!(
            "证书主题已绑定密钥 {other}，不能再绑定 {this}",
            "this subject is bound to the key {other} already, so not to {this} as well"
        );
        table.field("subject").refuse(message, None);
    }
}

/// Reads one key; like an account, every key of the table before the first `?`.
fn read(table: &Table<'_>, name: Option<Name>, accounts: &Accounts) -> Option<FixedKey> {
    let roles: Vec<_> = Role::ALL.iter().map(|role| (role.as_str(), *role)).collect();
    let styles: Vec<_> = ErrorStyle::ALL.iter().map(|style| (style.as_str(), *style)).collect();
    let role = table.field("role").choice(&roles).unwrap_or(Role::Developer);
    let own = table.field("accounts").list(|item| read_account(item, accounts)).unwrap_or_default();
    let lane = read_lane(table, role, &own, accounts);
    let (hash, bound) = (table.field("sha256"), table.field("subject"));
    let subject = read_subject(&bound);
    let sha256 = read_sha256(&hash, bound.is_written());
    if (hash.is_written() || !bound.is_written()) && sha256.is_none() {
        return None;
    }
    let key = FixedKey {
        role,
        lane,
        allow_danger: read_allow_danger(&table.field("allow_danger"), lane),
        errors: table.field("errors").choice(&styles).unwrap_or(ErrorStyle::Http),
        paths: table.field("paths").list(Field::path_prefix).unwrap_or_default(),
        networks: table.field("networks").list(Field::network).unwrap_or_default(),
        rate: table.field("rate").rate(),
        accounts: own,
        subject,
        sha256,
        name: name?,
    };
    Some(key)
}

/// An account that does not exist would be a key that can call nothing, found out in use.
fn read_account(field: &Field<'_>, accounts: &Accounts) -> Option<Name> {
    let text = field.text()?;
    if let Some(name) = accounts.names.iter().find(|name| name.as_str() == text) {
        return Some(name.clone());
    }
    let names: Vec<&str> = accounts.names.iter().map(Name::as_str).collect();
    let all = (!names.is_empty()).then(|| one_of(&names));
    let suggestion = closest(text, &names).map(did_you_mean).or(all);
    field.not_a(text, &say!("本文件里的账号", "an account of this file"), suggestion)
}

/// Like `key create`: on a real platform somebody must choose; on the sandbox nothing can break.
fn read_lane(table: &Table<'_>, role: Role, own: &[Name], accounts: &Accounts) -> Lane {
    let field = table.field("lane");
    let lanes: Vec<_> = Lane::ALL.iter().map(|lane| (lane.as_str(), *lane)).collect();
    let mut reached = accounts.list.iter().filter(|a| own.is_empty() || own.contains(&a.name));
    let is_real = reached.any(|account| account.upstream != Upstream::Sandbox);
    if is_real && role != Role::Viewer {
        field.require(one_of(&lanes.iter().map(|(word, _)| *word).collect::<Vec<_>>()));
    }
    field.choice(&lanes).unwrap_or(Lane::Live)
}

/// In the lane `sandbox` danger is not asked for, so the flag is idle there but no contradiction.
fn read_allow_danger(field: &Field<'_>, lane: Lane) -> bool {
    let allowed = field.flag().unwrap_or(false);
    if allowed && lane == Lane::ReadOnly {
        let message =
            say!("只读档不能调用高危接口", "the lane read-only makes no dangerous call anyway");
        let advice = say!("请删去，或写 lane = \"live\"", "remove it, or write lane = \"live\"");
        field.refuse(message, Some(advice));
    }
    allowed
}

/// A subject in any spelling; the config has it in one.
fn read_subject(field: &Field<'_>) -> Option<Subject> {
    let text = field.text()?;
    match text.parse() {
        Ok(subject) => Some(subject),
        Err(error) => {
            let shown = super::privacy::shown(text);
            let advice = say!(
                "请照抄 openssl x509 -noout -subject -nameopt RFC2253 -in cert.pem 的输出，去掉 subject=",
                "{HOW}"
            );
            let message = say!(
                "{shown} 不能作为证书主题：{error}",
                "{shown} is not the subject of a certificate: {error}"
            );
            field.refused(message, Some(advice))
        }
    }
}

/// Whoever puts the key itself here has published it to all who read the file. A key that a
/// certificate tells needs no hash.
fn read_sha256(field: &Field<'_>, has_subject: bool) -> Option<[u8; 32]> {
    let how = || {
        say!(
            "请写整个密钥的 SHA-256（64 位十六进制）：printf %s KEY | sha256sum",
            "write the SHA-256 of the whole key, 64 hex digits: printf %s KEY | sha256sum"
        )
    };
    if !has_subject {
        field.require(how());
    }
    let text = field.text()?;
    if text.starts_with("wxgk_") {
        let message = say!(
            "这是密钥本身，不能写在文件里",
            "this is the key itself, which must not stand here"
        );
        return field.refused(message, Some(how()));
    }
    match from_hex(text) {
        Some(hash) => Some(hash),
        None => field.refused(say!("不是 SHA-256", "this is no SHA-256"), Some(how())),
    }
}

/// 64 hex digits of either case.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().fold(0, |sum, digit| sum * 16 + u8::try_from(*digit).unwrap_or(0));
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};
    use crate::base::permission::Lane;

    const HASH: &str = "00ff23456789abcdef0123456789abcdef0123456789abcdef0123456789ABCD";

    fn key(lines: &str) -> String {
        format!("[[key]]\nname = 'ci'\nsha256 = '{HASH}'\n{lines}\n")
    }

    #[test]
    fn a_key_is_a_name_and_a_hash_and_the_rest_has_defaults() {
        let config =
            accept(&key("accounts = ['demo']\npaths = ['/cgi-bin/', '/shop']\nrate = '5/s'"));
        let key = &config.keys[0];
        let hash = key.sha256.unwrap();
        assert_eq!((hash[..2].to_vec(), hash[31]), (vec![0, 0xff], 0xcd));
        assert_eq!((key.lane, key.accounts[0].as_str(), key.paths.len()), (Lane::Live, "demo", 2));
    }

    #[test]
    fn mistakes_of_a_key_are_named() {
        for (lines, says, advice) in [
            ("accounts = ['dmo']", "`dmo` is not an account", "did you mean \"demo\""),
            ("accounts = ['demo', 'demo']", "twice", ""),
            ("role = 'admin'", "not one of", "\"operator\""),
            ("lane = 'readonly'", "not one of", "did you mean \"read-only\""),
            ("paths = ['/cgi-bin/**']", "has no wildcard", "\"/cgi-bin/\""),
            ("paths = ['cgi-bin']", "a path prefix", ""),
            ("networks = ['10.0.0.0/99']", "not a network", ""),
            ("errors = 'json'", "not one of", "\"wechat\""),
            ("allow_danger = true\nlane = 'read-only'", "no dangerous call", "lane = \"live\""),
        ] {
            expect_problem(&key(lines), (4, says, advice));
        }
        expect_problem("[[key]]\nname = 'ci'\n", (1, "sha256 is missing", "sha256sum"));
        expect_problem("[[key]]\nname = 'ci'\nsha256 = 'ff'\n", (3, "no SHA-256", "sha256sum"));
        let again = key("") + &key("").replace("ci", "cd");
        expect_problem(&again, (7, "already", ""));
        let again = key("") + &key("").replace("00ff", "11ff");
        expect_problem(&again, (6, "the name ci is taken", ""));
    }

    #[test]
    fn a_key_may_be_told_by_the_subject_of_a_certificate() {
        let bound = |name: &str, subject: &str| {
            format!("[[key]]\nname = '{name}'\nsubject = '{subject}'\n")
        };
        let config = accept(&bound("ci", "cn=ci,o=Shop"));
        let ci = &config.keys[0];
        assert_eq!((ci.sha256, ci.subject.as_ref().unwrap().as_str()), (None, "CN=ci,O=Shop"));
        let both = &accept(&key("subject = 'CN=ci'")).keys[0];
        assert!(both.sha256.is_some() && both.subject.is_some());
        expect_problem(&bound("ci", "/CN=ci"), (3, "not the subject of a certificate", "RFC2253"));
        expect_problem(&bound("ci", ""), (3, "empty", "RFC2253"));
        let twice = bound("ci", "CN=ci") + &bound("cd", "cn=ci");
        expect_problem(&twice, (6, "bound to the key ci already, so not to cd", ""));
        let text = "[[key]]\nname = 'ci'\nsubject = 'CN=ci'\nsha256 = 'ff'\n";
        expect_problem(text, (4, "no SHA-256", ""));
    }

    #[test]
    fn a_mistake_in_an_account_is_no_mistake_of_a_key_that_names_it() {
        let text =
            format!("{}[[account]]\nname = 'a'\nkind = 'generic'\n", key("accounts = ['a']"));
        expect_problem(&text, (5, "upstream is missing", ""));
    }

    #[test]
    fn a_key_itself_is_refused_and_not_repeated() {
        let text = "[[key]]\nname = 'ci'\nsha256 = 'wxgk_aB3'\n";
        let shown = expect_problem(text, (3, "the key itself", "sha256sum"));
        assert!(!shown.contains("aB3"), "{shown}");
    }

    #[test]
    fn the_lane_of_a_key_for_a_real_platform_must_be_chosen() {
        let real = "[[account]]\nname = 'r'\nkind = 'generic'\nupstream = 'https://x.cn'\n";
        let text = format!("{real}{}", key(""));
        expect_problem(&text, (5, "lane is missing", "\"read-only\""));
        accept(&format!("{real}{}", key("lane = 'live'")));
        accept(&format!("{real}{}", key("role = 'viewer'")));
    }
}
