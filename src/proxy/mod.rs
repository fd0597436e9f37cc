//! The life of a request, from the edge's hand to the upstream and back: one file a stage.
//!
//! Sockets belong to `edge`, rules about keys and limits to `access`, tokens to `token`; what
//! stands here is the order in which they are asked.

mod access_log;
mod account;
mod admit;
mod alarm_bell;
mod answer;
mod answer_open;
mod authenticate;
mod caller;
mod capped;
mod capture;
mod cashier_door;
mod certificate;
mod content_coding;
mod credential_query;
mod doors;
mod error;
mod error_text;
mod explain;
mod fault;
mod forward;
mod forward_headers;
mod front_door;
mod inject;
mod json_members;
mod json_secret;
mod limit;
mod live;
mod mask;
mod masked_body;
mod merchant;
mod merchant_answer;
mod metrics;
mod open_text;
mod passage;
mod path_rule;
mod peek;
mod platform_text;
mod replay;
mod replay_stream;
mod request_body;
mod rescue;
mod retry;
mod retry_budget;
mod sandbox_door;
mod seen_headers;
mod service;
mod stage;
mod surrogate_rule;
mod token_call;

pub use certificate::Unusable;
pub use error::ProxyError;
pub use explain::explain;
pub use live::{AccountRuntime, Lanes, Live, SharedLive};
pub use metrics::{AccountCounters, ProxyMetrics};
pub use path_rule::BadPath;
pub use retry_budget::RetryBudget;
pub use service::{Parts, ProxyService};

use stage::Stage;

/// The life of a request, outermost stage first; docs/ARCHITECTURE.md tells the same story.
///
/// Around all of them stands `service`: it opens the passage, and when the answer's body has
/// ended, however it ended, it writes the log line (`access_log`) and hands over the exchange.
fn stages(p: &Parts) -> Vec<Box<dyn Stage>> {
    vec![
        Box::new(rescue::Rescue::new(p)), // ProxyError becomes a response; no Err passes beyond it
        Box::new(doors::Doors::new(p)),   // liveness answers whatever the Host, load or key
        Box::new(admit::Admit::new(p)),   // sheds load; the slot is held until the body ends
        Box::new(front_door::FrontDoor),  // nothing below ever sees a malformed request
        Box::new(cashier_door::CashierDoor::new(p)), // a browser has no key, only its link
        Box::new(authenticate::Authenticate::new(p)), // before account and capture: strangers learn and store nothing
        Box::new(sandbox_door::SandboxDoor::new(p)),  // our own door, so it is no exchange
        Box::new(capture::Capture::new(p)),           // outside injection: it never sees a token
        Box::new(caller::CheckCaller::default()), // inside capture: the holder of the key sees why
        Box::new(account::ChooseAccount::default()), // inside capture: its refusals can be seen
        Box::new(limit::Limit::new(p)),           // inside capture: a refusal can be seen
        Box::new(answer::AnswerHere::new(p)),     // credential calls never leave the host
        Box::new(fault::Fault),                   // a wished-for fault costs no token and no call
        Box::new(mask::Mask::new(p)), // outside retry: it sees the answer that the caller gets
        Box::new(retry::Retry::new(p)), // outside injection: a second try has a second token
        Box::new(inject::Inject::new(p)), // puts the credential in, as late as possible
        Box::new(forward::Forward::new(p)), // the end of the list: it has no rest to call
    ]
}
