//! What is told of a panic: where, and what the code itself says.

use std::{any::Any, io::Write as _, panic::PanicHookInfo};

/// A panic without what was formatted into its message: that may be of a request or a secret,
/// and no search knows everything. The place tells the rest, and no backtrace is printed.
pub(super) struct Told {
    message: &'static str,
    place: String,
    thread: String,
}

impl Told {
    /// What may be told of a panic with this payload.
    pub(super) fn of(payload: &(dyn Any + Send), place: String) -> Self {
        let message = payload.downcast_ref::<&'static str>().copied().unwrap_or("(formatted)");
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        Self { message, place, thread }
    }
}

impl From<&PanicHookInfo<'_>> for Told {
    fn from(panic: &PanicHookInfo<'_>) -> Self {
        Self::of(panic.payload(), panic.location().map(ToString::to_string).unwrap_or_default())
    }
}

/// For a process that has no log, or none yet.
pub(super) fn print_them() {
    std::panic::set_hook(Box::new(|panic| {
        let Told { message, place, thread } = Told::from(panic);
        // Nobody is left to be told if that fails.
        let _ = writeln!(
            std::io::stderr().lock(),
            "wxgate: a bug: thread {thread} panicked at {place}: {message}"
        );
    }));
}

/// For one that has: the line passes the redactor like any other.
pub(super) fn log_them() {
    std::panic::set_hook(Box::new(|panic| log(&Told::from(panic))));
}

/// Writes the line.
pub(super) fn log(Told { message, place, thread }: &Told) {
    tracing::error!(place, thread, message, "a bug: thread {thread} panicked at {place}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_formatted_into_a_message_is_not_told() {
        let literal: Box<dyn Any + Send> = Box::new("index out of bounds");
        let formatted: Box<dyn Any + Send> = Box::new("81_token is no good".to_owned());
        let other: Box<dyn Any + Send> = Box::new(7);
        let message = |payload: &Box<dyn Any + Send>| Told::of(&**payload, String::new()).message;
        assert_eq!(message(&literal), "index out of bounds");
        assert_eq!((message(&formatted), message(&other)), ("(formatted)", "(formatted)"));
    }
}
