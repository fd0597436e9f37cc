//! An answer that says no: `{"error","hint"}`, with a status.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{access::KeyError, base::chain::Chain, store::StoreError, token::TokenError};

/// Why a request was not carried out, and what to do now.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    fields: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, error: impl Into<String>, hint: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("error".to_owned(), json!(error.into()));
        fields.insert("hint".to_owned(), json!(hint));
        Self { status, fields }
    }

    /// 400: the request itself is wrong.
    pub(super) fn bad_request(error: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// 404.
    pub(super) fn not_found(error: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, hint)
    }

    /// 422: understood, and wrong in itself.
    pub(super) fn unprocessable(error: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error, hint)
    }

    /// A further field of the answer.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.fields.insert(name.to_owned(), value);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, error) =
            (self.status.as_u16(), self.fields.get("error").and_then(Value::as_str));
        tracing::debug!(http.status = status, error, "a control request was refused");
        (self.status, Json(Value::Object(self.fields))).into_response()
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let status = match &error {
            KeyError::NameTaken { .. }
            | KeyError::SubjectTaken { .. }
            | KeyError::AlreadyRevoked { .. }
            | KeyError::Fixed { .. } => StatusCode::CONFLICT,
            KeyError::NotFound { .. } => StatusCode::NOT_FOUND,
            KeyError::BadPath { .. } | KeyError::TooLong { .. } => StatusCode::BAD_REQUEST,
            KeyError::Full { .. } | KeyError::Damaged { .. } | KeyError::Store(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        // The message names the cure itself.
        Self::new(status, Chain(&error).to_string(), "")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let hint = "look at the gateway's log; the disk may be full or the database damaged";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Chain(&error).to_string(), hint)
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let (status, hint) = match &error {
            TokenError::NotConfigured { .. } => {
                (StatusCode::NOT_FOUND, "`wxgate token show` lists the accounts that have one")
            }
            TokenError::ForceBudget { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "leave out --force: normal mode hurts nobody")
            }
            _ => (StatusCode::BAD_GATEWAY, "`wxgate explain ERRCODE` says what helps"),
        };
        let problem = Self::new(status, Chain(&error).to_string(), hint);
        let (errcode, ip) = (error.errcode(), error.refused_ip());
        problem
            .with("errcode", json!(errcode))
            .with("errmsg", json!(error.errmsg()))
            .with("refused_ip", json!(ip))
    }
}
