//! What a call proves itself with, and whose it is.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use super::{
    account::Account, call::Call, form::Form, ip_rule::SeenAddress, open, query::Query,
    refusal::Refusal, roster::Roster, settings::Settings, token_family::Standing,
};
use crate::base::{cidr::plain, kind::AccountKind};

/// What a call asks for; the platform's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// `access_token` in the query.
    Token,
    /// `appid` with the secret in the query, under this name.
    SecretInQuery(&'static str),
    /// `appid` with the secret in the JSON body, under this name.
    SecretInJson(&'static str),
    /// In either.
    SecretAnywhere(&'static str),
    /// Something under this name in the query that tells its account and that the call itself
    /// judges, such as a user's own token; with the errcode of something that is nobody's.
    Bearer(&'static str, i64),
    /// `corpid` and `corpsecret` in the query: WeCom.
    CorpSecret,
    /// `component_appid` with the secret in the JSON body, under this name.
    ComponentSecret(&'static str),
    /// A third-party platform's own token, in the query under either name.
    ComponentToken,
    /// A token with which a third-party platform acts for an account; the account's own is none.
    ActingToken,
}

/// A call before it is known whose it is.
pub(super) struct Asked<'a> {
    /// Everybody.
    pub(super) roster: &'a Roster,
    /// Its query.
    pub(super) query: &'a Query<'a>,
    /// Its body.
    pub(super) form: &'a Form,
    /// The call.
    pub(super) call: &'a Call,
}

/// What a caller claims to be.
#[derive(Debug)]
pub(super) struct Claim {
    /// Whose call it is, as far as can be told, right or wrong.
    pub(super) account: Option<Arc<Account>>,
    /// Whether the claim holds; for tokens the account's ledger decides.
    pub(super) proof: Proof,
}

/// How good a claim is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Refused without looking further.
    Refused(i64),
    /// A token of an account.
    Token(String),
    /// The call itself looks.
    Bearer,
    /// A token with which a third-party platform acts for the account, and why it may not.
    Acting(Option<Refusal>),
    /// AppID and AppSecret fit.
    Secret,
    /// The AppID is known, the AppSecret is another one.
    WrongSecret,
}

/// Where a secret stands, and with what.
struct SecretPlace {
    id: &'static str,
    secret: &'static str,
    in_query: bool,
    in_json: bool,
}

impl Credential {
    /// Whether the call carries the AppSecret.
    pub(super) fn is_secret(self) -> bool {
        self.place().is_some()
    }

    fn place(self) -> Option<SecretPlace> {
        let place =
            |id, secret, in_query, in_json| Some(SecretPlace { id, secret, in_query, in_json });
        match self {
            Self::Token | Self::Bearer(..) | Self::ComponentToken | Self::ActingToken => None,
            Self::SecretInQuery(secret) => place("appid", secret, true, false),
            Self::SecretInJson(secret) => place("appid", secret, false, true),
            Self::SecretAnywhere(secret) => place("appid", secret, true, true),
            Self::CorpSecret => place("corpid", "corpsecret", true, false),
            Self::ComponentSecret(secret) => place("component_appid", secret, false, true),
        }
    }

    /// Reads the claim.
    pub(super) fn claim(self, asked: &Asked<'_>) -> Claim {
        if let Self::Bearer(name, unknown) = self {
            let bearer = asked.query.value(name).unwrap_or_default();
            let account = asked.roster.by_token(bearer).or_else(|| asked.roster.sole());
            let proof = account.as_ref().map_or(Proof::Refused(unknown), |_| Proof::Bearer);
            return Claim { account, proof };
        }
        match self.place() {
            Some(place) => self.secret_claim(&place, asked),
            None => self.token_claim(asked),
        }
    }

    fn secret_claim(self, place: &SecretPlace, asked: &Asked<'_>) -> Claim {
        let find = |name: &str| {
            let from_query = asked.query.value(name).filter(|_| place.in_query);
            from_query.or_else(|| asked.form.text(name).filter(|_| place.in_json))
        };
        let refused =
            |errcode| Claim { account: asked.roster.sole(), proof: Proof::Refused(errcode) };
        let Some(id) = find(place.id) else { return refused(41002) };
        let Some(secret) = find(place.secret) else { return refused(41004) };
        let (account, is_right) = asked.roster.by_secret(id, secret);
        let Some(account) = account else { return refused(self.unknown_id_errcode()) };
        let proof = match self.wrong_kind_errcode(account.identity.kind) {
            Some(errcode) => Proof::Refused(errcode),
            None if is_right => Proof::Secret,
            None if self == Self::CorpSecret && asked.roster.is_secret(secret) => {
                Proof::Refused(40091)
            }
            None => Proof::WrongSecret,
        };
        Claim { account: Some(account), proof }
    }

    /// The errcode of an AppID that nobody has.
    fn unknown_id_errcode(self) -> i64 {
        if matches!(self, Self::ComponentSecret(_)) { 61011 } else { 40013 }
    }

    /// The errcode of an account of a kind whose secret is for other calls.
    fn wrong_kind_errcode(self, kind: AccountKind) -> Option<i64> {
        let is_component = matches!(self, Self::ComponentSecret(_));
        match kind {
            AccountKind::OpenPlatform => (!is_component).then_some(61024),
            AccountKind::Wecom => (self != Self::CorpSecret).then_some(self.unknown_id_errcode()),
            AccountKind::MiniProgram | AccountKind::OfficialAccount | AccountKind::Generic => {
                let is_foreign = is_component || self == Self::CorpSecret;
                is_foreign.then_some(self.unknown_id_errcode())
            }
        }
    }

    fn token_claim(self, asked: &Asked<'_>) -> Claim {
        let Some(token) = asked.query.token() else {
            return Claim { account: asked.roster.sole(), proof: Proof::Refused(41001) };
        };
        let Some(account) = asked.roster.by_token(token) else {
            return Claim { account: asked.roster.sole(), proof: Proof::Token(token.to_owned()) };
        };
        if account.identity.kind == AccountKind::OpenPlatform {
            return open::acting::claim(self, account, token, asked);
        }
        let proof = match self {
            Self::ComponentToken => Proof::Refused(61014),
            Self::ActingToken => Proof::Refused(86000),
            Self::Token
            | Self::Bearer(..)
            | Self::SecretInQuery(_)
            | Self::SecretInJson(_)
            | Self::SecretAnywhere(_)
            | Self::CorpSecret
            | Self::ComponentSecret(_) => Proof::Token(token.to_owned()),
        };
        Claim { account: Some(account), proof }
    }
}

/// The errcode of a token that stands so; none for a good one. WeCom knows no replaced tokens.
pub(super) fn token_refusal(
    standing: Standing,
    kind: AccountKind,
    settings: &Settings,
) -> Option<Refusal> {
    match standing {
        Standing::Good => None,
        Standing::Expired => Some(Refusal::new(42001)),
        Standing::Replaced if kind != AccountKind::Wecom => Some(Refusal::new(40001)),
        Standing::Replaced | Standing::Unknown => {
            Some(Refusal::new(settings.unknown_token_errcode))
        }
    }
}

/// A wrong AppSecret. Its 40001 has another text than that of a token.
pub(super) fn secret_refusal(settings: &Settings) -> Refusal {
    match settings.wrong_secret_errcode {
        40001 => Refusal { errcode: 40001, errmsg: Cow::Borrowed("invalid credential") },
        errcode => Refusal::new(errcode),
    }
}

/// `errcode` as the platform words it for a caller at `address`.
pub(super) fn refusal_to(errcode: i64, address: IpAddr) -> Refusal {
    match errcode {
        40164 => {
            let text = format!("invalid ip {}, not in whitelist", SeenAddress(address));
            Refusal::saying(errcode, text)
        }
        61004 => {
            let address = plain(address);
            let text = format!("access clientip is not registered requestIP: {address}");
            Refusal::saying(errcode, text)
        }
        errcode => Refusal::new(errcode),
    }
}
