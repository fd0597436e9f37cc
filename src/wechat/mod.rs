//! What is known of WeChat, as data and pure functions.
//!
//! The catalogue of calls, the errcodes, the credential table and the wire shapes live here.
//! `data/catalogue.tsv` has a row for each call, `data/wecom.tsv` those of WeCom,
//! `data/errcodes.tsv` a row for each code and scope.
//! Nothing here opens a socket, reads a file or asks the clock: time and bytes come as arguments.

pub mod api_cipher;
pub mod api_signature;
pub mod api_signing;
pub mod authorizer;
mod call;
pub mod catalogue;
pub mod credential;
mod credential_call;
pub mod crypto;
pub mod endpoint;
pub mod envelope;
#[cfg(test)]
mod envelope_properties;
mod envelope_scan;
pub mod errcode;
mod errcode_class;
mod errcode_search;
pub mod grant;
mod json_text;
mod known_path;
pub mod placeholder;
pub mod push_crypto;
pub mod push_message;
pub mod refusal;
pub mod rid;
mod secret_place;
pub mod token_form;

pub use call::{AnswerForm, AppKinds, BodyForm, Call, CallClass, CallMethod};
pub use catalogue::class_of;
pub use credential::Credential;
pub use endpoint::{Endpoint, Field, FieldKind, Need};
pub use envelope::{Envelope, Peeked};
pub use errcode::{Errcode, Scope};
pub use grant::{Grant, GrantError, TicketKind};
pub use known_path::KnownPath;
pub use rid::Rid;
pub use token_form::{PlatformRefusal, TokenForm};
