//! What `serve` says when it is ready: where it listens, and a first call that works.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{
    exit::{Failure, because},
    output::Out,
};
use crate::{
    app::Ready,
    base::kind::Language,
    config::model::{Config, Scheme},
};

/// Prints the ready line, or tells people. A key that nobody would see on a screen goes into a
/// file instead, and its path is printed.
pub(super) fn tell(ready: &Ready, config: &Config, out: &Out) -> Result<(), Failure> {
    if out.json {
        return out.value(ready);
    }
    let key = ready.first_key.as_ref().map(|key| key.reveal().to_owned());
    let shown = match key {
        Some(key) if !out.is_terminal() => FirstKey::In(keep(&key, &config.server.data_dir)?),
        Some(key) => FirstKey::Shown(key),
        None => FirstKey::None,
    };
    out.line(text(ready, config, &shown))
}

/// The key that was just made.
enum FirstKey {
    /// There were keys before.
    None,
    /// On a terminal.
    Shown(String),
    /// In this file.
    In(PathBuf),
}

fn keep(key: &str, data_dir: &Path) -> Result<PathBuf, Failure> {
    let file = data_dir.join("first-key");
    let wrap = |error| because(&format!("cannot write {}", file.display()), error);
    let _ = std::fs::remove_file(&file);
    let mut fresh =
        File::options().write(true).create_new(true).mode(0o600).open(&file).map_err(wrap)?;
    writeln!(fresh, "{key}").and_then(|()| fresh.sync_all()).map_err(wrap)?;
    Ok(file)
}

fn text(ready: &Ready, config: &Config, key: &FirstKey) -> String {
    let language = config.server.language;
    let base = base_url(&ready.public, config);
    let mut lines = vec![format!("wxgate {} {}", ready.version, ready.public.join(" "))];
    if let (Some(ca), Some(fingerprint)) = (&ready.ca, &ready.fingerprint) {
        lines.push(format!("CA {}  SHA-256 {fingerprint}", ca.display()));
    }
    if let Some(metrics) = &ready.metrics {
        lines.push(format!("metrics {metrics}/metrics"));
    }
    let held = match key {
        FirstKey::None => "wxgk_…".to_owned(),
        FirstKey::Shown(key) => {
            lines.push(language.pick(
                "首个密钥（管理员，只显示这一次）：",
                "first key (operator; shown this one time):",
            ));
            lines.push(key.clone());
            key.clone()
        }
        FirstKey::In(file) => {
            let file = file.display();
            lines.push(
                language
                    .pick(&format!("首个密钥在 {file}"), &format!("the first key is in {file}")),
            );
            format!("$(cat {})", quoted(&file.to_string()))
        }
    };
    lines.push(language.pick("试一下：", "try it:"));
    lines.push(curl(ready, config, &base, &held));
    if !matches!(key, FirstKey::None) {
        lines.extend(postman(ready, config, &base, language));
    }
    lines.join("\n")
}

/// A call that every account's token may make, and that changes nothing.
fn curl(ready: &Ready, config: &Config, base: &str, key: &str) -> String {
    let ca = match &ready.ca {
        Some(ca) if base.starts_with("https:") => {
            format!("--cacert {} ", quoted(&ca.display().to_string()))
        }
        _ => String::new(),
    };
    format!(
        "  curl {ca}-H \"Authorization: Bearer {key}\" {base}{}/cgi-bin/getcallbackip",
        account(config)
    )
}

/// With several accounts a call says which one it means.
fn account(config: &Config) -> String {
    match config.accounts.as_slice() {
        [several, _, ..] => format!("/@{}", several.name),
        _ => String::new(),
    }
}

fn postman(ready: &Ready, config: &Config, base: &str, language: Language) -> Vec<String> {
    let url = format!("{base}{}", account(config));
    let mut lines = vec![
        language.pick("在 Postman 中：", "in Postman:"),
        format!(
            "  1. {}",
            language.pick(
                &format!("把 https://api.weixin.qq.com 换成 {url}"),
                &format!("put {url} in place of https://api.weixin.qq.com"),
            )
        ),
        format!(
            "  2. {}",
            language.pick(
                "Authorization → Bearer Token 填密钥；access_token 参数留空或去掉",
                "Authorization → Bearer Token: the key; leave access_token empty or out",
            )
        ),
    ];
    if let Some(ca) = ready.ca.as_ref().filter(|_| base.starts_with("https:")) {
        let ca = ca.display();
        lines.push(format!(
            "  3. {}",
            language.pick(
                &format!("Settings → Certificates → CA Certificates 选 {ca}"),
                &format!("Settings → Certificates → CA Certificates: {ca}"),
            )
        ));
    }
    lines
}

/// The first TLS listener, else the first one. An address that is nobody's name (0.0.0.0), or
/// that the gateway does not answer to, is replaced by the first of `hosts`.
pub(super) fn base_url(public: &[String], config: &Config) -> String {
    let url = public.iter().find(|url| url.starts_with("https:")).or_else(|| public.first());
    let url = url.cloned().unwrap_or_default();
    let Some((scheme, authority)) = url.split_once("://") else { return url };
    let Ok(address) = authority.parse::<std::net::SocketAddr>() else { return url };
    let hosts = &config.server.hosts;
    let is_name = hosts.iter().any(|host| *host == address.ip().to_string());
    let host = match hosts.first() {
        Some(host) if address.ip().is_unspecified() || !is_name => host.clone(),
        _ => address.ip().to_string(),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let port = address.port();
    let default = if scheme == "https" { Scheme::Https } else { Scheme::Http }.default_port();
    if port == default { format!("{scheme}://{host}") } else { format!("{scheme}://{host}:{port}") }
}

/// For a shell: as it is where that is safe, else in single quotes.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:,".contains(c);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests;
