//! Certificates: where they come from, and which one is shown to clients.
//!
//! Either a CA of our own (`self_signed`) or files that somebody else renews (`files`);
//! `certificates` serves whichever it is and swaps it while connections live. `clients` says
//! whose certificates are believed where clients show one.

mod certificates;
mod client_verifier;
mod clients;
mod error;
mod files;
mod local_ca;
mod pem_file;
mod self_signed;
mod server_config;
#[cfg(test)]
mod tests;

pub use certificates::Certificates;
pub use clients::Clients;
pub use error::TlsError;
pub use local_ca::pem_fingerprint;
pub use self_signed::CaEvent;
