//! The text of a proxy.toml for production: short, with the reason for each line that matters.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use super::plan::Plan;
use crate::base::kind::AccountKind;

/// The file. `secret` is the AppSecret's file as the config refers to it.
pub(super) fn of(plan: &Plan, secret: Option<&Path>) -> String {
    let mut out = String::from(HEAD);
    let address = if plan.is_public() { "0.0.0.0" } else { "127.0.0.1" };
    let mut hosts = plan.hosts.clone();
    let own = ["localhost", "127.0.0.1"].map(str::to_owned);
    hosts.extend(own.into_iter().filter(|own| !plan.hosts.contains(own)));
    let _ = write!(
        out,
        "[server]\nlisten = [{}]\n# 网关认得的名字，也是自签证书里的名字 / names it answers to\nhosts = {}\ndata_dir = \"data\"\nlanguage = \"{}\"\n\n[tls]\n",
        quoted(&format!("https://{address}:{}", plan.port)),
        list(&hosts),
        plan.language,
    );
    match &plan.certificate {
        Some((cert, key)) => {
            let path = |path: &PathBuf| quoted(&path.display().to_string());
            let _ = write!(out, "mode = \"files\"\ncert = {}\nkey = {}\n", path(cert), path(key));
        }
        None => out.push_str("mode = \"self-signed\"\ndir = \"certs\"\n"),
    }
    let _ = write!(out, "\n[[account]]\nname = \"{}\"\nkind = \"{}\"\n", plan.name, plan.kind);
    if !plan.app_id.is_empty() {
        let _ = writeln!(out, "app_id = {}", quoted(&plan.app_id));
    }
    if let Some(secret) = secret {
        let _ = writeln!(out, "app_secret = {}", quoted(&format!("file:{}", secret.display())));
    }
    let _ = writeln!(out, "upstream = {}", list(&plan.upstream));
    // Nobody can force a token of WeCom.
    if plan.kind != AccountKind::Wecom {
        out.push_str(NO_FORCE);
    }
    out + TAIL
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

/// As a TOML string, whatever is in it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

const HEAD: &str = "\
# wxgate: written by `wxgate init`. Every key with its default: the proxy.toml in the source.
# 由 wxgate init 生成；全部配置项见源码中的 proxy.toml。改后运行 wxgate check，再 wxgate reload。

";

const NO_FORCE: &str = "\
# 不强制刷新：强制会让正式环境的令牌立即失效 / forcing would kill production's token
force_refresh = \"never\"
";

const TAIL: &str = "
[capture]
keep = \"7d\"                            # 报文保留 / bodies and headers
keep_meta = \"180d\"                     # 摘要保留 / the line without them
";
