//! What accounts and merchants are called where tokens are shown.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    base::name::Name,
    cli::{
        exit::{Exit, Failure},
        host::{Held, Host},
    },
    token::{Held as Kept, SlotId},
};

/// The slot of `shop`, `shop~sandbox` or `open/wx…`. An account with a provider has its token in
/// the book of that platform.
pub(super) fn slot(host: &Host, account: &str) -> Result<SlotId, Failure> {
    let (plain, merchant) = match account.split_once('/') {
        Some((platform, app_id)) => (platform, Some(app_id)),
        None => (account, None),
    };
    let (plain, is_shadow) = plain.strip_suffix("~sandbox").map_or((plain, false), |a| (a, true));
    let known = host.config.accounts.iter().find(|known| known.name.as_str() == plain);
    let known = known.ok_or_else(|| {
        let list = all(host).join(", ");
        Failure::say(Exit::Usage, format!("proxy.toml has no account `{plain}`; it has: {list}"))
    })?;
    let of = |name: Name| if is_shadow { SlotId::shadow(name) } else { SlotId::real(name) };
    Ok(match (merchant, &known.provider) {
        (Some(app_id), _) => of(known.name.clone()).with(Kept::Merchant(app_id.into())),
        (None, Some(platform)) => {
            of(platform.clone()).with(Kept::Merchant(known.app_id.as_str().into()))
        }
        (None, None) => of(known.name.clone()),
    })
}

/// What the gateway calls the slot, as a segment of a path.
pub(super) fn segment(id: &SlotId) -> String {
    let name = id.to_string();
    let name = name.strip_suffix("/token").unwrap_or(&name).replacen("/merchant/", "/", 1);
    utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string()
}

/// The accounts of proxy.toml.
pub(super) fn all(host: &Host) -> Vec<String> {
    host.config.accounts.iter().map(|account| account.name.to_string()).collect()
}

/// Merchants that proxy.toml does not name, as `open/wx…`, out of the timeline in the database.
pub(super) fn stored_merchants(host: &Host, held: &Held) -> Result<Vec<String>, Failure> {
    let read = |c: &rusqlite::Connection| {
        c.prepare("SELECT DISTINCT slot FROM generation WHERE slot LIKE '%/merchant/%/token'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<String>>>()
    };
    Ok(unnamed(host, held.db.read_blocking(read)?))
}

fn unnamed(host: &Host, slots: Vec<String>) -> Vec<String> {
    let is_named = |name: &str| {
        host.config.accounts.iter().any(|account| {
            let platform = account.provider.as_ref().map(Name::as_str);
            platform.is_some_and(|platform| name == format!("{platform}/{}", account.app_id))
        })
    };
    let name = |slot: String| {
        let (platform, rest) = slot.split_once("/merchant/")?;
        Some(format!("{platform}/{}", rest.strip_suffix("/token")?))
    };
    slots.into_iter().filter_map(name).filter(|name| !is_named(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::host;

    #[test]
    fn merchants_are_named_behind_their_platform() {
        let dir = tempfile::tempdir().unwrap();
        let host = host::tests::stopped(dir.path());
        assert_eq!(slot(&host, "demo").unwrap().to_string(), "demo/token");
        assert_eq!(slot(&host, "demo~sandbox").unwrap().to_string(), "demo~sandbox/token");
        let merchant = slot(&host, "demo/wx1").unwrap();
        assert_eq!(merchant.to_string(), "demo/merchant/wx1/token");
        assert_eq!(segment(&merchant), "demo%2Fwx1");
        assert_eq!(slot(&host, "nobody").unwrap_err().exit, Exit::Usage);
        let slots = ["demo/token", "demo/merchant/wx2/token"].map(str::to_owned);
        assert_eq!(unnamed(&host, slots.to_vec()), ["demo/wx2"]);
    }
}
