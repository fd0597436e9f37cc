//! What a call proves itself with, and whose it is.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use super::{
    account::Account, form::Form, ip_rule::SeenAddress, query::Query, refusal::Refusal,
    roster::Roster, settings::Settings, token_family::Standing,
};
use crate::base::cidr::plain;

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
    /// AppID and AppSecret fit.
    Secret,
    /// The AppID is known, the AppSecret is another one.
    WrongSecret,
}

impl Credential {
    /// Whether the call carries the AppSecret.
    pub(super) fn is_secret(self) -> bool {
        match self {
            Self::Token | Self::Bearer(..) => false,
            Self::SecretInQuery(_) | Self::SecretInJson(_) | Self::SecretAnywhere(_) => true,
        }
    }

    /// Reads the claim.
    pub(super) fn claim(self, roster: &Roster, query: &Query<'_>, form: &Form) -> Claim {
        let (in_query, in_json) = match self {
            Self::Token => return token_claim(roster, query),
            Self::Bearer(name, unknown) => {
                let bearer = query.value(name).unwrap_or_default();
                let account = roster.by_token(bearer).or_else(|| roster.sole());
                let proof = account.as_ref().map_or(Proof::Refused(unknown), |_| Proof::Bearer);
                return Claim { account, proof };
            }
            Self::SecretInQuery(name) => (Some(name), None),
            Self::SecretInJson(name) => (None, Some(name)),
            Self::SecretAnywhere(name) => (Some(name), Some(name)),
        };
        let find = |is_secret: bool| {
            let name = |secret: &'static str| if is_secret { secret } else { "appid" };
            let from_query = in_query.and_then(|secret| query.value(name(secret)));
            from_query.or_else(|| in_json.and_then(|secret| form.text(name(secret))))
        };
        let refused = |errcode| Claim { account: roster.sole(), proof: Proof::Refused(errcode) };
        let Some(app_id) = find(false) else { return refused(41002) };
        let Some(secret) = find(true) else { return refused(41004) };
        let (account, is_right) = roster.by_secret(app_id, secret);
        match account {
            None => refused(40013),
            Some(_) if is_right => Claim { account, proof: Proof::Secret },
            Some(_) => Claim { account, proof: Proof::WrongSecret },
        }
    }
}

/// Third-party platforms write the second name.
fn token_claim(roster: &Roster, query: &Query<'_>) -> Claim {
    let token = query.value("access_token").or_else(|| query.value("component_access_token"));
    match token {
        None => Claim { account: roster.sole(), proof: Proof::Refused(41001) },
        Some(token) => Claim {
            account: roster.by_token(token).or_else(|| roster.sole()),
            proof: Proof::Token(token.to_owned()),
        },
    }
}

/// The errcode of a token that stands so; none for a good one.
pub(super) fn token_refusal(standing: Standing, settings: &Settings) -> Option<Refusal> {
    match standing {
        Standing::Good => None,
        Standing::Expired => Some(Refusal::new(42001)),
        Standing::Replaced => Some(Refusal::new(40001)),
        Standing::Unknown => Some(Refusal::new(settings.unknown_token_errcode)),
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
