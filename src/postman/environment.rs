//! The environment: where the gateway is, who calls, and what requests hand on.

use std::collections::BTreeSet;

use serde::Serialize;

use super::plan;

/// For which gateway and account.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// Where the gateway is: `https://127.0.0.1:8443`.
    pub base_url: &'a str,
    /// The account's name; empty = the key's only one.
    pub account: &'a str,
    /// Its AppID.
    pub app_id: &'a str,
    /// The key, if the file shall hold it.
    pub key: Option<&'a str>,
}

/// An environment in Postman's format.
#[derive(Serialize)]
pub struct Environment {
    id: &'static str,
    name: String,
    values: Vec<Variable>,
    #[serde(rename = "_postman_variable_scope")]
    scope: &'static str,
}

/// No `Debug`: it may hold a key.
#[derive(Serialize)]
struct Variable {
    key: String,
    value: String,
    #[serde(rename = "type")]
    kind: &'static str,
    enabled: bool,
}

impl Environment {
    /// What a gateway's collection needs.
    #[must_use]
    pub fn new(settings: Settings<'_>) -> Self {
        let known = [
            ("base_url", settings.base_url, PLAIN),
            ("key", settings.key.unwrap_or_default(), SECRET),
            ("account", settings.account, PLAIN),
            ("app_id", settings.app_id, PLAIN),
            ("sandbox", "true", PLAIN),
            ("run_dangerous", "false", PLAIN),
            // The buyer, the sharer and the picture of the documents' examples.
            ("openid", "oQx7V5KzT0mYc1LrW3nE8pB2sAhU", PLAIN),
            ("sharer_openid", "oQx7V5N2dGk9RfJ6yHtU4vXcZ1Lw", PLAIN),
            (
                "picture",
                "https://mmecimage.cn/p/wx8a1f0c2b7d3e4f56/HKd82nQe7sVbYpT0r5LmZxC4aJg",
                PLAIN,
            ),
            ("access_token", "", SECRET),
        ];
        let names: BTreeSet<&str> = known.iter().map(|(name, _, _)| *name).collect();
        let handed_on: BTreeSet<&str> = handed_on().filter(|name| !names.contains(name)).collect();
        let handed_on = handed_on.into_iter().map(|name| (name, "", PLAIN));
        let variable = |(key, value, kind): (&str, &str, &'static str)| Variable {
            key: key.to_owned(),
            value: value.to_owned(),
            kind,
            enabled: true,
        };
        let at = if settings.account.is_empty() { settings.base_url } else { settings.account };
        Self {
            id: ENVIRONMENT_ID,
            name: format!("wxgate {at}"),
            values: known.into_iter().chain(handed_on).map(variable).collect(),
            scope: "environment",
        }
    }
}

/// What scripts and requests keep for later ones.
fn handed_on() -> impl Iterator<Item = &'static str> {
    let saved = plan::steps().into_iter().flat_map(|(_, step)| step.save.keys());
    saved.map(String::as_str).chain(MADE)
}

/// Tells a file of ours from another.
pub const ENVIRONMENT_ID: &str = "4c1d9be6-7a52-8f03-a1c8-0e6b3d97f2a5";

/// What the script before every request makes.
const MADE: [&str; 5] = ["run", "out_product_id", "out_sku_id", "out_order_id", "clock_offset_ms"];

const PLAIN: &str = "default";
/// Postman hides the value, and does not sync it where the user says so.
const SECRET: &str = "secret";
