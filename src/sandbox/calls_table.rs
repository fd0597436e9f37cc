//! The table of simulated calls, with the rules that each one checks.

use std::fmt::Write as _;

use super::{
    credential::Credential,
    dispatch::{self, CallSpec},
    form::FormKind,
    shop::argument,
};
use crate::wechat::{
    Endpoint, Field, Need, catalogue,
    endpoint::{endpoint, endpoints},
};

/// One simulated call with what it checks; `wxgate sandbox calls` and docs/SANDBOX-CALLS.md show
/// the same.
#[derive(Debug, serde::Serialize)]
pub struct CallRules {
    /// Its path.
    pub path: &'static str,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its Chinese name.
    pub name_zh: String,
    /// Its English name.
    pub name_en: String,
    /// Whether it is one of WeCom, where paths mean something else than to WeChat.
    pub is_wecom: bool,
    /// Whether the real platform has taken it down.
    pub is_retired: bool,
    /// What it is called with.
    pub credential: &'static str,
    /// What its body is.
    pub body: &'static str,
    /// Fields that it must have.
    pub required: Vec<String>,
    /// Fields that it must have in some case.
    pub conditional: Vec<String>,
    /// Errcodes of wrong arguments, each with the fields that it is for; empty = all others.
    pub arguments: Vec<(i64, Vec<&'static str>)>,
    /// Further errcodes of the call, beside those of every call.
    pub errcodes: Vec<i64>,
}

/// All simulated calls: those of the component in the order of its documents, the others by path,
/// then those of WeCom.
#[must_use]
pub fn rules() -> Vec<CallRules> {
    let shop = endpoints().iter().filter_map(|one| dispatch::find(&one.path, None));
    let mut others: Vec<&'static CallSpec> = dispatch::all().filter(|spec| !spec.is_shop).collect();
    others.sort_by_key(|spec| spec.path);
    let wecom = dispatch::all_of_wecom().map(of_wecom);
    shop.chain(others).map(of_call).chain(wecom).collect()
}

/// The same as Markdown, one table for the component and one for the rest.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    let all = rules();
    let shop: Vec<&CallRules> = all.iter().filter(|call| endpoint(call.path).is_some()).collect();
    let _ = write!(
        text,
        "## 交易组件 Custom transaction component: {} calls\n\n\
         | call 接口 | name 名称 | required 必填 | in some cases 条件必填 | wrong argument 参数错误码 | further 其他返回码 |\n\
         |---|---|---|---|---|---|\n",
        shop.len()
    );
    for call in &shop {
        let state = if call.is_retired { "" } else { " (仍可用 live)" };
        let _ = writeln!(
            text,
            "| `{}`{state} | {} {} | {} | {} | {} | {} |",
            call.path,
            call.name_zh,
            call.name_en,
            listed(&call.required),
            listed(&call.conditional),
            arguments(&call.arguments),
            numbers(&call.errcodes),
        );
    }
    let is_other = |call: &&CallRules| endpoint(call.path).is_none() && !call.is_wecom;
    let others: Vec<&CallRules> = all.iter().filter(is_other).collect();
    let _ = write!(
        text,
        "\n## 平台接口 Platform: {} calls\n\n\
         | call 接口 | method | name 名称 | credential 凭据 | body |\n|---|---|---|---|---|\n",
        others.len()
    );
    for call in others {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} {} | {} | {} |",
            call.path, call.method, call.name_zh, call.name_en, call.credential, call.body
        );
    }
    text.push_str(&wecom_table(all.iter().filter(|call| call.is_wecom)));
    text
}

fn wecom_table<'a>(calls: impl Iterator<Item = &'a CallRules>) -> String {
    let rows = calls.map(|call| {
        let CallRules { path, method, name_zh, name_en, credential, body, .. } = call;
        format!("| `{path}` | {method} | {name_zh} {name_en} | {credential} | {body} |\n")
    });
    let rows: Vec<String> = rows.collect();
    format!(
        "\n## 企业微信 WeCom: {} calls\n\n\
         | call 接口 | method | what 用途 | credential 凭据 | body |\n|---|---|---|---|---|\n{}",
        rows.len(),
        rows.concat()
    )
}

/// What another platform has at the same path is another call.
fn of_wecom(spec: &'static CallSpec) -> CallRules {
    let known = catalogue::lookup_wecom_path(spec.path);
    let (name_zh, name_en) =
        known.map(|call| (call.name_zh.into(), call.name_en.into())).unwrap_or_default();
    CallRules { is_wecom: true, name_zh, name_en, ..of_call(spec) }
}

fn of_call(spec: &'static CallSpec) -> CallRules {
    let known = catalogue::lookup_path(spec.path);
    let documented = endpoint(spec.path);
    let name = |of: fn(&Endpoint) -> &String, other: Option<&'static str>| {
        documented.map(of).cloned().or_else(|| other.map(str::to_owned)).unwrap_or_default()
    };
    let fields = |need| {
        let mut out = Vec::new();
        if let Some(documented) = documented {
            collect(&documented.request, "", need, &mut out);
        }
        out
    };
    CallRules {
        path: spec.path,
        method: if spec.is_post { "POST" } else { "GET" },
        name_zh: name(|e| &e.name_zh, known.map(|call| call.name_zh)),
        name_en: name(|e| &e.name_en, known.map(|call| call.name_en)),
        is_wecom: false,
        is_retired: documented.is_some_and(Endpoint::is_retired),
        credential: credential(spec.credential),
        body: body(spec.form),
        required: fields(Need::Yes),
        conditional: fields(Need::Conditional),
        arguments: documented.map_or_else(Vec::new, argument_codes),
        errcodes: documented.map_or_else(Vec::new, further),
    }
}

/// The fields of one need; what stands in a field that is not needed itself is not listed.
fn collect(fields: &[Field], place: &str, need: Need, out: &mut Vec<String>) {
    for field in fields {
        let path =
            if place.is_empty() { field.name.clone() } else { format!("{place}.{}", field.name) };
        if field.need == need {
            out.push(path.clone());
        }
        if field.need == Need::Yes {
            collect(&field.fields, &path, need, out);
        }
    }
}

fn argument_codes(documented: &Endpoint) -> Vec<(i64, Vec<&'static str>)> {
    let mut codes: Vec<(i64, Vec<&'static str>)> =
        argument::special(&documented.path).map(|(fields, code)| (code, fields.to_vec())).collect();
    codes.push((argument::of_call(documented).unwrap_or(40097), Vec::new()));
    codes
}

/// What the call names beyond the codes of every call.
fn further(documented: &Endpoint) -> Vec<i64> {
    let of_arguments = argument_codes(documented);
    let is_further = |code: &i64| {
        !OF_EVERY_CALL.contains(code) && !of_arguments.iter().any(|(known, _)| known == code)
    };
    documented.errcodes.iter().copied().filter(is_further).collect()
}

fn credential(credential: Credential) -> &'static str {
    match credential {
        Credential::Token => "access_token",
        Credential::Bearer(name, _) => name,
        Credential::CorpSecret => "corpsecret",
        Credential::ComponentSecret(_) => "component secret",
        Credential::ComponentToken => "component_access_token",
        Credential::ActingToken => "authorizer_access_token",
        Credential::SecretInQuery(_)
        | Credential::SecretInJson(_)
        | Credential::SecretAnywhere(_) => "AppSecret",
    }
}

fn body(form: FormKind) -> &'static str {
    match form {
        FormKind::None => "-",
        FormKind::Json => "JSON",
        FormKind::OptionalJson => "JSON or none",
        FormKind::Multipart => "form",
        FormKind::JsonOrMultipart => "form or JSON",
    }
}

fn listed(fields: &[String]) -> String {
    if fields.is_empty() {
        return "-".to_owned();
    }
    fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
}

fn numbers(codes: &[i64]) -> String {
    if codes.is_empty() {
        return "-".to_owned();
    }
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn arguments(codes: &[(i64, Vec<&'static str>)]) -> String {
    let one = |(code, fields): &(i64, Vec<&'static str>)| match fields.as_slice() {
        [] => code.to_string(),
        fields => {
            format!(
                "{code} ({})",
                fields.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", ")
            )
        }
    };
    codes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Token, quota, permission, JSON: the same for all.
const OF_EVERY_CALL: &[i64] = &[-1, -2, 40001, 42001, 45009, 47001, 48001, 61007];

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_document_has_the_table_as_it_is() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SANDBOX-CALLS.md");
        let document = fs::read_to_string(&file).unwrap_or_default();
        let head = document.split("\n## ").next().unwrap_or_default().trim_end().to_owned();
        let wanted = format!("{head}\n\n{}", markdown());
        if std::env::var_os("WXGATE_WRITE_DOCS").is_some() {
            fs::write(&file, &wanted).unwrap();
            return;
        }
        assert!(
            document == wanted,
            "docs/SANDBOX-CALLS.md is not what the program does: run this test with \
             WXGATE_WRITE_DOCS=1 and look at the difference"
        );
    }

    #[test]
    fn rules_tell_of_fields_and_codes() {
        let all = rules();
        let add = all.iter().find(|call| call.path == "/shop/order/add").unwrap();
        assert!(add.required.contains(&"order_detail.price_info.order_price".to_owned()));
        assert!(add.conditional.contains(&"address_info".to_owned()));
        assert!(add.arguments.contains(&(990_018, vec!["create_time"])));
        assert!(add.is_retired && add.errcodes.contains(&1_010_061));
    }
}
