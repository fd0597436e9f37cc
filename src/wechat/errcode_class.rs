//! What an answer with an errcode amounts to.

use super::{
    credential::Credential,
    errcode::{Scope, lookup},
};
use crate::base::{code::ErrorCode, outcome::Outcome};

/// The outcome of an answer with this code: by the product's own lists, then by the table of
/// codes, then by the ranges that the platform keeps to.
#[must_use]
pub fn classify(scope: Scope, code: i64) -> Outcome {
    listed(code)
        .or_else(|| lookup(scope, code).map(|row| row.class))
        .or_else(|| ErrorCode::from_errcode(code).map(|_| Outcome::Gateway))
        .unwrap_or_else(|| by_range(code))
}

/// Whether the code says that the token which the gateway put in is dead, so that a new one
/// may help. 41001 (no token at all) and a token of the wrong kind are not among them.
#[must_use]
pub fn names_dead_token(credential: Credential, code: i64) -> bool {
    match credential {
        Credential::AppToken => matches!(code, 40_001 | 40_014 | 42_001),
        Credential::ComponentToken => matches!(code, 40_001 | 40_014 | 42_001 | 42_006),
        Credential::AppSecret | Credential::UserToken | Credential::None => false,
    }
}

/// The same of WeCom, where 40001 means a wrong secret.
#[must_use]
pub fn names_dead_wecom_token(credential: Credential, code: i64) -> bool {
    credential.is_token() && matches!(code, 40_014 | 42_001)
}

/// Whether the platform refuses the address that the call came from: an app's list, a
/// third-party platform's, WeCom's, WeChat Store's.
#[must_use]
pub fn is_ip_refusal(code: i64) -> bool {
    matches!(code, 40_164 | 61_004 | 60_020 | 45_035)
}

/// The codes that the product's documentation names one by one.
fn listed(code: i64) -> Option<Outcome> {
    Some(match code {
        0 => Outcome::Ok,
        -1 => Outcome::Busy,
        40_001 | 40_014 | 42_001 | 41_001 => Outcome::Token,
        45_009 | 45_011 | 48_006 => Outcome::Quota,
        40_164 | 61_004 | 45_035 | 60_020 | 48_001 | 48_004 | 61_007 | 50_001 | 50_002 | 40_243 => {
            Outcome::Access
        }
        45_002 | 47_001 => Outcome::Request,
        _ => return None,
    })
}

fn by_range(code: i64) -> Outcome {
    match code {
        40_002..=40_199 | 41_000..=41_999 | 43_000..=43_999 | 44_000..=44_999 | 76_000..=76_999 => {
            Outcome::Request
        }
        _ => Outcome::Business,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of outcomes in the product's documentation.
    const CONTRACT: [(Outcome, &[i64]); 6] = [
        (Outcome::Ok, &[0]),
        (Outcome::Token, &[40_001, 40_014, 42_001, 41_001]),
        (Outcome::Busy, &[-1]),
        (Outcome::Quota, &[45_009, 45_011, 48_006]),
        (
            Outcome::Access,
            &[40_164, 61_004, 45_035, 60_020, 48_001, 48_004, 61_007, 50_001, 50_002, 40_243],
        ),
        (Outcome::Request, &[40_002, 40_013, 41_002, 43_002, 44_002, 45_002, 47_001, 76_001]),
    ];

    #[test]
    fn the_contract_holds_in_every_scope_of_wechat() {
        for (outcome, codes) in CONTRACT {
            for code in codes {
                for scope in [Scope::Wechat, Scope::Open, Scope::Shop, Scope::Store] {
                    assert_eq!(classify(scope, *code), outcome, "{scope} {code}");
                }
            }
        }
    }

    #[test]
    fn the_file_says_the_same_as_the_lists_in_this_file() {
        for row in super::super::errcode::all() {
            if let Some(outcome) = listed(row.code) {
                assert_eq!(row.class, outcome, "{row:?}");
            }
        }
    }

    #[test]
    fn an_unlisted_code_goes_by_its_range() {
        assert_eq!(classify(Scope::Wechat, 43_999), Outcome::Request);
        assert_eq!(classify(Scope::Wechat, 40_998), Outcome::Business);
        assert_eq!(classify(Scope::Wechat, 76_999), Outcome::Request);
        for code in [i64::MIN, -999_999, 1, 99_999_999, i64::MAX] {
            assert_eq!(classify(Scope::Wecom, code), Outcome::Business, "{code}");
        }
    }

    #[test]
    fn a_gateway_behind_this_one_is_recognised() {
        for code in ErrorCode::ALL {
            assert_eq!(classify(Scope::Wechat, code.errcode()), Outcome::Gateway, "{code}");
        }
    }

    #[test]
    fn only_a_token_that_was_put_in_can_be_dead() {
        for code in [40_001, 40_014, 42_001] {
            assert!(names_dead_token(Credential::AppToken, code));
            assert!(names_dead_token(Credential::ComponentToken, code));
            assert!(!names_dead_token(Credential::UserToken, code), "the user's own token");
            assert!(!names_dead_token(Credential::AppSecret, code), "a wrong secret");
        }
        assert!(names_dead_token(Credential::ComponentToken, 42_006));
        assert!(!names_dead_token(Credential::AppToken, 42_006));
        assert!(!names_dead_token(Credential::AppToken, 41_001));
        assert!(!names_dead_token(Credential::AppToken, 61_014));
    }

    #[test]
    fn wecom_names_a_dead_token_with_two_codes_and_a_wrong_secret_with_another() {
        let is_dead = |code| names_dead_wecom_token(Credential::AppToken, code);
        assert!(is_dead(40_014) && is_dead(42_001));
        for code in [0, -1, 40_001, 40_091, 41_001, 42_009, 60_020, 301_002] {
            assert!(!is_dead(code), "{code}");
        }
        assert!(!names_dead_wecom_token(Credential::AppSecret, 40_014));
    }

    #[test]
    fn refusals_of_the_address_are_access_problems() {
        for code in [40_164, 61_004, 60_020, 45_035] {
            assert!(is_ip_refusal(code));
            assert_eq!(classify(Scope::Wechat, code), Outcome::Access);
        }
        assert!(!is_ip_refusal(48_001) && !is_ip_refusal(89_503));
    }
}
