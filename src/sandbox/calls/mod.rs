//! What the calls do, one file a family. Each has a list of its calls for the table.

mod access_token;
mod code_picture;
mod customer_message;
mod login;
mod media;
mod mini_program_code;
mod quota;
mod servers;

#[cfg(test)]
pub(super) mod bench;
#[cfg(test)]
mod hostile;

use super::dispatch::CallSpec;

/// All families.
pub(super) const FAMILIES: &[&[CallSpec]] = &[
    access_token::CALLS,
    quota::CALLS,
    servers::CALLS,
    customer_message::CALLS,
    mini_program_code::CALLS,
    media::CALLS,
    login::CALLS,
];
