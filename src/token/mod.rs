//! The token broker: gets access tokens from their issuer, keeps them, and replaces them when
//! they end, for all accounts and all requests together.
//!
//! It knows nothing of requests: where a token goes into one is `proxy`'s work, and so is the
//! decision that an answer means a dead token. No token leaves this room but as [`Issued`].
//!
//! A request finds its token without a lock ([`Slot::current`]). Every fetch runs in a task of
//! its own (`fetch`), so a client that leaves cancels nothing; who needs the result watches.

mod adopt;
mod alarm;
mod authorizer;
mod broker;
mod budget;
mod change;
mod claims;
mod component;
mod cure;
mod error;
mod fetch;
mod generation;
mod issued;
mod issuer;
mod issuer_call;
mod journal;
mod keeper;
mod merchant;
mod metrics;
mod open_platform;
mod pause;
mod platforms;
mod provider;
mod reload;
mod slot;
mod slot_id;
mod state;
mod status;
mod stopwatch;
mod strongbox;
mod surrogate;
#[cfg(test)]
mod tests;
mod tickets;
mod timeline;
mod vault;
mod verify_ticket;

pub use broker::{Broker, BrokerParts};
pub use claims::{Claims, Handle, SurrogateFault};
pub use error::TokenError;
pub use generation::{AskedBy, EndReason, Generation, Interval, Verdict};
pub use issued::Issued;
pub use issuer::{Recipe, SecretIssuer};
pub use issuer_call::Origins;
pub use open_platform::{OpenPlatform, PlatformParts};
pub use provider::{Credential, FetchedBy, Renewal, TokenGrant, TokenProvider};
pub use slot::Slot;
pub use slot_id::{Held, SlotId};
pub use state::SlotPolicy;
pub use status::{LastError, SlotState, SlotStatus, TokenStatus};
pub use stopwatch::{BootClock, boot_clock};
pub use strongbox::store_ticket;
pub use surrogate::{Damage, Surrogates, expiry_ms};
pub use tickets::Tickets;
pub use timeline::{history, verdicts};
pub use verify_ticket::{AskTicket, TicketFault};
