//! A request read from the wire as a whole, within bounds.

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::Call;

/// Shares the memory for bodies among all connections.
#[derive(Clone, Debug)]
pub(super) struct Intake(Arc<Semaphore>);

/// A call, with its share of the memory for as long as it is held.
pub(super) struct Taken {
    /// The call.
    pub(super) call: Call,
    _share: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Untaken {
    /// Longer than [`CAP_BYTES`]: the platform says 45001.
    TooLarge,
    /// No memory came free in time: the platform is busy.
    Busy,
    /// The client broke off or stalled; nobody waits for an answer.
    Gone,
}

impl Intake {
    /// With all memory free.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(SHARED_BYTES / SHARE_BYTES)))
    }

    /// Reads all of `request`.
    pub(super) async fn take(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> Result<Taken, Untaken> {
        let (head, body) = request.into_parts();
        let (body, share) = self.read(body).await?;
        let call = Call {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
            peer,
        };
        Ok(Taken { call, _share: share })
    }

    async fn read(
        &self,
        mut body: Incoming,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Untaken> {
        let announced = body.size_hint().exact().unwrap_or(0);
        if announced > CAP_BYTES as u64 {
            skip(&mut body).await;
            return Err(Untaken::TooLarge);
        }
        let mut share: Option<OwnedSemaphorePermit> = None;
        let mut whole = BytesMut::new();
        while let Some(data) = next_data(&mut body).await? {
            if whole.is_empty() && body.is_end_stream() {
                return Ok((data, share));
            }
            if whole.len() + data.len() > CAP_BYTES {
                skip(&mut body).await;
                return Err(Untaken::TooLarge);
            }
            self.cover(&mut share, whole.len() + data.len()).await?;
            whole.extend_from_slice(&data);
        }
        Ok((whole.freeze(), share))
    }

    /// Takes as many shares as `bytes` need. Small bodies need none: their number is bounded
    /// by that of connections and streams.
    async fn cover(
        &self,
        share: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), Untaken> {
        let held = share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = (bytes / SHARE_BYTES).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let more = timeout(PATIENCE, self.0.clone().acquire_many_owned(missing)).await;
        let more = more.map_err(|_| Untaken::Busy)?.map_err(|_| Untaken::Busy)?;
        match share {
            Some(share) => share.merge(more),
            None => *share = Some(more),
        }
        Ok(())
    }
}

async fn next_data(body: &mut Incoming) -> Result<Option<Bytes>, Untaken> {
    loop {
        match timeout(PATIENCE, body.frame()).await {
            Err(_) | Ok(Some(Err(_))) => return Err(Untaken::Gone),
            Ok(None) => return Ok(None),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Reads on for a moment, so that a client that is still sending gets to see the answer.
async fn skip(body: &mut Incoming) {
    let reading = async { while let Ok(Some(_)) = next_data(body).await {} };
    // Whatever is left then, hyper ends by closing the connection.
    drop(timeout(SKIP_LIMIT, reading).await);
}

/// The longest body that is read; no call of the platform takes as much.
pub(super) const CAP_BYTES: usize = 100 << 20;
const SHARED_BYTES: usize = 256 << 20;
const SHARE_BYTES: usize = 64 << 10;
/// Between two pieces of a body, and for memory.
const PATIENCE: Duration = Duration::from_secs(15);
const SKIP_LIMIT: Duration = Duration::from_secs(5);
