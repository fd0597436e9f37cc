//! Rules of a key, each a pure function: may this request pass?
//!
//! What a call is (reading, dangerous) and where it goes are facts that the caller brings.

use std::{fmt, net::IpAddr};

use super::key::Key;
use crate::base::{
    code::ErrorCode,
    name::Name,
    permission::{Lane, Role},
};

/// The rule that blocked a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key `{key}` has {rule}")]
pub struct Denied {
    /// What the caller is told.
    pub code: ErrorCode,
    /// Whose rule it is.
    pub key: Name,
    /// The rule as proxy.toml would have it: `paths = ["/shop"]`. The same in every language.
    pub rule: String,
}

/// Whether the key may be used from `client`.
///
/// # Errors
/// [`ErrorCode::KeyNetwork`].
pub fn network(key: &Key, client: IpAddr) -> Result<(), Denied> {
    if key.networks.is_empty() || key.networks.iter().any(|network| network.contains(client)) {
        return Ok(());
    }
    Err(deny(key, ErrorCode::KeyNetwork, list("networks", &key.networks)))
}

/// Whether the key may call `path`. A viewer calls nothing.
///
/// # Errors
/// [`ErrorCode::PathNotAllowed`].
pub fn path(key: &Key, path: &str) -> Result<(), Denied> {
    match key.role {
        Role::Viewer => {
            let rule = format!("role = \"{}\"", Role::Viewer);
            return Err(deny(key, ErrorCode::PathNotAllowed, rule));
        }
        Role::Developer | Role::Operator => {}
    }
    if key.paths.is_empty() || key.paths.iter().any(|prefix| is_under(path, prefix)) {
        return Ok(());
    }
    Err(deny(key, ErrorCode::PathNotAllowed, list("paths", &key.paths)))
}

/// Whether the key may call `account`. The caller answers a refusal like an account that does
/// not exist: the rule is for the log.
///
/// # Errors
/// [`ErrorCode::AccountUnknown`].
pub fn account(key: &Key, account: &Name) -> Result<(), Denied> {
    if key.accounts.contains(account) {
        return Ok(());
    }
    Err(deny(key, ErrorCode::AccountUnknown, list("accounts", key.accounts.as_list())))
}

/// Whether the key's lane lets the call through. An unknown call is no known reading call.
///
/// # Errors
/// [`ErrorCode::LaneReadOnly`].
pub fn lane(key: &Key, is_known_read: bool) -> Result<(), Denied> {
    match key.lane {
        Lane::Live | Lane::Sandbox => Ok(()),
        Lane::ReadOnly if is_known_read => Ok(()),
        Lane::ReadOnly => {
            Err(deny(key, ErrorCode::LaneReadOnly, format!("lane = \"{}\"", Lane::ReadOnly)))
        }
    }
}

/// Whether the key may make a call of class `danger`; nobody asks where it ends in the sandbox.
///
/// # Errors
/// [`ErrorCode::DangerNotAllowed`].
pub fn danger(key: &Key, is_danger: bool, goes_to_sandbox: bool) -> Result<(), Denied> {
    if !is_danger || key.allow_danger || goes_to_sandbox || key.lane == Lane::Sandbox {
        return Ok(());
    }
    Err(deny(key, ErrorCode::DangerNotAllowed, "allow_danger = false".to_owned()))
}

/// Whether the key is an operator's.
///
/// # Errors
/// [`ErrorCode::OperatorOnly`].
pub fn operator(key: &Key) -> Result<(), Denied> {
    match key.role {
        Role::Operator => Ok(()),
        Role::Developer | Role::Viewer => {
            Err(deny(key, ErrorCode::OperatorOnly, format!("role = \"{}\"", key.role)))
        }
    }
}

/// Whether `path` is `prefix` or lies below it: `/shop` holds `/shop/x`, not `/shopping`.
fn is_under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn deny(key: &Key, code: ErrorCode, rule: String) -> Denied {
    Denied { code, key: key.name.clone(), rule }
}

fn list<T: fmt::Display>(name: &str, values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    format!("{name} = [{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::key::tests::sample;

    #[test]
    fn a_prefix_holds_whole_segments() {
        for (prefix, inside, outside) in [
            ("/shop", vec!["/shop", "/shop/", "/shop/spu/add"], vec!["/shopping", "/", "/sho"]),
            ("/shop/", vec!["/shop", "/shop/spu"], vec!["/shopping", "//shop"]),
            ("/", vec!["/", "/any/thing"], vec![]),
            ("/cgi-bin/menu", vec!["/cgi-bin/menu/get"], vec!["/cgi-bin", "/CGI-BIN/menu"]),
        ] {
            let mut key = sample("alice");
            key.paths = vec!["/never".to_owned(), prefix.to_owned()];
            for good in inside {
                assert_eq!(path(&key, good), Ok(()), "{prefix} holds {good}");
            }
            for bad in outside {
                let denied = path(&key, bad).unwrap_err();
                assert_eq!(denied.code, ErrorCode::PathNotAllowed, "{prefix} and {bad}");
                assert_eq!(denied.rule, format!("paths = [\"/never\", \"{prefix}\"]"));
            }
        }
        assert_eq!(path(&sample("alice"), "/anything"), Ok(()), "no prefix means all");
    }

    #[test]
    fn a_viewer_forwards_nothing_whatever_its_paths() {
        let mut key = sample("eve");
        key.role = Role::Viewer;
        for paths in [vec![], vec!["/".to_owned()]] {
            key.paths = paths;
            let denied = path(&key, "/shop/spu/get").unwrap_err();
            assert_eq!(denied.code, ErrorCode::PathNotAllowed);
            assert_eq!(denied.to_string(), "key `eve` has role = \"viewer\"");
        }
    }

    #[test]
    fn networks_bind_a_key_to_places() {
        let mut key = sample("alice");
        assert_eq!(network(&key, "8.8.8.8".parse().unwrap()), Ok(()), "none means anywhere");
        key.networks = vec!["203.0.113.0/24".parse().unwrap(), "::1".parse().unwrap()];
        for inside in ["203.0.113.9", "::ffff:203.0.113.9", "::1"] {
            assert_eq!(network(&key, inside.parse().unwrap()), Ok(()), "{inside}");
        }
        let denied = network(&key, "203.0.114.1".parse().unwrap()).unwrap_err();
        assert_eq!(denied.code, ErrorCode::KeyNetwork);
        assert_eq!(denied.rule, "networks = [\"203.0.113.0/24\", \"::1/128\"]");
    }

    #[test]
    fn a_foreign_account_is_unknown() {
        let key = sample("alice");
        assert_eq!(account(&key, &"shop".parse().unwrap()), Ok(()));
        let denied = account(&key, &"bank".parse().unwrap()).unwrap_err();
        assert_eq!(
            (denied.code, denied.rule.as_str()),
            (ErrorCode::AccountUnknown, "accounts = [\"shop\"]")
        );
    }

    #[test]
    fn the_read_only_lane_lets_only_known_reading_calls_through() {
        let mut key = sample("alice");
        for (lane_of_key, is_known_read, passes) in [
            (Lane::Live, false, true),
            (Lane::Live, true, true),
            (Lane::Sandbox, false, true),
            (Lane::ReadOnly, true, true),
            (Lane::ReadOnly, false, false),
        ] {
            key.lane = lane_of_key;
            assert_eq!(lane(&key, is_known_read).is_ok(), passes, "{lane_of_key} {is_known_read}");
        }
        let denied = lane(&key, false).unwrap_err();
        assert_eq!(denied.code, ErrorCode::LaneReadOnly);
        assert_eq!(denied.rule, "lane = \"read-only\"");
    }

    #[test]
    fn danger_needs_permission_except_in_the_sandbox_even_for_an_operator() {
        let mut key = sample("root");
        key.role = Role::Operator;
        assert_eq!(danger(&key, false, false), Ok(()));
        assert_eq!(danger(&key, true, true), Ok(()));
        assert_eq!(danger(&key, true, false).unwrap_err().code, ErrorCode::DangerNotAllowed);
        key.lane = Lane::Sandbox;
        assert_eq!(danger(&key, true, false), Ok(()), "its calls end in the shadow");
        key.lane = Lane::Live;
        key.allow_danger = true;
        assert_eq!(danger(&key, true, false), Ok(()));
    }

    #[test]
    fn only_an_operator_is_an_operator() {
        for (role, passes) in
            [(Role::Operator, true), (Role::Developer, false), (Role::Viewer, false)]
        {
            let mut key = sample("alice");
            key.role = role;
            match operator(&key) {
                Ok(()) => assert!(passes, "{role}"),
                Err(denied) => {
                    assert!(!passes, "{role}");
                    assert_eq!(denied.code, ErrorCode::OperatorOnly);
                    assert_eq!(denied.rule, format!("role = \"{role}\""));
                }
            }
        }
    }
}
