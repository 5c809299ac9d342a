//! How many connections there are, in all and from each address: who takes them all is refused, not served.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::HttpLimits;

/// Counts what is open. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why there is no place for one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    All,
    Address,
}

/// One open connection; it is closed when this is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Connections,
    address: IpAddr,
}

impl Connections {
    /// A place for a connection from this address, if there is one.
    pub fn enter(&self, from: IpAddr, limits: &HttpLimits) -> Result<Place, Full> {
        let address = counted(from);
        let mut counts = self.counts();
        if counts.all >= limits.connections as usize {
            return Err(Full::All);
        }
        let of_address = counts.by_address.get(&address).copied().unwrap_or(0);
        if of_address >= limits.connections_per_address as usize {
            return Err(Full::Address);
        }
        counts.all = counts.all.saturating_add(1);
        counts.by_address.insert(address, of_address.saturating_add(1));
        metrics::gauge!("cartwright_http_connections").increment(1.0);
        Ok(Place { connections: self.clone(), address })
    }

    /// Connections that are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.counts().all
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.connections.counts();
        counts.all = counts.all.saturating_sub(1);
        let left = counts.by_address.get(&self.address).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            counts.by_address.remove(&self.address);
        } else {
            counts.by_address.insert(self.address, left);
        }
        drop(counts);
        metrics::gauge!("cartwright_http_connections").decrement(1.0);
    }
}

/// One customer of a provider has a whole /64 of IPv6.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_places_for_all_and_fewer_for_one() {
        let limits = HttpLimits { connections: 3, connections_per_address: 2, ..HttpLimits::default() };
        let connections = Connections::default();
        let enter = |address: &str| connections.enter(address.parse().unwrap(), &limits);
        let one = enter("192.0.2.1").unwrap();
        let _mapped = enter("::ffff:192.0.2.1").unwrap();
        assert_eq!(enter("192.0.2.1").unwrap_err(), Full::Address);
        let _other = enter("2001:db8::1").unwrap();
        assert_eq!(enter("2001:db8:0:1::1").unwrap_err(), Full::All);
        assert_eq!(connections.count(), 3);
        drop(one);
        let _neighbour = enter("2001:db8::ffff:2").unwrap();
        assert_eq!(enter("192.0.2.9").unwrap_err(), Full::All);
    }

    #[test]
    fn who_left_leaves_nothing_behind() {
        let limits = HttpLimits::default();
        let connections = Connections::default();
        for last in 0..=255 {
            drop(connections.enter(IpAddr::from([192, 0, 2, last]), &limits).unwrap());
        }
        assert_eq!(connections.count(), 0);
        assert!(connections.counts().by_address.is_empty());
    }
}
