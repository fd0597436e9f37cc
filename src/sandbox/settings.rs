//! The switches of an account, all with the platform's behaviour as default.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ip_rule::IpRule,
    open,
    quota::Limits,
    shipping::PaidOrder,
    shop::{
        aftersale_switches::AftersaleSettings,
        {component_settings::ComponentSettings, switches::ShopSettings},
    },
    signing,
};

pub(super) use super::choice::{CodeType, IpCheck, JsonType, OauthScope, TooSoon};

/// What `POST state` changes and `GET state` shows. Where the platform's behaviour is not known,
/// the default is the likeliest reading of its documents, and the switch has the others.
///
/// Switches of a single room stand in a struct of that room; all have one list of names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Who may call; empty = everybody, as for a new mini program.
    pub(super) ip_list: Vec<IpRule>,
    /// Which calls look at `ip_list`.
    pub(super) ip_check: IpCheck,
    /// The address that the platform sees instead of the socket's: an egress that changed.
    pub(super) caller_ip: Option<IpAddr>,
    /// The AppSecret is frozen in the console: 40243.
    pub(super) frozen: bool,
    /// Paths that this account has no permission for: 48001.
    pub(super) denied_paths: Vec<String>,
    /// Limits of single paths in place of the platform's.
    pub(super) quotas: BTreeMap<String, Limits>,
    /// How often quotas may be cleared in a month; then 48006.
    pub(super) clears_a_month: u32,
    /// How often the quota of a single path may be cleared in a month; then 48006.
    pub(super) path_clears_a_month: u32,
    /// Life of new tokens, in seconds.
    pub(super) token_life_s: u32,
    /// How many replaced tokens of `/cgi-bin/token` are accepted beside the current one.
    pub(super) classic_previous_kept: u32,
    /// How long a replaced token is accepted, in seconds.
    pub(super) previous_life_s: u32,
    /// Forced refreshes of `/cgi-bin/stable_token` in a day; then 45009.
    pub(super) forced_a_day: u32,
    /// Seconds that forced refreshes must lie apart.
    pub(super) forced_apart_s: u32,
    /// The answer to a forced refresh that comes too soon.
    pub(super) forced_too_soon: TooSoon,
    /// How long a token survives being replaced by force, in seconds; a second forced refresh
    /// ends it at once.
    pub(super) forced_previous_life_s: u32,
    /// The answer to a token that was never issued: 40001 or 40014.
    pub(super) unknown_token_errcode: i64,
    /// The answer to a wrong AppSecret: 40125 or 40001.
    pub(super) wrong_secret_errcode: i64,
    /// Which content type JSON comes with.
    pub(super) json_type: JsonType,
    /// Writes `"errcode":"0"` instead of `"errcode":0`, as one call of the platform does.
    pub(super) errcode_as_string: bool,
    /// Puts a raw control character into errmsg, as the platform does now and then.
    pub(super) control_characters: bool,
    /// Further response headers as `[name, value]`; over HTTP/1.1 names keep their letter case.
    pub(super) response_headers: Vec<(String, String)>,
    /// Size limit of every upload in place of the documented ones, in bytes.
    pub(super) media_limit_bytes: Option<u64>,
    /// How long uploaded media are kept, in seconds.
    pub(super) media_life_s: u32,
    /// Whether a video is answered with a URL instead of its bytes.
    pub(super) video_as_url: bool,
    /// Content type of mini program codes; none = that of the bytes.
    pub(super) code_type: CodeType,
    /// Refuses `\u` escapes in JSON bodies of messages: 40033.
    pub(super) refuse_unicode_escapes: bool,
    /// Customer messages to one user before 45047; none = no limit.
    pub(super) reply_limit: Option<u32>,
    /// Refuses users who neither follow from the start nor ever logged in: 40003.
    pub(super) strict_users: bool,
    /// Refuses templates that were not added by a call: 40037. Else everything that looks like
    /// a template id may have been picked in the console.
    pub(super) strict_templates: bool,
    /// How many subscribe messages each user agreed to; none = everybody, to any number.
    pub(super) subscriptions: Option<BTreeMap<String, u32>>,
    /// Messages to many in a day before 45028; none = no limit.
    pub(super) mass_a_day: Option<u32>,
    /// What users grant on web pages.
    pub(super) oauth_scope: OauthScope,
    /// Seconds from handing in a draft to its publication.
    pub(super) publish_delay_s: u32,
    /// What makes a text risky; the default is from the platform's own example of one.
    pub(super) risky_words: Vec<String>,
    /// Payments that calls on shipping know.
    pub(super) paid_orders: Vec<PaidOrder>,
    /// Whether they believe in payments that are not listed, too; else 10060001.
    pub(super) accept_unknown_payments: bool,
    /// Whether shipping is managed by the platform.
    pub(super) trade_managed: bool,
    /// Whether all merchants agreed to that.
    pub(super) trade_confirmed: bool,
    /// Seconds until the platform reminds of a payment that nothing was shipped for.
    pub(super) remind_shipping_s: u32,
    /// Seconds from shipping until goods count as received.
    pub(super) receipt_delay_s: u32,
    /// Login codes that are valid; none = every well-formed one, once.
    pub(super) login_codes: Option<Vec<String>>,
    /// Pages of the released version; none = every page exists.
    pub(super) pages: Option<Vec<String>>,
    /// How long the platform waits for the answer to a push, in milliseconds.
    pub(super) push_deadline_ms: u64,
    /// How often a push that failed is repeated.
    pub(super) push_retries: u32,
    /// Pause before a push is repeated, in milliseconds.
    pub(super) push_retry_wait_ms: u64,
    /// The number of the app that a WeCom account is.
    pub(super) agent_id: i64,
    /// Those of third-party platforms.
    #[serde(flatten)]
    pub(super) open: open::Switches,
    /// Those of API signing.
    #[serde(flatten)]
    pub(super) signing: signing::Switches,
    /// Gives ids above 2^53, which many a JSON reader rounds.
    pub(super) large_ids: bool,
    /// Switches of the transaction component.
    #[serde(flatten)]
    pub(super) component: ComponentSettings,
    /// Switches of what stands beside orders.
    #[serde(flatten)]
    pub(super) shop: ShopSettings,
    /// Switches of after-sales.
    #[serde(flatten)]
    pub(super) aftersale: AftersaleSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ip_list: Vec::new(),
            ip_check: IpCheck::Secret,
            caller_ip: None,
            frozen: false,
            denied_paths: Vec::new(),
            quotas: BTreeMap::new(),
            clears_a_month: 10,
            path_clears_a_month: 50,
            token_life_s: 7200,
            classic_previous_kept: 1,
            previous_life_s: 300,
            forced_a_day: 20,
            forced_apart_s: 30,
            forced_too_soon: TooSoon::Current,
            forced_previous_life_s: 300,
            unknown_token_errcode: 40001,
            wrong_secret_errcode: 40125,
            json_type: JsonType::Usual,
            errcode_as_string: false,
            control_characters: false,
            response_headers: Vec::new(),
            media_limit_bytes: None,
            media_life_s: 259_200,
            video_as_url: true,
            code_type: CodeType::Png,
            refuse_unicode_escapes: false,
            reply_limit: None,
            strict_users: false,
            strict_templates: false,
            subscriptions: None,
            mass_a_day: None,
            oauth_scope: OauthScope::Userinfo,
            publish_delay_s: 5,
            paid_orders: Vec::new(),
            accept_unknown_payments: true,
            trade_managed: true,
            trade_confirmed: true,
            remind_shipping_s: 172_800,
            receipt_delay_s: 864_000,
            login_codes: None,
            pages: None,
            push_deadline_ms: 5000,
            push_retries: 3,
            push_retry_wait_ms: 100,
            agent_id: 1_000_002,
            open: open::Switches::default(),
            signing: signing::Switches::default(),
            large_ids: false,
            risky_words: vec!["特3456书yuuo莞6543李zxcz蒜7782法fgnv级".to_owned()],
            component: ComponentSettings::default(),
            shop: ShopSettings::default(),
            aftersale: AftersaleSettings::default(),
        }
    }
}

impl Settings {
    /// These settings with `changes` laid over them.
    ///
    /// An error names the switch that does not exist or the value that does not fit, with the
    /// choices.
    pub(super) fn changed(&self, changes: Map<String, Value>) -> Result<Self, String> {
        let mut all = self.to_json();
        for (name, value) in changes {
            match all.get_mut(&name) {
                Some(slot) => *slot = value,
                None => {
                    let names: Vec<&str> = all.keys().map(String::as_str).collect();
                    return Err(format!("there is no switch `{name}`: {}", names.join(", ")));
                }
            }
        }
        let changed: Self =
            serde_json::from_value(Value::Object(all)).map_err(|error| error.to_string())?;
        changed.check()?;
        Ok(changed)
    }

    /// All switches by name.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(all)) => all,
            _ => Map::new(),
        }
    }

    /// What serde cannot see: headers that HTTP does not allow, lists without end.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, value) in &self.response_headers {
            let is_good = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && http::HeaderValue::from_str(value).is_ok()
                && name.len() + value.len() <= 1000;
            if !is_good {
                return Err(format!(
                    "response_headers: `{name}: {value}` is not a header of at most 1000 bytes"
                ));
            }
        }
        if self.response_headers.len() > 50 {
            return Err("response_headers: at most 50".to_owned());
        }
        if !(1..=MOST_PUSH_MS).contains(&self.push_deadline_ms)
            || self.push_retry_wait_ms > MOST_PUSH_MS
        {
            return Err(format!("push_deadline_ms and push_retry_wait_ms: at most {MOST_PUSH_MS}"));
        }
        if self.push_retries > MOST_PUSH_RETRIES {
            return Err(format!("push_retries: at most {MOST_PUSH_RETRIES}"));
        }
        Ok(())
    }
}

/// A minute.
const MOST_PUSH_MS: u64 = 60_000;
/// The platform's most, for virtual payments, is 15.
const MOST_PUSH_RETRIES: u32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str) -> Result<Settings, String> {
        match serde_json::from_str(text).unwrap() {
            Value::Object(changes) => Settings::default().changed(changes),
            _ => Err("no object".to_owned()),
        }
    }

    #[test]
    fn named_switches_change_and_the_others_stay() {
        let text = r#"{"frozen":true,"ip_list":["10.0.0.*"],"quotas":{"/a":{"daily":3}}}"#;
        let changed = change(text).unwrap();
        assert!(changed.frozen);
        assert_eq!(changed.token_life_s, 7200);
        assert_eq!(changed.quotas["/a"].daily, Some(3));
        assert_eq!(changed.to_json()["ip_list"], serde_json::json!(["10.0.0.*"]));
    }

    #[test]
    fn the_documents_list_each_switch_with_its_default() {
        for file in ["docs/SANDBOX.md", "docs/SANDBOX.zh-CN.md"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let document = std::fs::read_to_string(path).unwrap();
            let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
            for (name, default) in Settings::default().to_json() {
                // A dagger marks what the platform's documents leave open.
                let is_of = |row: &&&str| {
                    [
                        format!("| `{name}` | `{default}` | "),
                        format!("| `{name}` † | `{default}` | "),
                    ]
                    .iter()
                    .any(|start| row.starts_with(start.as_str()))
                };
                let found = rows.iter().filter(is_of).count();
                assert_eq!(found, 1, "{file} wants one row: | `{name}` | `{default}` | …");
            }
        }
    }

    #[test]
    fn unknown_switches_and_bad_values_are_refused_with_the_choices() {
        assert!(change(r#"{"freeze":true}"#).unwrap_err().contains("frozen"));
        assert!(change(r#"{"json_type":"xml"}"#).unwrap_err().contains("usual"));
        for bad in [
            r#"{"frozen":1}"#,
            r#"{"token_life_s":-1}"#,
            r#"{"ip_list":["x"]}"#,
            r#"{"push_deadline_ms":0}"#,
            r#"{"push_retry_wait_ms":60001}"#,
            r#"{"push_retries":21}"#,
            r#"{"response_headers":[["a b","c"]]}"#,
            r#"{"response_headers":[["a","b\r\nc: d"]]}"#,
        ] {
            assert!(change(bad).is_err(), "{bad}");
        }
    }
}
