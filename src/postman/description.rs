//! What a request's page says: what the call does, its fields, its errcodes, in both languages.

use std::fmt::Write as _;

use super::{request::Shown, words};
use crate::{
    base::kind::AccountKind,
    wechat::{CallClass, Endpoint, Errcode, Field, FieldKind, Need, errcode},
};

/// The page in Markdown.
pub(super) fn of(shown: &Shown) -> String {
    let mut text = format!("**{}** {}\n", shown.zh(), shown.en());
    let _ = write!(text, "\n`{} {}`", shown.method(), shown.gateway_path());
    if let Some(call) = shown.call {
        let class = match call.class {
            CallClass::Read => "只读 reads",
            CallClass::Write => "写入 writes",
            CallClass::Danger => "高危 dangerous",
        };
        let kinds: Vec<&str> = call.kinds.words().collect();
        let _ = write!(text, " · {class} · {}", kinds.join(", "));
    }
    text.push('\n');
    for remark in remarks(shown) {
        let _ = write!(text, "\n> {remark}\n");
    }
    if let Some(endpoint) = shown.endpoint {
        add_fields(&mut text, "请求字段 Fields of the request", &endpoint.request, true);
        add_fields(&mut text, "返回字段 Fields of the answer", &endpoint.response, false);
    }
    add_errcodes(&mut text, shown);
    if let Some(endpoint) = shown.endpoint {
        add_list(&mut text, "备注 Notes", &endpoint.notes);
        add_list(&mut text, "未确认 Not confirmed", &endpoint.unconfirmed);
    }
    text
}

/// The codes that the call explains; those of every call only where it has none of its own.
pub(super) fn errcodes(shown: &Shown) -> Vec<&'static Errcode> {
    let scope = errcode::scope_of(AccountKind::MiniProgram, shown.path);
    let documented = shown.endpoint.map_or(&[][..], |endpoint| &endpoint.errcodes);
    let own = documented.iter().filter(|code| !OF_EVERY_CALL.contains(code));
    let mut codes: Vec<i64> = shown.step.errcodes.iter().chain(own).copied().collect();
    if codes.is_empty() {
        codes.extend(documented.iter().filter(|code| **code >= NO_JSON));
    }
    codes.into_iter().filter_map(|code| errcode::lookup(scope, code)).collect()
}

fn remarks(shown: &Shown) -> Vec<&'static str> {
    let state = |endpoint: &Endpoint| {
        if endpoint.is_retired() {
            "真实平台已下线此接口。The real platform has retired this call."
        } else {
            "此接口仍在微信小店的文档中（仍可用）。Still documented for the WeChat store."
        }
    };
    let mut remarks = Vec::new();
    if shown.is_sandbox_only {
        remarks.push(
            "只用于沙箱，sandbox 为 false 时跳过。For the sandbox only; skipped while sandbox is false.",
        );
    } else {
        remarks.extend(shown.endpoint.map(state));
    }
    if shown.is_dangerous() {
        remarks.push(
            "高危接口：sandbox 为 false 时，须把 run_dangerous 设为 true 才会发出，密钥也须带 --allow-danger。\
             Dangerous: while sandbox is false it is sent only with run_dangerous set to true, and the key must have been made with --allow-danger.",
        );
    }
    if shown.step.unsimulated {
        remarks.push(
            "沙箱不模拟此接口（返回 40066），字段未知。Not simulated (the sandbox answers 40066); its fields are not known here.",
        );
    }
    remarks
}

fn add_fields(text: &mut String, title: &str, fields: &[Field], is_request: bool) {
    if fields.is_empty() {
        return;
    }
    let (head, line) = if is_request { ("必填 required | ", "---|") } else { ("", "") };
    let _ = write!(
        text,
        "\n**{title}**\n\n| 字段 field | 类型 type | {head}含义 meaning |\n|---|---|{line}---|\n"
    );
    add_rows(text, "", fields, is_request);
}

fn add_rows(text: &mut String, place: &str, fields: &[Field], is_request: bool) {
    for field in fields {
        let (kind, mark) = kind(field.kind);
        let path = format!("{place}{}{mark}", field.name);
        let need = match field.need {
            Need::Yes => "是 yes | ",
            Need::Conditional => "视情况 in some cases | ",
            Need::No => "否 no | ",
        };
        let need = if is_request { need } else { "" };
        let zh = words::field_zh(&field.name);
        let _ = writeln!(text, "| `{path}` | {kind} | {need}{zh}. {} |", cell(&field.about));
        add_rows(text, &format!("{path}."), &field.fields, is_request);
    }
}

/// The word for what a field holds, and what stands behind the name of a list.
fn kind(kind: FieldKind) -> (&'static str, &'static str) {
    match kind {
        FieldKind::Text => ("string", ""),
        FieldKind::Integer => ("integer", ""),
        FieldKind::Id => ("uint64", ""),
        FieldKind::Boolean => ("boolean", ""),
        FieldKind::Object => ("object", ""),
        FieldKind::Texts => ("string[]", "[]"),
        FieldKind::Integers => ("integer[]", "[]"),
        FieldKind::Objects => ("object[]", "[]"),
        FieldKind::File => ("file", ""),
    }
}

fn add_errcodes(text: &mut String, shown: &Shown) {
    let codes = errcodes(shown);
    if codes.is_empty() {
        return;
    }
    text.push_str("\n**返回码 Errcodes**\n\n| errcode | 中文 | English |\n|---|---|---|\n");
    for row in codes {
        let (zh, en) = (with_cure(row.zh, row.cure_zh), with_cure(row.en, row.cure_en));
        let _ = writeln!(text, "| {} | {} | {} |", row.code, cell(&zh), cell(&en));
    }
}

fn with_cure(meaning: &str, cure: &str) -> String {
    if cure.is_empty() { meaning.to_owned() } else { format!("{meaning} → {cure}") }
}

fn add_list(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(text, "\n**{title}**\n\n");
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}

/// Token, quota, permission, JSON: explained once, on the collection's page.
const OF_EVERY_CALL: &[i64] = &[-1, -2, 40001, 42001, 45009, 47001, 48001, 61007];
/// The first of them that is about the request and not about the credential.
const NO_JSON: i64 = 47001;
