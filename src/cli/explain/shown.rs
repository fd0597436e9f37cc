//! An explanation for people: both languages, the cure first to be seen.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::answer::{Answer, Meaning, Own};
use crate::cli::output::paint;

/// The whole answer.
pub(super) fn text(answer: &Answer, color: bool) -> String {
    let mut out = String::new();
    if let Some(own) = &answer.own {
        of_ours(&mut out, own, color);
    }
    for meaning in &answer.meanings {
        of_theirs(&mut out, meaning, color);
    }
    address(&mut out, answer);
    if answer.more > 0 {
        let _ = writeln!(
            out,
            "… {} more; add a word 还有 {} 条，请加词缩小范围",
            answer.more, answer.more
        );
    }
    if !answer.is_known() {
        unknown(&mut out, answer);
    }
    out
}

fn of_theirs(out: &mut String, meaning: &Meaning, color: bool) {
    let code = paint(&meaning.errcode.to_string(), CODE, color);
    let _ = writeln!(out, "{code}  {}  [{}, {}]", meaning.zh, meaning.scope, meaning.class);
    if meaning.en != meaning.zh {
        let _ = writeln!(out, "  {}", meaning.en);
    }
    pair(out, "怎么办", "cure", (meaning.cure_zh, meaning.cure_en));
    pair(out, "网关", "gateway", (meaning.gateway_zh, meaning.gateway_en));
    out.push('\n');
}

fn of_ours(out: &mut String, own: &Own, color: bool) {
    let code = paint(&own.errcode.to_string(), CODE, color);
    let _ = writeln!(out, "{code}  {}  [wxgate, HTTP {}]", own.code, own.http_status);
    let _ = writeln!(out, "  {}\n  {}", own.zh, own.en);
    pair(out, "怎么办", "cure", (own.cure_zh, own.cure_en));
    out.push('\n');
}

fn pair(out: &mut String, label_zh: &str, label_en: &str, (zh, en): (&str, &str)) {
    if !zh.is_empty() {
        let _ = writeln!(out, "  {label_zh}: {zh}\n  {label_en}: {en}");
    }
}

fn address(out: &mut String, answer: &Answer) {
    if answer.enter_ip_at.is_empty() {
        return;
    }
    match answer.refused_ip {
        Some(ip) => {
            let _ = writeln!(out, "平台看到的 IP / the IP that the platform saw: {ip}");
        }
        None => {
            let _ = writeln!(
                out,
                "回答的 errmsg 里写着平台看到的 IP；把整段错误贴进来即可读出 / the errmsg names the IP \
                 that the platform saw; paste the whole error to have it read"
            );
        }
    }
    let _ = writeln!(out, "填在 / enter it at:");
    for menu in &answer.enter_ip_at {
        let _ = writeln!(out, "  {}\n  {}", menu.zh, menu.en);
    }
}

fn unknown(out: &mut String, answer: &Answer) {
    match answer.errcode {
        Some(errcode) => {
            let _ = writeln!(out, "{errcode}: 未收录 / not known here");
        }
        None => {
            let _ = writeln!(out, "没有匹配的返回码 / no errcode has all of these words");
        }
    }
    if !answer.did_you_mean.is_empty() {
        let _ = writeln!(out, "是否想查 / did you mean:");
        for near in &answer.did_you_mean {
            let _ = writeln!(out, "  {}  {}  {}", near.errcode, near.zh, near.en);
        }
    }
}

const CODE: Style = AnsiColor::Cyan.on_default().bold();
