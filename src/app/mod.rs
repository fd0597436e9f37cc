//! Starts everything, reloads, and stops in order: the only room that knows all others.
//!
//! What it starts is told in docs/ARCHITECTURE.md, sections 2 and 5.

mod accounts;
mod connectors;
pub mod data_dir;
mod drain;
mod error;
mod housekeeping;
mod meters;
mod metrics_door;
mod platforms;
mod providers;
mod reload;
mod run_file;
mod start;
mod stored;
mod worker;

pub use accounts::AccountFactory;
pub use drain::DrainReport;
pub use error::StartError;
pub use reload::{ReadConfig, ReloadReport};
pub use run_file::Ready;
pub use start::{App, AppOptions, Running};
