//! WeCom: what an account of kind `wecom` is asked for.
//!
//! Here live its token call, its directory, messages and media, and its own way to write errors.
//! Paths that WeChat has too mean something else here; the table of calls tells them apart by the
//! kind of account.

mod contact_calls;
mod directory;
mod errmsg;
mod media_calls;
mod message_calls;
mod server_calls;
mod token_calls;

pub(super) use self::errmsg::{errmsg, hint};
use super::dispatch::CallSpec;

/// All calls of WeCom, one list a family.
pub(super) const FAMILIES: &[&[CallSpec]] = &[
    token_calls::CALLS,
    contact_calls::CALLS,
    message_calls::CALLS,
    media_calls::CALLS,
    server_calls::CALLS,
];
