//! Words and small mechanisms that every room uses.
//!
//! No sockets, no files, nothing of WeChat: those live in the rooms above.

pub mod alarm;
pub mod backoff;
pub mod base62;
pub mod body;
pub mod chain;
pub mod cidr;
pub mod client_ca;
pub mod clock;
pub mod code;
pub mod day;
pub mod egress;
pub mod id;
pub mod key_id;
pub mod kind;
pub mod name;
pub mod origin;
pub mod outcome;
pub mod percent;
pub mod permission;
pub mod redact;
mod redact_alphabet;
mod redact_escapes;
mod redact_forms;
mod redact_known;
mod redact_matcher;
mod redact_shapes;
#[cfg(test)]
pub(crate) mod redact_specimen;
pub mod roots;
pub mod secret;
pub mod short_text;
pub mod stranger_log;
pub mod subject;
mod subject_text;
pub mod tasks;
pub mod units;
