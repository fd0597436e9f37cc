//! The table of calls.

use std::{collections::HashMap, sync::LazyLock};

use http::Method;

use super::{
    account::Account,
    call::{Answer, Call},
    calls,
    credential::Credential,
    form::{Form, FormKind},
    open,
    query::Query,
    quota::Limits,
    refusal::Refusal,
    roster::Roster,
    shop, signing,
    state::State,
    wecom,
    world::World,
};
use crate::base::kind::AccountKind;

/// One call of the platform: what it asks for, and what it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallSpec {
    /// Its path.
    pub(super) path: &'static str,
    /// POST, else GET.
    pub(super) is_post: bool,
    /// Whether the other method does too.
    pub(super) is_any_method: bool,
    /// What it is called with.
    pub(super) credential: Credential,
    /// What its body holds.
    pub(super) form: FormKind,
    /// How often it may be called.
    pub(super) limits: Limits,
    /// Whether its JSON comes as `text/plain`.
    pub(super) is_plain: bool,
    /// Whether it hands out access tokens.
    pub(super) is_token_call: bool,
    /// Whether it keeps what its body holds, of which there is an end.
    pub(super) is_keeping: bool,
    /// Whether it is one of the component, with a table of fields.
    pub(super) is_shop: bool,
    /// What it does, once everything above was found good.
    pub(super) handler: Handler,
}

/// What a call does. It takes the account's lock itself, and only as long as it must.
pub(super) type Handler = fn(&Cx<'_>) -> Result<Answer, Refusal>;

/// What a handler works with.
pub(super) struct Cx<'a> {
    /// Whose call it is.
    pub(super) account: &'a Account,
    /// Everybody.
    pub(super) roster: &'a Roster,
    /// The call.
    pub(super) call: &'a Call,
    /// Its query.
    pub(super) query: &'a Query<'a>,
    /// Its body.
    pub(super) form: &'a Form,
    /// The account's time.
    pub(super) now_ms: i64,
}

impl Cx<'_> {
    /// The account's state, locked.
    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.account.state()
    }

    /// The account at work, for whoever holds its state.
    pub(super) fn world<'s>(&'s self, state: &'s mut State) -> World<'s> {
        World { account: self.account, state, now_ms: self.now_ms }
    }

    /// A number for a message or a job; above 2^53 where the account's switch asks for it.
    pub(super) fn new_number(&self) -> u64 {
        self.world(&mut self.state()).number(10)
    }

    /// The other accounts of the sandbox.
    pub(super) fn others(&self) -> impl Iterator<Item = &Account> {
        self.roster.others(&self.account.identity.name)
    }
}

impl CallSpec {
    /// A POST of JSON with an access token.
    pub(super) const fn post(path: &'static str, handler: Handler) -> Self {
        Self {
            path,
            is_post: true,
            is_any_method: false,
            credential: Credential::Token,
            form: FormKind::Json,
            limits: Limits::USUAL,
            is_plain: false,
            is_token_call: false,
            is_keeping: false,
            is_shop: false,
            handler,
        }
    }

    /// A call of the transaction component.
    pub(super) const fn shop(path: &'static str, handler: Handler) -> Self {
        let spec = Self::post(path, handler);
        Self { is_shop: true, ..spec }
    }

    /// A GET with an access token.
    pub(super) const fn get(path: &'static str, handler: Handler) -> Self {
        let spec = Self::post(path, handler);
        Self { is_post: false, form: FormKind::None, ..spec }
    }

    /// With another credential.
    pub(super) const fn with(self, credential: Credential) -> Self {
        Self { credential, ..self }
    }

    /// With another form of body.
    pub(super) const fn form(self, form: FormKind) -> Self {
        Self { form, ..self }
    }

    /// With GET and POST, its parameters in the query or in the body.
    pub(super) const fn by_any_method(self) -> Self {
        Self { is_any_method: true, form: FormKind::OptionalJson, ..self }
    }

    /// With limits of its own.
    pub(super) const fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// With JSON as `text/plain`.
    pub(super) const fn plain(self) -> Self {
        Self { is_plain: true, ..self }
    }

    /// One that keeps its body, or much of it.
    pub(super) const fn keeping(self) -> Self {
        Self { is_keeping: true, ..self }
    }

    /// One that hands out access tokens.
    pub(super) const fn issuing(self) -> Self {
        Self { is_token_call: true, ..self }
    }

    /// The kind of account that a stranger's call is taken for.
    pub(super) fn home(&self) -> AccountKind {
        let is_wecom = self.credential == Credential::CorpSecret;
        if is_wecom { AccountKind::Wecom } else { AccountKind::MiniProgram }
    }

    /// The errcode of a wrong method; none for the right one.
    pub(super) fn method_errcode(&self, method: &Method) -> Option<i64> {
        match self.is_post {
            _ if self.is_any_method => None,
            true => (method != Method::POST).then_some(43002),
            false => (method != Method::GET).then_some(43001),
        }
    }
}

/// The call at `path` for an account of that kind: WeCom means other things by the same paths.
/// Without an account, as before any token was issued, either platform's call.
pub(super) fn find(path: &str, kind: Option<AccountKind>) -> Option<&'static CallSpec> {
    let (wechat, wecom) = (|| WECHAT.get(path).copied(), || WECOM.get(path).copied());
    match kind {
        None => wechat().or_else(wecom),
        Some(AccountKind::Wecom) => wecom(),
        Some(
            AccountKind::MiniProgram
            | AccountKind::OfficialAccount
            | AccountKind::OpenPlatform
            | AccountKind::Generic,
        ) => wechat(),
    }
}

/// The paths of all calls, those that both platforms have once.
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    let only_wecom = WECOM.keys().filter(|path| !WECHAT.contains_key(*path));
    WECHAT.keys().chain(only_wecom).copied()
}

/// Every call of WeChat, family after family.
pub(super) fn all() -> impl Iterator<Item = &'static CallSpec> {
    let families =
        calls::FAMILIES.iter().chain(shop::FAMILIES).chain(open::FAMILIES).chain(signing::FAMILIES);
    families.flat_map(|family| family.iter())
}

/// Every call of WeCom.
pub(super) fn all_of_wecom() -> impl Iterator<Item = &'static CallSpec> {
    wecom::FAMILIES.iter().flat_map(|family| family.iter())
}

type Table = HashMap<&'static str, &'static CallSpec>;

static WECHAT: LazyLock<Table> = LazyLock::new(|| all().map(|spec| (spec.path, spec)).collect());
static WECOM: LazyLock<Table> =
    LazyLock::new(|| all_of_wecom().map(|spec| (spec.path, spec)).collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_stands_in_the_table_once() {
        let listed = all().count();
        assert_eq!((WECHAT.len(), WECOM.len()), (listed, all_of_wecom().count()));
        assert!(paths().all(|path| path.starts_with('/') && !path.ends_with('/')));
        assert!(find("/cgi-bin/nothing", None).is_none());
    }

    #[test]
    fn a_path_means_what_the_kind_of_account_means_by_it() {
        let upload = |kind| find("/cgi-bin/media/upload", kind).unwrap();
        let (wechat, wecom) = (upload(None), upload(Some(AccountKind::Wecom)));
        assert!(!std::ptr::eq(wechat, wecom));
        assert!(std::ptr::eq(wechat, upload(Some(AccountKind::MiniProgram))));
        assert!(find("/cgi-bin/gettoken", None).is_some());
        assert!(find("/cgi-bin/gettoken", Some(AccountKind::MiniProgram)).is_none());
        assert!(find("/cgi-bin/token", Some(AccountKind::Wecom)).is_none());
    }
}
