//! What a sandbox says when it is ready: the way to a first call.

use serde_json::Value;

use super::{ServeArgs, USUAL_SECRET};
use crate::base::kind::AccountKind;

/// Whether the app is the one of a start without options, whose token call can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usual {
    /// Its AppSecret is the one of the documents.
    Yes,
    /// Its AppSecret is somebody's own and is not repeated, or its token call is another.
    No,
}

impl Usual {
    /// What was asked for on the command line.
    pub(super) fn of(args: &ServeArgs) -> Self {
        let is_kind = match args.kind {
            None | Some(AccountKind::MiniProgram | AccountKind::OfficialAccount) => true,
            Some(AccountKind::Wecom | AccountKind::OpenPlatform | AccountKind::Generic) => false,
        };
        let is_usual = is_kind && args.app_secret.is_none() && args.account.is_empty();
        if is_usual { Self::Yes } else { Self::No }
    }
}

/// For a person; `ready` is the same for a program.
pub(super) fn text(ready: &Value, accounts: &[(String, String)], usual: Usual) -> String {
    let field = |name: &str| ready.get(name).and_then(Value::as_str);
    let url = field("url").unwrap_or_default();
    let mut lines = vec![format!("sandbox 沙箱: {url}")];
    for (name, app_id) in accounts {
        lines.push(match usual {
            Usual::Yes => format!("AppID: {app_id}  AppSecret: {USUAL_SECRET}"),
            Usual::No => format!("AppID: {app_id}"),
        });
        lines.push(format!("control 控制: {url}/-/sandbox/{name}/"));
    }
    match (field("ca"), field("ca_pem")) {
        (Some(file), _) => lines.push(format!("CA: {file}")),
        (None, Some(pem)) => lines.push(format!("CA:\n{}", pem.trim_end())),
        (None, None) => {}
    }
    if let (Usual::Yes, Some((_, app_id))) = (usual, accounts.first()) {
        let trust = match (field("ca"), field("ca_pem")) {
            (Some(file), _) => format!("--cacert {file} "),
            (None, Some(_)) => "-k ".to_owned(),
            (None, None) => String::new(),
        };
        lines.push(format!(
            "try it 试一下:\n  curl {trust}{url}/cgi-bin/stable_token -d \
             '{{\"grant_type\":\"client_credential\",\"appid\":\"{app_id}\",\
             \"secret\":\"{USUAL_SECRET}\"}}'"
        ));
    }
    lines.push(next_steps(url));
    lines.join("\n")
}

fn next_steps(url: &str) -> String {
    // `ctl` looks for the usual place by itself.
    let place = if url.ends_with("//127.0.0.1:9443") {
        String::new()
    } else {
        format!("--url {url} ").replace("//0.0.0.0:", "//127.0.0.1:")
    };
    let trust = if place.starts_with("--url https") { "--insecure-loopback " } else { "" };
    format!(
        "SDK: use this address in place of https://api.weixin.qq.com 把接口域名换成上面的地址\n\
         event 推一个事件:\n  \
         wxgate sandbox ctl {place}{trust}events fire subscribe\n\
         calls 接口清单: wxgate sandbox calls\n\
         /shop is the custom transaction component, which the real platform has retired.\n\
         /shop 是自定义版交易组件，真实平台已下线，这里只供学习和测试旧代码。"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn demo() -> Vec<(String, String)> {
        vec![("demo".to_owned(), "wx1".to_owned())]
    }

    #[test]
    fn a_newcomer_is_told_the_next_step() {
        let ready = json!({"url": "http://127.0.0.1:9443", "ca": null, "ca_pem": null});
        let told = text(&ready, &demo(), Usual::Yes);
        for part in [
            "curl http://127.0.0.1:9443/cgi-bin/stable_token -d '{\"grant_type\"",
            "\"appid\":\"wx1\",\"secret\":\"sandbox-app-secret\"}'",
            "/-/sandbox/demo/",
            "wxgate sandbox ctl events fire subscribe",
            "已下线",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    #[test]
    fn the_lines_fit_the_certificate_and_the_address() {
        let ready = json!({"url": "https://127.0.0.1:1", "ca": null, "ca_pem": "PEM\n"});
        let told = text(&ready, &demo(), Usual::Yes);
        assert!(told.contains("CA:\nPEM\ntry it") && told.contains("curl -k https://"), "{told}");
        assert!(told.contains("ctl --url https://127.0.0.1:1 --insecure-loopback events"));
        let ready = json!({"url": "https://127.0.0.1:1", "ca": "ca.pem", "ca_pem": "PEM"});
        let told = text(&ready, &demo(), Usual::Yes);
        assert!(told.contains("curl --cacert ca.pem") && !told.contains("PEM"), "{told}");
    }

    #[test]
    fn a_secret_that_somebody_gave_is_not_repeated() {
        let ready = json!({"url": "http://127.0.0.1:1", "ca": null, "ca_pem": null});
        let told = text(&ready, &demo(), Usual::No);
        assert!(!told.contains("secret") && told.contains("AppID: wx1"), "{told}");
    }
}
