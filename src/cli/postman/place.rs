//! The gateway that the files are for: the one of this host, or another.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
};

use serde_json::Value;

use crate::{
    base::{
        kind::{AccountKind, Language},
        name::Name,
    },
    cli::{
        exit::{Exit, Failure},
        host::Host,
        sandbox::reach::Place,
    },
    config::model::{Account, Config},
};

/// Where it is, and which of its accounts is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gateway {
    /// Scheme, host and port.
    pub(super) base_url: String,
    /// Empty = the key's only one.
    pub(super) account: String,
    /// Empty where nobody knows it.
    pub(super) app_id: String,
    /// What a self-signed one is trusted by.
    pub(super) ca: Option<PathBuf>,
    /// In which language the person is answered.
    pub(super) language: Language,
}

impl Gateway {
    /// One elsewhere; `/@name` in its URL names the account, too.
    ///
    /// # Errors
    /// When the URL is none, or names another account.
    pub(super) fn at(
        url: &str,
        account: Option<&str>,
        app_id: Option<&str>,
    ) -> Result<Self, Failure> {
        let place = Place::parse(url)?;
        if place.account().is_none() && !place.path.is_empty() {
            let text = format!("`{url}` has a path: only /@account may stand behind the port");
            return Err(Failure::say(Exit::Usage, text));
        }
        let account = match (account, place.account()) {
            (Some(one), Some(other)) if one != other => {
                let text = format!("--account {one} is not the account of the URL, {other}");
                return Err(Failure::say(Exit::Usage, text));
            }
            (one, other) => one.or(other).unwrap_or_default(),
        };
        if !account.is_empty() && Name::from_str(account).is_err() {
            let text = format!("`{account}` is no name of an account");
            return Err(Failure::say(Exit::Usage, text));
        }
        Ok(Self {
            base_url: place.origin.clone(),
            account: account.to_owned(),
            app_id: app_id.unwrap_or_default().to_owned(),
            ca: None,
            language: Language::Both,
        })
    }

    /// The one of this host, as it runs, else as proxy.toml has it.
    ///
    /// # Errors
    /// When proxy.toml is wrong, or leaves open which account or port is meant.
    pub(super) fn of_host(config: Option<&Path>, account: Option<&str>) -> Result<Self, Failure> {
        let host = Host::load(config)?;
        let running = std::fs::read(host.data_file(RUN_FILE)).unwrap_or_default();
        let running: Value = serde_json::from_slice(&running).unwrap_or_default();
        let account = chosen(&host.config.accounts, account)?;
        Ok(Self {
            base_url: base_url(&host.config, &running)?,
            account: account.name.to_string(),
            app_id: account.app_id.clone(),
            ca: running["ca"].as_str().map(PathBuf::from),
            language: host.language(),
        })
    }
}

fn chosen<'a>(accounts: &'a [Arc<Account>], name: Option<&str>) -> Result<&'a Account, Failure> {
    let known: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    let choices = || format!("--account is one of: {}", known.join(", "));
    let account = match name {
        Some(name) => accounts
            .iter()
            .find(|account| account.name.as_str() == name)
            .ok_or_else(|| Failure::say(Exit::Usage, format!("there is no account `{name}`")))
            .map_err(|failure| failure.hint(choices()))?,
        None => match accounts {
            [only] => only,
            _ => {
                let text = "which account are the requests for?";
                return Err(Failure::say(Exit::Usage, text).hint(choices()));
            }
        },
    };
    match account.kind {
        AccountKind::MiniProgram | AccountKind::OfficialAccount => Ok(account),
        AccountKind::Wecom | AccountKind::OpenPlatform | AccountKind::Generic => {
            let text = format!(
                "the collection is for mini programs and official accounts; `{}` is of kind {}",
                account.name,
                account.kind.as_str()
            );
            Err(Failure::say(Exit::Usage, text))
        }
    }
}

/// Its first address; one that stands for all of the host's gives way to a name of the gateway.
fn base_url(config: &Config, running: &Value) -> Result<String, Failure> {
    let public = running["public"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let configured = config.server.listen.iter().filter(|listen| listen.port != 0);
    let configured = configured.map(ToString::to_string);
    let mut all: Vec<String> = public.map(ToOwned::to_owned).chain(configured).collect();
    // Plain HTTP is for what stands in front of it.
    all.sort_by_key(|url| !url.starts_with("https://"));
    let Some(url) = all.into_iter().next() else {
        let text = "no gateway runs on this host, and proxy.toml leaves its port open";
        return Err(Failure::say(Exit::Unreachable, text)
            .hint("start it, or say where it is: --url https://HOST:PORT"));
    };
    let (scheme, authority) = url.split_once("://").unwrap_or(("https", &url));
    let name = config.server.hosts.first().map_or("localhost", String::as_str);
    Ok(match authority.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_unspecified() => {
            format!("{scheme}://{name}:{}", address.port())
        }
        Ok(_) | Err(_) => url,
    })
}

/// What a gateway writes when it is ready.
const RUN_FILE: &str = "run.json";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_gateway_is_named_by_its_url() {
        let gateway = Gateway::at("https://wx.example:8443/@shop/", None, Some("wx1")).unwrap();
        assert_eq!(
            (&*gateway.base_url, &*gateway.account, &*gateway.app_id),
            ("https://wx.example:8443", "shop", "wx1")
        );
        assert_eq!(Gateway::at("https://wx.example", Some("a"), None).unwrap().account, "a");
        for (url, account) in [
            ("wx.example", None),
            ("https://wx.example/cgi-bin", None),
            ("https://wx.example/@a", Some("b")),
            ("https://wx.example", Some("No Name")),
        ] {
            assert_eq!(Gateway::at(url, account, None).unwrap_err().exit, Exit::Usage, "{url}");
        }
    }

    #[test]
    fn the_one_of_this_host_is_asked_by_the_address_that_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::builtin(dir.path());
        assert_eq!(base_url(&config, &Value::Null).unwrap(), "https://127.0.0.1:8443");
        let running = json!({"public": ["http://127.0.0.1:80", "https://0.0.0.0:9443"]});
        assert_eq!(base_url(&config, &running).unwrap(), "https://localhost:9443");
        config.server.listen.iter_mut().for_each(|listen| listen.port = 0);
        assert_eq!(base_url(&config, &Value::Null).unwrap_err().exit, Exit::Unreachable);
    }

    #[test]
    fn the_only_account_is_meant_and_others_must_be_named() {
        let dir = tempfile::tempdir().unwrap();
        let mut accounts = Config::builtin(dir.path()).accounts;
        assert_eq!(chosen(&accounts, None).unwrap().name.as_str(), "demo");
        let failure = chosen(&accounts, Some("shop")).unwrap_err();
        assert!(failure.hint.unwrap().contains("demo"));
        accounts.extend(accounts.clone());
        assert_eq!(chosen(&accounts, None).unwrap_err().exit, Exit::Usage);
        let wecom = Account { kind: AccountKind::Wecom, ..Account::clone(&accounts[0]) };
        accounts = vec![Arc::new(wecom)];
        assert!(chosen(&accounts, Some("demo")).unwrap_err().text().unwrap().contains("wecom"));
    }
}
