//! A call with a token of a third-party platform: its own, or one to act for an account.

use std::sync::Arc;

use super::authorization::Authorization;
use crate::{
    base::kind::AccountKind,
    sandbox::{
        account::Account,
        credential::{Asked, Claim, Credential, Proof, refusal_to, token_refusal},
        refusal::Refusal,
        state::State,
        token_family::Standing,
    },
    wechat::catalogue,
};

/// Reads the claim of a call that wants `credential` and came with a token of `platform`. The
/// platform's clock, addresses and permissions decide; the account that it acts for has no say.
pub(in crate::sandbox) fn claim(
    credential: Credential,
    platform: Arc<Account>,
    token: &str,
    asked: &Asked<'_>,
) -> Claim {
    let now_ms = platform.now_ms();
    let state = platform.state_at(now_ms);
    let refused = |account, errcode| Claim { account, proof: Proof::Refused(errcode) };
    let Some((app_id, authorization, standing)) = state.open.acting(token, now_ms) else {
        let is_good = state.ledger.standing(token, now_ms) == Standing::Good;
        drop(state);
        let proof = match own_errcode(credential, asked).filter(|_| is_good) {
            Some(errcode) => Proof::Refused(errcode),
            None => Proof::Token(token.to_owned()),
        };
        return Claim { account: Some(platform), proof };
    };
    let is_acted_for = |kind| kind != AccountKind::OpenPlatform && kind != AccountKind::Wecom;
    let merchant = asked.roster.by_app_id(app_id, is_acted_for);
    let verdict = verdict(&state, authorization, standing, asked);
    drop(state);
    match merchant {
        _ if credential == Credential::ComponentToken => refused(Some(platform), 61014),
        None => refused(Some(platform), 61003),
        Some(merchant) => Claim { account: Some(merchant), proof: Proof::Acting(verdict) },
    }
}

/// Why the platform's own, good token is not the one for this call.
fn own_errcode(credential: Credential, asked: &Asked<'_>) -> Option<i64> {
    match credential {
        Credential::ActingToken => Some(61015),
        Credential::Token => {
            let call = catalogue::lookup_path(&asked.call.path);
            let is_for_platforms =
                call.is_some_and(|call| call.kinds.holds(AccountKind::OpenPlatform));
            (!is_for_platforms).then_some(61015)
        }
        Credential::ComponentToken
        | Credential::Bearer(..)
        | Credential::SecretInQuery(_)
        | Credential::SecretInJson(_)
        | Credential::SecretAnywhere(_)
        | Credential::CorpSecret
        | Credential::ComponentSecret(_) => None,
    }
}

/// Token, address, permission: the first that is wrong.
fn verdict(
    state: &State,
    authorization: &Authorization,
    standing: Standing,
    asked: &Asked<'_>,
) -> Option<Refusal> {
    let settings = &state.settings;
    if let Some(refusal) = token_refusal(standing, AccountKind::OpenPlatform, settings) {
        return Some(refusal);
    }
    let address = settings.caller_ip.unwrap_or(asked.call.peer);
    let is_listed =
        settings.ip_list.is_empty() || settings.ip_list.iter().any(|rule| rule.allows(address));
    if !is_listed {
        return Some(refusal_to(61004, address));
    }
    let is_allowed = authorization.allows(&asked.call.path, settings);
    (!is_allowed).then(|| Refusal::new(61007))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::open::token_calls::tests::Duo;

    const IPS: &str = "/cgi-bin/getcallbackip";

    #[test]
    fn a_token_of_the_platform_acts_for_the_account_on_ordinary_calls() {
        let duo = Duo::new();
        let token = duo.acting_token();
        let ask = |path: &str| duo.get(path, &format!("access_token={token}")).errcode;
        assert_eq!(ask(IPS), None);
        assert_eq!(ask("/cgi-bin/nothing"), Some(40066));
        let counted = duo.bench.control("GET", "counters", "").1;
        assert_eq!(counted["calls"][IPS], 1, "it is the account's call");
        duo.control("faults", r#"{"kind":"expire_token"}"#);
        assert_eq!(ask(IPS), Some(42001));
    }

    #[test]
    fn addresses_are_those_of_the_platform_and_the_account_needs_none() {
        let duo = Duo::new();
        let token = duo.acting_token();
        let ask = || duo.get(IPS, &format!("access_token={token}"));
        duo.bench.set(&json!({"ip_list": ["203.0.113.1"], "ip_check": "all"}));
        assert_eq!(ask().errcode, None);
        duo.control("state", r#"{"ip_list":["203.0.113.1"]}"#);
        assert_eq!(ask().errcode, Some(61004));
        let text = ask().json()["errmsg"].as_str().unwrap().to_owned();
        assert!(text.starts_with("access clientip is not registered requestIP: 127.0.0.1 rid: "));
        assert_eq!(duo.component_token().errcode, Some(61004), "its own calls too");
    }

    #[test]
    fn a_permission_set_that_was_not_granted_is_missed() {
        let duo = Duo::new();
        let sets = json!({"permission_sets": {"7": [IPS], "8": [IPS, "/cgi-bin/menu/get"]}});
        duo.control("state", &sets.to_string());
        let with = |granted: &str| {
            let token =
                duo.acting_token_for(&format!(r#"{{"appid":"wx1","func_info":{granted}}}"#));
            duo.get(IPS, &format!("access_token={token}")).errcode
        };
        assert_eq!(with("[1,2]"), Some(61007));
        assert_eq!((with("[7]"), with("[1,8]")), (None, None));
    }

    #[test]
    fn a_token_of_the_wrong_sort_has_its_errcode() {
        let duo = Duo::new();
        let (acting, own) = (duo.acting_token(), duo.bench.token());
        let component = duo.component_token().json();
        let component = component["component_access_token"].as_str().unwrap();
        let list = "/cgi-bin/component/api_get_authorizer_list";
        let option = "/cgi-bin/component/get_authorizer_option";
        let post =
            |path, token| duo.post(path, &format!("access_token={token}"), &json!({})).errcode;
        assert_eq!(post(list, acting.as_str()), Some(61014));
        assert_eq!(post(list, own.as_str()), Some(61014));
        assert_eq!(post(option, own.as_str()), Some(86000));
        assert_eq!(post(option, component), Some(61015));
        assert_eq!(post("/cgi-bin/message/custom/send", component), Some(61015));
        let ask = |token| duo.get(IPS, &format!("access_token={token}")).errcode;
        assert_eq!(ask(component), None, "the page names platforms too");
        let query = "grant_type=client_credential&appid=wxopen&secret=s9";
        assert_eq!(duo.get("/cgi-bin/token", query).errcode, Some(61024));
    }

    #[test]
    fn tokens_of_both_sorts_leave_each_other_alone_unless_set_otherwise() {
        let duo = Duo::new();
        let ask = |token: &str| duo.get(IPS, &format!("access_token={token}")).errcode;
        let fetch = || {
            let query = "grant_type=client_credential&appid=wx1&secret=s1";
            let got = duo.get("/cgi-bin/token", query).json();
            got["access_token"].as_str().unwrap().to_owned()
        };
        let (own, acting) = (fetch(), duo.acting_token());
        assert_eq!((ask(&own), ask(&acting)), (None, None));
        duo.bench.set(&json!({"acting_tokens_apart": false}));
        let acting = duo.acting_token();
        assert_eq!((ask(&own), ask(&acting)), (Some(40001), None));
        let own = fetch();
        assert_eq!((ask(&own), ask(&acting)), (None, Some(40001)));
    }
}
