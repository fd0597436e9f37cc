//! The simulator of the WeChat platform: product code for working without an account, and the
//! upstream of our own tests.
//!
//! Here live its accounts, token families, quotas, calls, faults, control, and its own small
//! TLS server. Nothing here knows of keys, lanes or the gateway's request path.

mod account;
mod agenda;
mod audience;
mod call;
mod calls;
pub mod calls_table;
mod cashier;
mod certificate;
mod choice;
mod content;
mod control;
mod control_door;
mod control_form;
mod counters;
mod credential;
mod dispatch;
mod drawer;
mod due;
mod envelope;
mod errmsg;
mod error;
mod escapes;
mod events;
mod exchange;
mod fault;
mod fault_list;
mod fire;
mod fire_table;
mod form;
mod ids;
mod intake;
mod ip_rule;
mod journal;
mod judge;
mod kept;
mod kind_settings;
mod login_codes;
mod media_store;
mod moment;
mod multipart;
mod one_field;
mod open;
mod openid;
mod options;
mod platform;
mod push;
mod query;
mod quota;
mod refusal;
mod rid_log;
mod roster;
mod running;
mod server;
mod service;
mod settings;
mod severable;
mod shipping;
mod shop;
mod signing;
mod sim_clock;
mod slow_body;
mod snapshot;
mod state;
mod state_file;
mod state_keeper;
mod tickets;
mod timekeeper;
mod token_family;
mod token_ledger;
mod wecom;
mod world;

#[cfg(test)]
mod over_the_wire;
#[cfg(test)]
mod platform_tests;

pub use call::{Answer, Call, Cut, Reply};
pub use control::RESTORE_CAP_BYTES;
pub use error::SandboxError;
pub use options::{SandboxAccount, SandboxOptions, Tls};
pub use platform::Platform;
pub use running::Sandbox;

/// The simulator's name for an account whose upstream is the real platform: its shadow.
#[must_use]
pub fn shadow_name(account: &str) -> String {
    format!("{account}~sandbox")
}
