//! The answer to a sealed request.

use bytes::Bytes;

use super::Seal;
use crate::{
    sandbox::{
        account::Account,
        call::{Answer, JSON, PLAIN},
    },
    wechat::api_signing::{Binding, Fresh, header},
};

/// The answer sealed, with the headers that say so. One that is no JSON stays as it is.
pub(in crate::sandbox) fn seal(
    account: &Account,
    seal: &Seal,
    answer: Answer,
    now_ms: i64,
) -> (Answer, Vec<(String, String)>) {
    let is_json = answer.content_type == JSON || answer.content_type == PLAIN;
    match sealed(account, seal, &answer, now_ms).filter(|_| is_json) {
        Some((body, headers)) => (Answer { body, ..answer }, headers),
        None => (answer, Vec::new()),
    }
}

/// None for a body that is no JSON object, and for an account without keys.
fn sealed(
    account: &Account,
    seal: &Seal,
    answer: &Answer,
    now_ms: i64,
) -> Option<(Bytes, Vec<(String, String)>)> {
    let state = account.quiet_state();
    let (signing, switches) = (state.signing.clone(), state.settings.signing.clone());
    drop(state);
    let key = signing.symmetric().ok()?;
    let (current, deprecated) = signing.platform();
    let current = current?;
    let app_id = account.identity.app_id.as_str();
    let binding = Binding { url: &seal.url, app_id, timestamp_s: now_ms / 1000 };
    let mut iv = [0; 12];
    // Not from the account's stream: an IV that came twice would give the key away.
    aws_lc_rs::rand::fill(&mut iv).ok()?;
    let fresh = Fresh { iv, nonce: &account.ids.text(22) };
    let text = std::str::from_utf8(&answer.body).ok()?;
    let sealed = binding.seal(&key, &current, fresh, text).ok()?;
    let mut headers = vec![
        (switches.app_id_header(), app_id.to_owned()),
        (header::TIMESTAMP.to_owned(), binding.timestamp_s.to_string()),
        (header::SERIAL.to_owned(), current.sn().to_owned()),
        (header::SIGNATURE.to_owned(), sealed.signature),
    ];
    if let Some(old) = deprecated {
        let signature = old.sign(binding.payload(&sealed.body).as_bytes()).ok()?;
        headers.push((header::SERIAL_DEPRECATED.to_owned(), old.sn().to_owned()));
        headers.push((header::SIGNATURE_DEPRECATED.to_owned(), signature));
    }
    Some((sealed.body.into(), headers))
}
