//! `wxgate sandbox calls`: what is simulated, and which rules each call checks.

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        exit::{Exit, Failure},
        output::Out,
    },
    sandbox::calls_table,
};

/// Which calls.
#[derive(Debug, Args)]
pub(super) struct CallsArgs {
    /// Only calls with this in their path or name 关键字
    #[arg(value_name = "TEXT")]
    text: Option<String>,
}

/// Prints one line a call; with a text that fits one call alone, everything about it.
pub(super) fn run(args: &CallsArgs, out: &Out) -> Result<Exit, Failure> {
    let text = args.text.as_deref().unwrap_or_default();
    let mut calls = calls_table::rules();
    calls.retain(|call| {
        [call.path, call.name_zh.as_str(), call.name_en.as_str()].iter().any(|s| s.contains(text))
    });
    if calls.iter().any(|call| call.path == text) {
        calls.retain(|call| call.path == text);
    }
    if out.json {
        out.value(&json!({ "calls": calls }))?;
        return Ok(Exit::Done);
    }
    match calls.as_slice() {
        [] => return Err(Failure::say(Exit::Failed, format!("no simulated call has `{text}`"))),
        [one] => out.line(whole(one))?,
        many => {
            for call in many {
                let state = if call.is_retired { "  (retired 已下线)" } else { "" };
                let name = format!("{} {}", call.name_zh, call.name_en);
                out.line(format!("{:4} {}  {name}{state}", call.method, call.path))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn whole(call: &calls_table::CallRules) -> String {
    let list = |fields: &[String]| match fields {
        [] => "-".to_owned(),
        fields => fields.join(", "),
    };
    let mut lines = vec![
        format!("{} {}", call.method, call.path),
        format!("{} {}", call.name_zh, call.name_en),
        format!("credential 凭据: {}", call.credential),
        format!("body: {}", call.body),
        format!("required 必填: {}", list(&call.required)),
        format!("in some cases 条件必填: {}", list(&call.conditional)),
    ];
    for (errcode, fields) in &call.arguments {
        let fields = if fields.is_empty() {
            "any other field 其他字段".to_owned()
        } else {
            fields.join(", ")
        };
        lines.push(format!("wrong argument 参数错误 {errcode}: {fields}"));
    }
    let further: Vec<String> = call.errcodes.iter().map(ToString::to_string).collect();
    lines.push(format!("further errcodes 其他返回码: {}", list(&further)));
    if call.is_retired {
        lines.push("retired on the real platform 真实平台已下线".to_owned());
    }
    lines.join("\n")
}
