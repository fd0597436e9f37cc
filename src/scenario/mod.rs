//! The scenario: a file of calls, events and waits; read, filled in, compared, and written from
//! recorded exchanges.
//!
//! Everything here is a pure function of texts and values. Who sends the calls, and to where,
//! is the business of the rooms above.

mod check;
mod compare;
mod document;
mod generator;
mod matcher;
mod mistake;
mod path;
mod reading;
pub mod recording;
mod scope;
mod shipped;
mod template;

pub use compare::{Comparison, DiffLine, DiffSide, compare};
pub use document::{Action, FileContent, FormField, FormValue, Payload, Scenario, Step};
pub use mistake::Mistake;
pub use path::ValuePath;
pub use reading::read;
pub use scope::Scope;
pub use shipped::{SHIPPED, shipped};
pub use template::{fill, fill_text, uses_clock};
