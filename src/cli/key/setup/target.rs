//! Which account a snippet is for, and where the gateway is.

use std::{fs, path::Path};

use serde_json::Value;

use super::Sdk;
use crate::{
    base::{kind::AccountKind, name::Name},
    cli::{
        exit::{Exit, Failure},
        first_start::base_url,
        host::Host,
    },
    config::model::{Account, Tls, Upstream},
    edge,
};

/// The account of the snippet, among those that the key may call.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The one that the snippet is for.
    pub(super) account: &'a Account,
    /// All of the key, in its order.
    pub(super) all: Vec<&'a Name>,
    /// Whether the base address must name the account.
    needs_path: bool,
}

/// The first account of the key that the SDK can be used with.
///
/// # Errors
/// With the exit code for wrong usage, when there is none.
pub(super) fn choose<'a>(
    sdk: &Sdk,
    accounts: &[Name],
    host: &'a Host,
) -> Result<Target<'a>, Failure> {
    let known = || host.config.accounts.iter().map(AsRef::as_ref);
    let of_key: Vec<&Account> = if accounts.is_empty() {
        known().collect()
    } else {
        accounts.iter().filter_map(|name| known().find(|one| one.name == *name)).collect()
    };
    let is_fit = |account: &&Account| !sdk.has_app_id || is_app(account.kind);
    let Some(account) = of_key.iter().copied().find(is_fit) else {
        let text = format!(
            "--for {} is for a mini program or an official account, and the key has none",
            sdk.word
        );
        let hint = "--account names another account; --for curl works with every kind";
        return Err(Failure::say(Exit::Usage, text).hint(hint));
    };
    // An AppID tells accounts apart, unless two have the same.
    let twins = of_key.iter().filter(|one| one.app_id == account.app_id).count();
    let needs_path = if sdk.has_app_id { twins > 1 } else { of_key.len() > 1 };
    Ok(Target { account, all: of_key.iter().map(|one| &one.name).collect(), needs_path })
}

impl Target<'_> {
    /// What takes the place of the platform's address.
    pub(super) fn base(&self, gateway: &str) -> String {
        match self.needs_path {
            true => format!("{gateway}/@{}", self.account.name),
            false => gateway.to_owned(),
        }
    }

    /// The host that programs call without a gateway.
    pub(super) fn platform(&self) -> String {
        match (self.account.kind, &self.account.upstream) {
            (AccountKind::Wecom, _) => "qyapi.weixin.qq.com".to_owned(),
            (AccountKind::Generic, Upstream::Origins(origins)) => {
                origins.first().map_or_else(String::new, |origin| origin.host.clone())
            }
            (
                AccountKind::MiniProgram
                | AccountKind::OfficialAccount
                | AccountKind::OpenPlatform
                | AccountKind::Generic,
                _,
            ) => "api.weixin.qq.com".to_owned(),
        }
    }
}

fn is_app(kind: AccountKind) -> bool {
    match kind {
        AccountKind::MiniProgram | AccountKind::OfficialAccount => true,
        AccountKind::Wecom | AccountKind::OpenPlatform | AccountKind::Generic => false,
    }
}

/// `https://localhost:8443`: where the running gateway listens, else where it would.
pub(super) fn gateway_url(host: &Host, is_running: bool) -> String {
    let config = &host.config;
    let running = is_running.then(|| public_of(&host.data_file("run.json"))).flatten();
    let public = running.unwrap_or_else(|| {
        let listen = config.server.listen.iter();
        listen
            .map(|one| {
                let address = std::net::SocketAddr::new(one.address, one.port);
                format!("{}://{address}", one.scheme.as_str())
            })
            .collect()
    });
    let url = base_url(&public, config);
    // Port 0 of a gateway that does not run: any free one, at its next start.
    url.strip_suffix(":0").map_or_else(|| url.clone(), |front| format!("{front}:<port>"))
}

/// What `run.json` says of a gateway that runs; none when it cannot be read.
fn public_of(file: &Path) -> Option<Vec<String>> {
    let told: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let list = told.get("public")?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
}

/// SHA-256 of the CA to trust.
pub(super) enum OwnCa {
    /// The certificate is somebody else's, or there is no TLS.
    None,
    /// The gateway has not made it yet.
    Unmade,
    /// `AA:BB:…`
    Made(String),
}

/// The CA that a caller of `url` must be told to trust.
pub(super) fn own_ca(host: &Host, url: &str) -> OwnCa {
    match &host.config.tls {
        Tls::SelfSigned { dir } if url.starts_with("https:") => {
            let pem = fs::read(dir.join("ca.pem")).unwrap_or_default();
            edge::pem_fingerprint(&pem).map_or(OwnCa::Unmade, OwnCa::Made)
        }
        Tls::SelfSigned { .. } | Tls::Files { .. } => OwnCa::None,
    }
}
