//! `snapshot` and `restore`: an account as one document.

use std::io;

use http::StatusCode;
use serde_json::json;

use super::{Done, Platform, Told, bad_request};
use crate::sandbox::{
    account::Account,
    snapshot::{Purpose, Snapshot},
};

/// Everything about the account but its AppSecret.
pub(super) fn take(account: &Account) -> Told {
    let mut text = Capped(Vec::new());
    match account.write_snapshot(Purpose::Restore, &mut text) {
        Ok(()) => Ok(text.0.into()),
        Err(_) => Err((StatusCode::PAYLOAD_TOO_LARGE, too_large())),
    }
}

/// Puts a snapshot in place of everything about the account, or changes nothing.
pub(super) fn restore(platform: &Platform, account: &Account, body: &[u8]) -> Done {
    if body.len() > RESTORE_CAP_BYTES {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, too_large()));
    }
    let snapshot = Snapshot::read(body).map_err(bad_request)?;
    let name = &account.identity.name;
    platform.restore(name, snapshot).map_err(bad_request)?;
    let Some(restored) = platform.account(name) else {
        return Err(bad_request(format!("the account `{name}` was removed meanwhile")));
    };
    let now_ms = restored.now_ms();
    let shown = restored.state().show(now_ms);
    Ok(json!({ "restored": name, "live": shown.get("live") }))
}

fn too_large() -> String {
    let most = RESTORE_CAP_BYTES >> 20;
    format!("a snapshot has at most {most} MiB; uploaded media are most of it, until they expire")
}

/// Text that ends in an error beyond [`RESTORE_CAP_BYTES`].
struct Capped(Vec<u8>);

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > RESTORE_CAP_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The longest snapshot: some ten thousand products, or a few dozen pictures.
pub const RESTORE_CAP_BYTES: usize = 64 << 20;
