//! What an exchange amounted to, from the body's `errcode` as well as from the status.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::permission::{UnknownWord, words};

words! {
    /// The result of an exchange, for people, filters and metrics.
    Outcome {
        /// No errcode, or 0.
        Ok = "ok",
        /// The platform refused the token.
        Token = "token",
        /// The platform is busy: errcode -1.
        Busy = "busy",
        /// A quota or a rate limit of the platform is used up.
        Quota = "quota",
        /// The platform refuses this address, account or permission.
        Access = "access",
        /// The caller's mistake.
        Request = "request",
        /// Any other non-zero errcode: the call worked and said no.
        Business = "business",
        /// A status from 400 up without an errcode, or unreadable where JSON was due.
        Upstream = "upstream",
        /// No answer: DNS, connect, TLS, reset, time limit.
        Network = "network",
        /// Refused or failed in the gateway.
        Gateway = "gateway",
        /// The client left before the answer was complete.
        Abandoned = "abandoned",
    }
}
