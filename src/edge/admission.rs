//! How many connections there may be: in all, and for one client.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::cidr::plain;

/// Gives out the right to hold a connection.
#[derive(Debug)]
pub(super) struct Admission {
    permits: Arc<Semaphore>,
    seats: Arc<Seats>,
    open: Gauge,
}

/// The right to hold one connection; ends when dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    _permit: OwnedSemaphorePermit,
    seat: Option<(Arc<Seats>, IpAddr)>,
    open: Gauge,
}

/// Connections by client network; only clients that have one are in the map.
#[derive(Debug)]
struct Seats {
    taken: Mutex<HashMap<IpAddr, usize>>,
    most: usize,
}

impl Admission {
    pub(super) fn new(most: usize, most_of_one: usize, open: Gauge) -> Self {
        let seats = Seats { taken: Mutex::default(), most: most_of_one };
        Self { permits: Arc::new(Semaphore::new(most)), seats: Arc::new(seats), open }
    }

    /// A permit if one is free now.
    pub(super) fn try_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// The next permit that becomes free.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    /// Lets `client` in; none when it has too many connections already. `unlimited` is for
    /// those behind whom many clients stand: trusted proxies, and this host itself.
    pub(super) fn admit(
        &self,
        permit: OwnedSemaphorePermit,
        client: IpAddr,
        unlimited: bool,
    ) -> Option<Ticket> {
        let seat = if unlimited {
            None
        } else {
            let network = network_of(client);
            if !self.seats.take(network) {
                return None;
            }
            Some((Arc::clone(&self.seats), network))
        };
        self.open.inc();
        Some(Ticket { _permit: permit, seat, open: self.open.clone() })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.open.dec();
        if let Some((seats, network)) = &self.seat {
            seats.leave(*network);
        }
    }
}

impl Seats {
    /// Whether there was a place.
    fn take(&self, network: IpAddr) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_insert(0);
        let free = *count < self.most;
        if free {
            *count += 1;
        }
        free
    }

    fn leave(&self, network: IpAddr) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = taken.entry(network) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// One IPv4 address, or the /64 that one IPv6 household has.
fn network_of(client: IpAddr) -> IpAddr {
    match plain(client) {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

/// How many connections this process may hold: [`MOST`], or fewer if its file descriptors do
/// not suffice. Some are kept for the upstream, the databases and the log.
pub(super) fn most_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    open_files(&limits).map_or(MOST, share_of)
}

fn share_of(files: usize) -> usize {
    (files - RESERVED.min(files / 4)).clamp(LEAST, MOST)
}

/// The soft limit of `Max open files`; none when it is unlimited or unknown.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// At 20 KiB each, 320 MiB when all are idle.
const MOST: usize = 16_000;
/// Even a process that may open next to nothing should answer its health check.
const LEAST: usize = 16;
/// File descriptors for everything else; a quarter of all where there are few.
const RESERVED: usize = 256;
/// Connections of one client network. A whole team may stand behind one address.
pub(super) const MOST_OF_ONE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_gets_its_share_and_a_place_that_is_left_is_free_again() {
        let admission = Admission::new(10, 2, Gauge::default());
        let enter = |client: &str, unlimited| {
            admission.admit(admission.try_permit().unwrap(), client.parse().unwrap(), unlimited)
        };
        let first = enter("2001:db8::1", false);
        let second = enter("2001:db8::2", false);
        assert!(first.is_some() && second.is_some());
        assert!(enter("2001:db8::3", false).is_none(), "the same /64");
        assert!(enter("2001:db8:0:1::3", false).is_some());
        assert!(enter("2001:db8::3", true).is_some());
        drop(second);
        assert!(enter("2001:db8::3", false).is_some());
        assert_eq!(admission.open.get(), 1);
        drop(first);
        assert!(admission.seats.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn permits_are_bounded_and_come_back() {
        let admission = Admission::new(1, 1, Gauge::default());
        let permit = admission.try_permit();
        assert!(permit.is_some() && admission.try_permit().is_none());
        drop(permit);
        assert!(admission.try_permit().is_some());
    }

    #[test]
    fn the_limit_of_open_files_is_read() {
        let text = "Limit   Soft Limit  Hard Limit  Units\n\
                    Max open files            300                  4096                 files\n";
        assert_eq!(open_files(text), Some(300));
        assert_eq!(open_files("Max open files   unlimited   unlimited files"), None);
        assert_eq!((share_of(300), share_of(1024), share_of(1 << 20)), (225, 768, MOST));
        assert!((LEAST..=MOST).contains(&most_connections()));
    }
}
