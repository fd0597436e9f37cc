//! `wxgate key list`.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{ring, text};
use crate::{
    base::clock::{Clock as _, SystemClock},
    cli::{
        exit::{Exit, Failure},
        host::{Host, Reach},
        output::{Out, table},
    },
};

/// Every key, revoked ones too; never a secret.
pub(super) async fn run(host: &Host, out: &Out) -> Result<Exit, Failure> {
    let keys = match host.reach().await? {
        Reach::Running(gateway) => gateway.get("/v1/keys").await?,
        Reach::Stopped(held) => {
            let keys = ring(&held, host)?.list();
            json!({ "keys": keys.iter().map(AsRef::as_ref).collect::<Vec<_>>() })
        }
    };
    if out.json {
        out.value(&keys)?;
    } else {
        out.line(shown(&keys, SystemClock.now()))?;
    }
    Ok(Exit::Done)
}

fn shown(keys: &Value, now: SystemTime) -> String {
    let keys = keys.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    if keys.is_empty() {
        return "no keys; make one with: wxgate key create NAME".to_owned();
    }
    let head = ["NAME", "ID", "STATE", "ROLE", "LANE", "ACCOUNTS", "RULES"];
    let mut rows = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    rows.extend(keys.iter().map(|key| row(key, now)));
    table(&rows)
}

fn row(key: &Value, now: SystemTime) -> Vec<String> {
    let accounts = match key.get("accounts").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        None => "all".to_owned(),
    };
    let word = |field| text(key, field).to_owned();
    vec![
        word("name"),
        word("id"),
        state(key, now),
        word("role"),
        word("lane"),
        accounts,
        rules(key),
    ]
}

fn state(key: &Value, now: SystemTime) -> String {
    let time = |field| text(key, field).parse::<jiff::Timestamp>().ok();
    let is_past = |at: jiff::Timestamp| SystemTime::from(at) <= now;
    let day = |at: jiff::Timestamp| at.strftime("%F").to_string();
    match (time("revoked"), time("expires")) {
        (Some(at), _) if is_past(at) => "revoked".to_owned(),
        (_, Some(at)) if is_past(at) => "expired".to_owned(),
        (Some(at), _) => format!("ends {at:.0}"),
        (None, Some(at)) => format!("until {}", day(at)),
        (None, None) if key.get("fixed") == Some(&json!(true)) => "in proxy.toml".to_owned(),
        (None, None) => "valid".to_owned(),
    }
}

fn rules(key: &Value) -> String {
    let mut rules = Vec::new();
    if key.get("allow_danger") == Some(&json!(true)) {
        rules.push("danger".to_owned());
    }
    if text(key, "errors") == "wechat" {
        rules.push("errors=wechat".to_owned());
    }
    for (field, word) in [("paths", "path"), ("networks", "network")] {
        let list = key.get(field).and_then(Value::as_array);
        rules.extend(
            list.into_iter().flatten().filter_map(Value::as_str).map(|v| format!("{word}={v}")),
        );
    }
    if let Some(rate) = key.get("rate").and_then(Value::as_str) {
        rules.push(format!("rate={rate}"));
    }
    if let Some(subject) = key.get("subject").and_then(Value::as_str) {
        rules.push(format!("subject={subject}"));
    }
    rules.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_unix_ms;

    #[test]
    fn a_key_is_a_line_with_its_state_and_rules() {
        let key = |rest: Value| {
            let mut key = json!({
                "id": "4fZ0aQ81bC", "name": "alice", "role": "developer", "lane": "live",
                "allow_danger": false, "errors": "http", "accounts": ["shop"], "paths": [],
                "networks": [], "rate": null, "expires": null, "revoked": null, "fixed": false,
            });
            let (Value::Object(all), Value::Object(rest)) = (&mut key, rest) else {
                unreachable!()
            };
            all.extend(rest);
            json!({ "keys": [key] })
        };
        let now = from_unix_ms(1_800_000_000_000);
        let line = |rest| shown(&key(rest), now).lines().nth(1).unwrap().to_owned();
        assert_eq!(line(json!({})), "alice  4fZ0aQ81bC  valid  developer  live  shop");
        assert!(line(json!({"revoked": "2020-01-01T00:00:00Z"})).contains(" revoked "));
        assert!(line(json!({"expires": "2020-01-01T00:00:00Z"})).contains(" expired "));
        assert!(line(json!({"expires": "2030-05-01T00:00:00Z"})).contains("until 2030-05-01"));
        assert!(line(json!({"fixed": true})).contains("in proxy.toml"));
        let rules =
            json!({"accounts": null, "allow_danger": true, "rate": "5/s", "paths": ["/shop"]});
        assert!(line(rules).ends_with("all       danger path=/shop rate=5/s"));
        let bound = json!({"rate": "5/s", "subject": "CN=ci,O=Shop"});
        assert!(line(bound).ends_with("rate=5/s subject=CN=ci,O=Shop"));
        assert!(shown(&json!({"keys": []}), now).contains("key create"));
    }
}
