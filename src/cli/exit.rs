//! How a command ended, for the shell and for the person who typed it.

use std::{error::Error, process::ExitCode};

use crate::{
    app::data_dir::DataDirError,
    base::chain::Chain,
    config::{ConfigError, Problems},
    control::ClientError,
};

/// Exit codes: a public contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// It is done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// `check` found problems.
    Problems = 3,
    /// The platform answered an error.
    Platform = 4,
    /// There is no gateway, or it cannot be reached (sysexits `EX_UNAVAILABLE`).
    Unreachable = 69,
    /// proxy.toml is wrong (sysexits `EX_CONFIG`).
    BadConfig = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the shell is told.
    pub(super) exit: Exit,
    /// What happened; none when it was told already, or when nobody reads us any more.
    pub(super) error: Option<anyhow::Error>,
    /// What to do now.
    pub(super) hint: Option<String>,
}

impl Failure {
    /// Ends the command with `error`.
    pub(super) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: Some(error.into()), hint: None }
    }

    /// Ends the command with a sentence of its own.
    pub(super) fn say(exit: Exit, text: impl Into<String>) -> Self {
        Self::new(exit, anyhow::Error::msg(text.into()))
    }

    /// Ends the command without a further word.
    pub(super) fn silent(exit: Exit) -> Self {
        Self { exit, error: None, hint: None }
    }

    /// Adds what to do now.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The error with all its causes, on one line.
    pub(super) fn text(&self) -> Option<String> {
        self.error.as_ref().map(|error| Chain(error.as_ref()).to_string())
    }
}

/// Anything else that can go wrong below ends with 1.
macro_rules! failed {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(Exit::Failed, error)
            }
        })+
    };
}
failed!(
    anyhow::Error,
    std::io::Error,
    serde_json::Error,
    DataDirError,
    crate::access::KeyError,
    crate::capture::CaptureError,
    crate::store::SealError,
    crate::store::StoreError,
);

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::BadConfig, error)
    }
}

/// The problems speak for themselves: place, message, line, suggestion.
impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        let count = problems.len();
        let text = format!("{problems}\n{count} problem(s), nothing was started or changed");
        Self::say(Exit::BadConfig, text)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::NotRunning
            | ClientError::Forbidden { .. }
            | ClientError::Io { .. }
            | ClientError::Http(_)
            | ClientError::Late => Exit::Unreachable,
            ClientError::Refused { .. } if error.errcode().is_some() => Exit::Platform,
            ClientError::Refused { status, .. } if *status == http::StatusCode::BAD_REQUEST => {
                Exit::Usage
            }
            ClientError::Refused { .. } | ClientError::Nonsense => Exit::Failed,
        };
        let hint = error.hint().map(ToOwned::to_owned);
        Self { hint, ..Self::new(exit, error) }
    }
}

/// Help and version go to stdout with 0, a wrong command line to stderr with 2.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to be told if that fails.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// Says that a boxed error ended a command.
pub(super) fn because(text: &str, error: impl Error + Send + Sync + 'static) -> Failure {
    Failure::new(Exit::Failed, anyhow::Error::new(error).context(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shell_can_tell_why_a_request_failed() {
        let refused = |status, answer| ClientError::Refused { status, answer };
        for (error, exit) in [
            (ClientError::NotRunning, Exit::Unreachable),
            (ClientError::Late, Exit::Unreachable),
            (ClientError::Nonsense, Exit::Failed),
            (refused(StatusCode::BAD_REQUEST, json!({"error": "x"})), Exit::Usage),
            (refused(StatusCode::CONFLICT, json!({"error": "x"})), Exit::Failed),
            (refused(StatusCode::BAD_GATEWAY, json!({"errcode": 40164})), Exit::Platform),
            (refused(StatusCode::BAD_GATEWAY, json!({"errcode": null})), Exit::Failed),
        ] {
            let text = error.to_string();
            assert_eq!(Failure::from(error).exit, exit, "{text}");
        }
    }

    #[test]
    fn the_hint_of_the_gateway_is_kept_and_causes_are_told() {
        let answer = json!({"error": "no such key", "hint": "look at the list"});
        let failure = Failure::from(ClientError::Refused { status: StatusCode::NOT_FOUND, answer });
        assert_eq!(failure.text().as_deref(), Some("no such key"));
        assert_eq!(failure.hint.as_deref(), Some("look at the list"));
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let text = because("cannot write x", denied).text().unwrap();
        assert_eq!(text, "cannot write x: permission denied");
    }
}
