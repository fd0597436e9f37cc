//! What the command line asks of a running gateway, over `data/control.sock`.
//!
//! Both ends of one small JSON API: only the owner of the data folder reaches it. A console mounts
//! the same handlers behind a sign-in of its own.

mod api;
mod client;
mod door;
mod error;
mod key_form;
mod key_routes;
mod limit_routes;
mod log;
mod mask;
mod platform_routes;
mod problem;
mod refresh;
mod reload;
mod rotate;
mod router;
mod socket_path;
mod status;
mod tail;
#[cfg(test)]
mod tests;
mod token_routes;

pub use api::Api;
pub use client::{Client, ClientError, Lines};
pub use door::{SOCKET, serve};
pub use error::ControlError;
pub use key_form::{KeyForm, KeyFormError, RotateForm, made};
pub use limit_routes::{AuditForm, ResetForm, audit_row};
pub use mask::Mask;
pub use platform_routes::TicketForm;
pub use refresh::RefreshForm;
pub use reload::Reload;
pub use router::router;
pub use token_routes::{judged, listed};
