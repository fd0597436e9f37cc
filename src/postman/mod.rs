//! The collection that Postman and Apifox import: every documented call with a body that works.
//!
//! Everything here is a pure function of the data about the platform and of `data/plan.json`,
//! which says what stands in the collection and in which order. Who writes the files, and for
//! which gateway, is the business of the command line.

mod body;
mod collection;
mod description;
mod environment;
mod examples;
mod format;
mod plan;
mod request;
mod script;
mod words;

#[cfg(test)]
mod tests;

pub use collection::{COLLECTION_ID, collection};
pub use environment::{ENVIRONMENT_ID, Environment, Settings};
pub use format::Collection;
