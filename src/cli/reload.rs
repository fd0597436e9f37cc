//! `wxgate reload`: a changed proxy.toml without losing a request.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    exit::{Exit, Failure},
    host::Host,
    output::Out,
};
use crate::base::kind::Language;

/// Checks the file here first, where its problems can be shown best, then has it applied.
pub(super) async fn run(explicit: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let host = Host::load(explicit)?;
    let report = host.gateway().await?.post("/v1/reload", &json!({})).await?;
    if out.json {
        out.value(&report)?;
    } else {
        out.line(told(&report, host.language()))?;
    }
    Ok(Exit::Done)
}

fn told(report: &Value, language: Language) -> String {
    let keys = report.get("needs_restart").and_then(Value::as_array);
    let keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
    let keys = keys.join(", ");
    let done = if keys.is_empty() {
        language.pick("新配置已生效", "the new configuration is in force")
    } else {
        language.pick(
            &format!("新配置已生效，但这些键要重启后才生效：{keys}"),
            &format!("the new configuration is in force, but these keys need a restart: {keys}"),
        )
    };
    if report.get("new_ca").and_then(Value::as_bool) != Some(true) {
        return done;
    }
    let trust = language.pick(
        "hosts 有变，已换成新的 CA：客户端要重新信任 ca.pem（也可从 /-/ca.pem 下载）",
        "hosts changed, so there is a new CA: clients must trust the new ca.pem (also at /-/ca.pem)",
    );
    format!("{done}\n{trust}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named() {
        assert_eq!(told(&json!({}), Language::En), "the new configuration is in force");
        let report = json!({"needs_restart": ["server.listen", "server.workers"]});
        assert!(told(&report, Language::Zh).ends_with("server.listen, server.workers"));
        let report = json!({"needs_restart": [], "new_ca": true});
        assert!(told(&report, Language::En).contains("must trust the new ca.pem"));
    }
}
