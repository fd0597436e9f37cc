//! What is left to do by hand: the allow-list, the start, the first key.

use serde_json::{Value, json};

use super::{plan::Plan, write::Written};
use crate::{base::kind::AccountKind, wechat::refusal::where_to_enter};

/// Where the address of this host is entered, in both languages.
pub(super) fn menu_of(plan: &Plan) -> Value {
    let (zh, en) = where_to_enter(plan.kind, ALLOW_LIST);
    json!({ "zh": zh, "en": en })
}

/// For the person at the terminal.
pub(super) fn text(plan: &Plan, written: &Written) -> String {
    let say = |zh: &str, en: &str| plan.language.pick(zh, en);
    let config = written.config.display();
    let mut lines = vec![say(&format!("已写入 {config}"), &format!("wrote {config}"))];
    if let Some(secret) = &written.secret {
        let secret = secret.display();
        lines.push(say(
            &format!("AppSecret 存于 {secret}（仅自己可读）"),
            &format!("the AppSecret is in {secret}, readable by you alone"),
        ));
    }
    let (menu_zh, menu_en) = where_to_enter(plan.kind, ALLOW_LIST);
    let refusal = if plan.kind == AccountKind::Wecom { WECOM_ALLOW_LIST } else { ALLOW_LIST };
    let (name, port) = (&plan.name, plan.port);
    lines.push(format!(
        "1. {}",
        say(
            &format!("启动：wxgate serve --config {config}"),
            &format!("start it: wxgate serve --config {config}"),
        )
    ));
    lines.push(format!("2. {}", say(
        &format!(
            "把本机出口 IP 填进白名单：{menu_zh}。不知道出口 IP 时，启动后运行 wxgate token refresh {name}，\
             {refusal} 的回答会写明平台看到的 IP"
        ),
        &format!(
            "enter this host's outgoing IP at: {menu_en}. To find it, run `wxgate token refresh {name}` \
             after the start: the answer {refusal} names the IP that the platform saw"
        ),
    )));
    if plan.is_public() {
        lines.push(format!(
            "3. {}",
            say(
                &format!("在防火墙和安全组放行 TCP {port}，只对团队的网络"),
                &format!(
                    "open TCP {port} in firewall and security group, for the team's networks only"
                ),
            )
        ));
    }
    let number = if plan.is_public() { 4 } else { 3 };
    lines.push(format!(
        "{number}. {}",
        say(
            &format!("给每个人建密钥：wxgate key create alice --account {name} --lane read-only"),
            &format!(
                "a key for each person: wxgate key create alice --account {name} --lane read-only"
            ),
        )
    ));
    lines.join("\n")
}

/// The errcode of an address that is not on the list.
const ALLOW_LIST: i64 = 40_164;
/// The same of WeCom.
const WECOM_ALLOW_LIST: i64 = 60_020;
