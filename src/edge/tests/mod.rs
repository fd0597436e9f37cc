//! The edge on real sockets. Time is paused: it jumps ahead whenever everybody waits, so the
//! real limits are tested, to the millisecond, in no time.

mod client_certificates;
mod drain;
pub(super) mod harness;
mod http1;
mod http2;
mod proxy;
mod secure;
