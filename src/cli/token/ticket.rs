//! `wxgate token ticket`: a third-party platform's verify ticket, until callbacks bring it.

use std::io::{IsTerminal as _, Read as _};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    base::{
        clock::{Clock as _, SystemClock},
        kind::AccountKind,
        secret::Secret,
    },
    cli::{
        exit::{Exit, Failure},
        host::{Held, Host, Reach},
    },
    config::model::Account,
    control::{TicketForm, audit_row},
    store::InstallationKey,
    token::store_ticket,
    wechat::authorizer::read_ticket,
};

/// Reads the ticket from standard input and hands it to the gateway, or to its database.
pub(super) async fn enter(host: &Host, account: &str) -> Result<Value, Failure> {
    let plain = account.strip_suffix("~sandbox").unwrap_or(account);
    let platform = platform(host, plain)?;
    let ticket = read_ticket(&text(host)?).map_err(|fault| {
        Failure::say(Exit::Usage, format!("that is no component_verify_ticket: {fault}"))
            .hint("it is the text inside <ComponentVerifyTicket>, as in ticket@@@…")
    })?;
    match host.reach().await? {
        Reach::Running(gateway) => {
            let form = TicketForm { ticket: ticket.expose().to_owned() };
            Ok(gateway.post(&format!("/v1/tokens/{account}/ticket"), &form).await?)
        }
        Reach::Stopped(_) if plain != account => Err(Failure::say(
            Exit::Unreachable,
            "a shadow in the sandbox lives only while the gateway runs; start it with `wxgate serve`",
        )),
        Reach::Stopped(held) => {
            store(host, &held, platform, &ticket).await?;
            Ok(json!({ "stored": true, "token": null }))
        }
    }
}

fn platform<'a>(host: &'a Host, name: &str) -> Result<&'a Account, Failure> {
    let platforms: Vec<&Account> = host
        .config
        .accounts
        .iter()
        .map(AsRef::as_ref)
        .filter(|account| account.kind == AccountKind::OpenPlatform)
        .collect();
    platforms.iter().find(|account| account.name.as_str() == name).copied().ok_or_else(|| {
        let names: Vec<&str> = platforms.iter().map(|account| account.name.as_str()).collect();
        let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let text = format!(
            "`{name}` is no account of kind open-platform in proxy.toml; those are: {list}"
        );
        Failure::say(Exit::Usage, text)
    })
}

/// Never an argument: those stand in the shell's history and in the list of processes.
fn text(host: &Host) -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() {
        let question = host.language().pick("票据 component_verify_ticket", "the ticket");
        return Ok(Zeroizing::new(rpassword::prompt_password(format!("{question}: "))?));
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin().take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

async fn store(
    host: &Host,
    held: &Held,
    platform: &Account,
    ticket: &Secret,
) -> Result<(), Failure> {
    let key = InstallationKey::load_or_create(&host.data_file(INSTALLATION_KEY))?;
    let now = SystemClock.now();
    let put = store_ticket(&key, &platform.name, &platform.app_id, ticket, now)?;
    let subject = format!("{}/token", platform.name);
    let write = move |t: &rusqlite::Transaction<'_>| {
        audit_row(t, now, "cli", "verify ticket", &subject)?;
        put(t)
    };
    Ok(held.db.write(write).await?)
}

/// In the data folder.
const INSTALLATION_KEY: &str = "installation.key";

/// More than any ticket has.
const MOST_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::host;

    #[tokio::test]
    async fn only_a_third_party_platform_has_a_ticket() {
        let dir = tempfile::tempdir().unwrap();
        let host = host::tests::stopped(dir.path());
        let failure = platform(&host, "demo").unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.text().unwrap().contains("those are: none"), "{failure:?}");
    }
}
