//! What the system tells the process to do.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::{Failure, because};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGTERM or SIGINT: end in order; a second time: at once.
    Stop,
}

/// The signals that the program listens to. While it lives, none of them kills the process.
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen. Must be called on a runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| because("cannot listen to signals", error));
        Ok(Self {
            hangup: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// The next wish.
    pub(super) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.hangup.recv() => Wish::Reload,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
        }
    }
}

/// Ends when the process is told to stop.
///
/// # Errors
/// When the system refuses to tell.
pub(super) async fn wait_for_stop() -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    while signals.next().await != Wish::Stop {}
    Ok(())
}
