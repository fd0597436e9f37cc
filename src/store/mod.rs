//! Databases: one writer thread each, readers apart, migrations, and the key that seals secrets.
//!
//! What the tables mean is known in the rooms above; nothing of tokens or exchanges lives here.

mod database;
mod error;
mod open;
mod schema;
mod seal;

pub use database::Database;
pub use error::StoreError;
pub use open::Durability;
pub use schema::GATEWAY_SCHEMA;
pub use seal::{InstallationKey, PurposeKey, SealError};
