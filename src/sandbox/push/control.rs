//! The control calls about pushes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Sender,
    config::{PushConfig, PushForm},
    courier::{cut, digits},
    parcel::{self, Stamp},
};
use crate::{
    base::chain::Chain,
    sandbox::{
        account::Account,
        control::{Done, bad_request, not_found},
        control_form,
    },
};

/// `POST push`. Asks the URL first, unless told not to.
pub(in crate::sandbox) async fn set(account: &Account, sender: &Sender, body: &[u8]) -> Done {
    let form: PushForm = control_form::read(body).map_err(bad_request)?;
    let is_asked = form.verify;
    let (proposal, limit_ms) = {
        let state = account.state();
        let proposal =
            form.over(state.push.config.as_ref(), account.identity.kind, &account.pushes);
        (proposal.map_err(bad_request)?, state.settings.push_deadline_ms)
    };
    if is_asked {
        let limit = Duration::from_millis(limit_ms);
        verify(account, sender, &proposal.config, limit).await.map_err(bad_request)?;
    }
    let shown = proposal.to_json();
    account.state().push.config = Some(proposal.config);
    Ok(shown)
}

/// `GET push`.
pub(in crate::sandbox) fn show(account: &Account) -> Value {
    let state = account.quiet_state();
    state.push.config.as_ref().map_or_else(|| json!({ "url": null }), PushConfig::to_json)
}

/// `DELETE push`.
pub(in crate::sandbox) fn forget(account: &Account) -> Value {
    account.state().push.config = None;
    show(account)
}

/// `GET pushes`.
pub(in crate::sandbox) fn pushes(account: &Account, after: u64) -> Value {
    account.quiet_state().push.log.to_json(after)
}

/// `POST pushes/{id}/redeliver`: the same message once more, as a push of its own.
pub(in crate::sandbox) fn redeliver(account: &Account, of: &str) -> Done {
    let Some(id) = of.strip_suffix("/redeliver") else {
        return Err(not_found(format!("there is no `pushes/{of}`: POST pushes/ID/redeliver")));
    };
    let now_ms = account.now_ms();
    let state = &mut *account.state();
    let push = &mut state.push;
    let known = id.parse().ok().and_then(|id| Some((id, push.log.event_of(id)?)));
    let Some((id, (seq, event))) = known else {
        return Err(not_found(format!("there is no push `{id}`, or no longer: GET pushes")));
    };
    let Some(config) = &push.config else {
        return Err(bad_request("there is no URL to push to: POST push".to_owned()));
    };
    if state.events.numbered(seq).is_none() {
        return Err(not_found(format!("event {seq} is no longer remembered")));
    }
    let again = push.log.enter(seq, &event, Some(config.address()), Some(id), now_ms);
    Ok(json!({ "id": again, "again_of": id, "seq": seq }))
}

/// What the console does before it takes a URL: the answer must be exactly `echostr`.
async fn verify(
    account: &Account,
    sender: &Sender,
    config: &PushConfig,
    limit: Duration,
) -> Result<(), String> {
    let echostr = digits(&account.pushes.text(10)) + &digits(&account.pushes.text(10));
    let stamp = Stamp {
        timestamp: (account.now_ms() / 1000).to_string(),
        nonce: digits(&account.pushes.text(10)),
        random: [0; 16],
    };
    let request = parcel::verification(config, &stamp, &echostr);
    let request = request.ok_or_else(|| "url makes no request".to_owned())?;
    let received = sender.send(&config.url, request, limit).await;
    let received =
        received.map_err(|error| format!("the URL did not answer: {}", Chain(&error)))?;
    if received.status == 200 && received.body == echostr.as_bytes() {
        return Ok(());
    }
    Err(format!(
        "the URL answered {} and `{}`; wanted are 200 and exactly the echostr, `{echostr}` \
         (\"verify\": false skips this)",
        received.status,
        cut(&String::from_utf8_lossy(&received.body)),
    ))
}
