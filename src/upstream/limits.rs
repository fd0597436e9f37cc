//! How long each part of a try may take.

use std::time::Duration;

/// Time limits of one try; those of connecting belong to the connector.
///
/// `header` and `total` count from the end of the request's body, so an upload that makes
/// progress may last as long as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// Waiting for one of `max_connections`.
    pub queue: Duration,
    /// The upstream reads nothing of the request while there is something to read.
    pub upload_stall: Duration,
    /// From the end of the request, or from the connection if that came later, to the
    /// head of the answer.
    pub header: Duration,
    /// From the end of the request to the head of the answer, with all that lies between:
    /// the queue and connecting too when the whole body is at hand from the start. Over
    /// several tries the caller passes on what is left.
    pub total: Duration,
    /// Between two parts of the answer's body.
    pub body_idle: Duration,
}

impl Default for SendLimits {
    fn default() -> Self {
        let half_a_minute = Duration::from_secs(30);
        Self {
            queue: Duration::from_secs(10),
            upload_stall: half_a_minute,
            header: half_a_minute,
            total: Duration::from_secs(120),
            body_idle: half_a_minute,
        }
    }
}
