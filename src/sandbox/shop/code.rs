//! A code that somebody of the merchant scans to confirm something.

use serde::{Deserialize, Serialize};

use super::{demand, shop_due::ShopDue, withdrawal};
use crate::sandbox::{due::Due, refusal::Refusal, settings::Settings, world::World};

/// One code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Code {
    /// Who has to scan; its values are not documented.
    pub(in crate::sandbox) identity_type: u64,
    until_ms: i64,
    is_scanned: bool,
    /// The withdrawal that it confirms.
    withdrawal: Option<String>,
}

impl Code {
    /// 1 as soon as it was scanned by the one who had to.
    pub(in crate::sandbox) fn scanned_by(&self) -> u64 {
        if self.is_scanned { self.identity_type } else { 0 }
    }

    /// The number of its state, as the switch has it.
    pub(in crate::sandbox) fn status(&self, now_ms: i64, settings: &Settings) -> i64 {
        let [waiting, scanned, too_old] = settings.shop.code_statuses;
        match (self.is_scanned, now_ms < self.until_ms) {
            (true, _) => scanned,
            (false, true) => waiting,
            (false, false) => too_old,
        }
    }
}

/// Makes a code; its ticket.
pub(in crate::sandbox) fn make(
    world: &mut World<'_>,
    identity_type: u64,
    withdrawal: Option<String>,
) -> Result<String, Refusal> {
    let now_ms = world.now_ms;
    let codes = &mut world.state.shop.funds.codes;
    if codes.len() >= MOST_CODES {
        codes.retain(|_, code| now_ms < code.until_ms);
    }
    if codes.len() >= MOST_CODES {
        return Err(demand::full());
    }
    let ids = &world.account.ids;
    let ticket = format!("{:016x}{:08x}", ids.next(), ids.next() as u32);
    let settings = &world.state.settings.shop;
    let life_ms = i64::from(settings.code_life_s) * 1000;
    let scan_ms = settings.code_scan_delay_s.map(|delay_s| i64::from(delay_s) * 1000);
    let until_ms = now_ms.saturating_add(life_ms);
    let code = Code { identity_type, until_ms, is_scanned: false, withdrawal };
    world.state.shop.funds.codes.insert(ticket.clone(), code);
    if let Some(scan_ms) = scan_ms {
        world.later(scan_ms, Due::Shop(ShopDue::CodeScan { ticket: ticket.clone() }));
    }
    world.later(life_ms, Due::Shop(ShopDue::CodeEnd { ticket: ticket.clone() }));
    Ok(ticket)
}

/// Somebody scans it; false if it was scanned before, is too old or not known.
pub(in crate::sandbox) fn scan(world: &mut World<'_>, ticket: &str) -> bool {
    let now_ms = world.now_ms;
    let code = world.state.shop.funds.codes.get_mut(ticket);
    let Some(code) = code.filter(|code| !code.is_scanned && now_ms < code.until_ms) else {
        return false;
    };
    code.is_scanned = true;
    if let Some(number) = code.withdrawal.clone() {
        withdrawal::confirm(world, &number);
    }
    true
}

/// Its time is over; what nobody confirmed is given up.
pub(in crate::sandbox) fn end_due(world: &mut World<'_>, ticket: &str) {
    let code = world.state.shop.funds.codes.get(ticket).filter(|code| !code.is_scanned);
    if let Some(number) = code.and_then(|code| code.withdrawal.clone()) {
        withdrawal::drop_unconfirmed(world, &number);
    }
}

const MOST_CODES: usize = 10_000;
