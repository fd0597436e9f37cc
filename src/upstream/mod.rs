//! Which origin a request goes to, and the sending itself: order, health, pool, time limits.
//!
//! Whether a request may be sent a second time is decided in `proxy`; how connections are
//! made is the matter of `wire`.

mod deadlines;
mod endpoint;
mod failed;
mod fleet;
mod gate;
mod health;
mod http1;
mod http2;
mod limits;
mod metrics;
mod pool;
mod sent;
mod shelf;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointOptions};
pub use fleet::{Fleet, FleetLimits, Order};
pub use limits::SendLimits;
pub use metrics::{AttemptResult, Metrics};
pub use pool::Pool;
pub use sent::{SendFailure, Sent, Timing};
