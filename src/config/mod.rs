//! proxy.toml: read, checked as a whole, turned into a [`model::Config`] that cannot be wrong.
//!
//! Raw tables never leave their file here, and no other room reads TOML.

mod account;
mod capture;
mod client_ca;
mod field;
mod file;
mod key;
mod limit;
mod listen;
mod log;
mod message;
mod metrics;
pub mod model;
mod origin;
mod page;
mod privacy;
mod problem;
mod provider;
mod quantity;
mod reading;
mod reference;
mod reload;
mod remarks;
mod server;
#[cfg(test)]
mod shipped;
mod source;
mod suggest;
mod table;
#[cfg(test)]
mod testing;
mod tls;
mod token;
mod upstream;
mod vocabulary;

pub use file::{check_text, load, load_without_secrets};
pub use message::Message;
pub use model::Config;
pub use problem::{Problem, Problems};
pub use reading::Env;
pub use reload::{needs_restart, until_restart};
pub use remarks::remarks;
pub use source::{ConfigError, ConfigSource, find};
