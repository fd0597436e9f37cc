//! The listening end of `data/control.sock`.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
};

use super::{api::Api, error::ControlError, router::router, socket_path::SocketPath};
use crate::base::tasks::Tasks;

/// The name of the socket in the data folder.
pub const SOCKET: &str = "control.sock";

/// Binds the socket and answers on it until `tasks` stop. The caller holds the lock of the data
/// folder, so a socket that is there already was left behind by a gateway that was killed.
///
/// # Errors
/// [`ControlError::Bind`].
pub fn serve(path: &Path, api: Api, tasks: &Tasks) -> Result<(), ControlError> {
    let door =
        Door::open(path).map_err(|source| ControlError::Bind { path: path.to_owned(), source })?;
    tasks.spawn(door.accept_until_stopped(api, tasks.clone()));
    Ok(())
}

struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Who made the socket: this process.
    owner: u32,
    slots: Arc<Semaphore>,
}

impl Door {
    fn open(path: &Path) -> io::Result<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(SocketPath::of(path)?.as_path())?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let owner = fs::metadata(path)?.uid();
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        Ok(Self { listener, path: path.to_owned(), owner, slots })
    }

    async fn accept_until_stopped(self, api: Api, tasks: Tasks) {
        let service = router(api);
        loop {
            let accepted = tokio::select! {
                () = tasks.stopping() => break,
                accepted = self.listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the control socket cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(slot) = self.slots.clone().try_acquire_owned() else {
                tracing::warn!("more than {CONNECTIONS} control connections; one was closed");
                continue;
            };
            if self.is_friend(&stream) {
                let connection = answer(stream, service.clone(), tasks.clone());
                tasks.spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
        }
        // Gone or not: the next gateway removes what is there.
        let _ = fs::remove_file(&self.path);
    }

    /// The owner, or root, who can read everything in the folder anyway. The mode of the socket
    /// says the same; this holds also where a file system does not keep modes.
    fn is_friend(&self, stream: &UnixStream) -> bool {
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == self.owner || peer.uid() == 0 => true,
            Ok(peer) => {
                tracing::warn!(
                    peer.uid = peer.uid(),
                    "a stranger was turned away from the control socket"
                );
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a control connection without credentials was closed");
                false
            }
        }
    }
}

async fn answer(stream: UnixStream, service: axum::Router, tasks: Tasks) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = tasks.stopping() => {
            // What is under way gets its answer; streams end by themselves.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %crate::base::chain::Chain(&error), "a control connection broke off");
    }
}

/// Commands at once; each `tail` holds one.
const CONNECTIONS: usize = 64;

/// Until a request's head must be there; also how long a connection may idle.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// Out of descriptors: they come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
