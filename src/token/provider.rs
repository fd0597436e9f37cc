//! The contract with whoever issues tokens.

use std::{fmt, str::FromStr, time::Duration};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::error::TokenError;
use crate::base::{
    permission::{UnknownWord, words},
    secret::Secret,
};

/// Something that issues upstream access tokens, such as WeChat's `stable_token`.
pub trait TokenProvider: Send + Sync + 'static {
    /// Asks the issuer for a token, once. Retrying, backoff and single flight are the broker's
    /// work; so is the decision to force. It ends within the provider's own time limit.
    ///
    /// [`TokenGrant::valid_for`] counts from the moment the answer arrived; WeChat sends it as
    /// whole seconds, at most 7200, and less when the token is already in use.
    ///
    /// # Errors
    /// [`TokenError::Refused`] if the issuer answered with a non-zero errcode;
    /// [`TokenError::Connect`], [`TokenError::Timeout`], [`TokenError::Broken`] or
    /// [`TokenError::Malformed`] if there was no such answer.
    fn fetch(&self, renewal: Renewal) -> BoxFuture<'_, Result<TokenGrant, TokenError>>;

    /// What the token is fetched with. A change of it discards the cached token.
    fn credential(&self) -> &Credential;

    /// Which call issues the token; never [`FetchedBy::Forced`] or [`FetchedBy::Restored`].
    fn family(&self) -> FetchedBy;
}

/// Who the token is for, and the proof of it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// AppID; not secret.
    pub app_id: String,
    /// AppSecret.
    pub app_secret: Secret,
}

impl Credential {
    /// Whether both fetch the same tokens.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.app_id == other.app_id && self.app_secret.matches(other.app_secret.expose().as_bytes())
    }
}

/// How a token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Hurts no other holder (for `stable_token`).
    Normal,
    /// Retires the token of every holder of the AppSecret.
    Forced,
}

/// What an issuer gave.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    /// The access token.
    pub token: Secret,
    /// Its remaining life when the answer arrived.
    pub valid_for: Duration,
}

words! {
    /// How a token came to this gateway.
    FetchedBy {
        /// `/cgi-bin/stable_token`, normal mode.
        Stable = "stable",
        /// `/cgi-bin/token`.
        Classic = "classic",
        /// `/cgi-bin/stable_token` with `force_refresh`.
        Forced = "forced",
        /// `/cgi-bin/gettoken` of WeCom.
        Corp = "corp",
        /// `api_component_token` of a third-party platform.
        Component = "component",
        /// `api_authorizer_token`: a third-party platform acting for a merchant.
        Authorizer = "authorizer",
        /// `/cgi-bin/ticket/getticket`, which hangs on the token.
        Ticket = "ticket",
        /// Unsealed at a start; fetched by an earlier run.
        Restored = "restored",
    }
}

impl FetchedBy {
    /// Whether the issuer gives everybody the same one until its end, so that asking earlier
    /// brings nothing.
    pub(super) fn is_kept_to_its_end(self) -> bool {
        match self {
            Self::Corp | Self::Ticket => true,
            Self::Stable
            | Self::Classic
            | Self::Forced
            | Self::Component
            | Self::Authorizer
            | Self::Restored => false,
        }
    }

    /// Whether the issuer can be made to retire the token of every holder.
    pub(super) fn can_be_forced(self) -> bool {
        match self {
            Self::Stable | Self::Classic | Self::Forced | Self::Restored => true,
            Self::Corp | Self::Component | Self::Authorizer | Self::Ticket => false,
        }
    }
}
