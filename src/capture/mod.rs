//! The recorded exchange: tee, redaction, recorder, storage, filter language, retention, export.
//!
//! Nothing is stored, streamed or exported before it is redacted, and nothing here makes the
//! proxy wait. Who may see which exchange is decided in the rooms above.

mod batch;
mod content_coding;
mod detail;
mod error;
pub mod exchange;
mod field_names;
pub mod filter;
pub mod har;
mod header_lines;
mod json_mask;
mod line;
mod metrics;
mod query;
mod query_mask;
mod queue;
mod recorder;
mod redacted;
mod redaction;
mod retention;
mod segment;
mod set_aside;
mod settings;
mod shape;
mod storage;
mod stored;
mod stored_message;
pub mod tee;
#[cfg(test)]
mod testing;
mod text_table;
mod unpacked;
pub mod view;
mod writer;

pub use error::CaptureError;
pub use exchange::{Attempt, Captured, Exchange, Marks, Message, Phases};
pub use field_names::FieldNames;
pub use filter::{Filter, FilterError};
pub use metrics::{CaptureMetrics, DropLabels};
pub use query::{Export, Reader};
pub use recorder::{CaptureState, Recorder};
pub use set_aside::SetAside;
pub use settings::CaptureSettings;
pub use shape::Shape;
pub use stored::{StoredAttempt, StoredExchange, StoredPhases};
pub use stored_message::StoredMessage;
pub use tee::{TeeEnd, TeeHandle, TeeState};
