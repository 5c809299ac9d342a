//! What the bodies of requests hold of the host's memory, in all and of each address: when there is too much at
//! once, more is not read, and its sender is asked to come back. What is read as it comes and not kept (a
//! catalogue) is not counted.

use std::collections::HashMap;
use std::error::Error;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures::StreamExt as _;

use super::server::counted;
use crate::config::HttpLimits;

/// A cart of hundreds of lines: so far a body is short.
const SHORT: usize = 64 << 10;

/// Bytes that may be held at once.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Of what begins each body: a shop's questions find a place whatever others hold of long ones.
    short: Part,
    /// Of all beyond.
    long: Part,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    all: usize,
    of_address: usize,
}

impl Most {
    /// As many short ones as connections, though one of HTTP/2 may carry many; of the rest a quarter for one address.
    /// One body, as long as it may be, always finds a place.
    pub fn of(limits: &HttpLimits) -> Self {
        let short = |connections: u32| (connections as usize).saturating_mul(SHORT);
        let long = (limits.bodies_mib as usize).saturating_mul(1 << 20).max(limits.body_bytes);
        Self {
            short: Part { all: short(limits.connections), of_address: short(limits.connections_per_address) },
            long: Part { all: long, of_address: (long / 4).max(limits.body_bytes) },
        }
    }
}

/// Counts what is held. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Bodies(Arc<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    short: Sum,
    long: Sum,
}

#[derive(Debug, Default)]
struct Sum {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Sum {
    fn has_room(&self, address: IpAddr, bytes: usize, most: Part) -> bool {
        let of_address = self.by_address.get(&address).copied().unwrap_or(0);
        bytes == 0
            || (self.all.saturating_add(bytes) <= most.all
                && of_address.saturating_add(bytes) <= most.of_address)
    }

    fn add(&mut self, address: IpAddr, bytes: usize) {
        self.all += bytes;
        *self.by_address.entry(address).or_default() += bytes;
    }

    fn take_back(&mut self, address: IpAddr, bytes: usize) {
        self.all = self.all.saturating_sub(bytes);
        let left = self.by_address.get(&address).copied().unwrap_or(0).saturating_sub(bytes);
        if left == 0 {
            self.by_address.remove(&address);
        } else {
            self.by_address.insert(address, left);
        }
    }
}

/// Of so many bytes of a body, what is short and what is beyond.
fn parts(bytes: usize) -> (usize, usize) {
    (bytes.min(SHORT), bytes.saturating_sub(SHORT))
}

/// Others' bodies have to be answered first.
#[derive(Debug, thiserror::Error)]
#[error("the bodies of the requests that are under way take all the memory that they may")]
pub struct Crowded;

impl Crowded {
    /// Whether it is why a body broke off.
    pub fn is_cause(error: &(dyn Error + 'static)) -> bool {
        error.is::<Self>() || error.source().is_some_and(Self::is_cause)
    }
}

/// What one request holds, until this is dropped.
#[derive(Debug)]
pub struct Share {
    bodies: Bodies,
    address: IpAddr,
    bytes: AtomicUsize,
}

impl Bodies {
    /// The request with a body that counts as it is read; what it holds comes back with the share.
    pub fn weigh(&self, request: Request, from: IpAddr, most: Most) -> (Request, Option<Arc<Share>>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let share = Share { bodies: self.clone(), address: counted(from), bytes: AtomicUsize::new(0) };
        let share = Arc::new(share);
        let counting = Arc::clone(&share);
        let request = request.map(|body| {
            Body::from_stream(body.into_data_stream().map(move |chunk| {
                let chunk = chunk?;
                counting.take(chunk.len(), most).map_err(axum::Error::new)?;
                Ok::<_, axum::Error>(chunk)
            }))
        });
        (request, Some(share))
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    fn take(&self, bytes: usize, most: Most) -> Result<(), Crowded> {
        let mut sums = self.bodies.sums();
        let before = self.bytes.load(Ordering::Relaxed);
        let after = before.saturating_add(bytes);
        let (short, long) = (parts(after).0 - parts(before).0, parts(after).1 - parts(before).1);
        if !sums.short.has_room(self.address, short, most.short)
            || !sums.long.has_room(self.address, long, most.long)
        {
            return Err(Crowded);
        }
        sums.short.add(self.address, short);
        sums.long.add(self.address, long);
        self.bytes.store(after, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (short, long) = parts(*self.bytes.get_mut());
        let mut sums = self.bodies.sums();
        sums.short.take_back(self.address, short);
        sums.long.take_back(self.address, long);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const MOST: Most = Most {
        short: Part { all: 8 * SHORT, of_address: 2 * SHORT },
        long: Part { all: 400, of_address: 100 },
    };

    async fn read(bodies: &Bodies, address: u8, bytes: usize) -> (Option<Arc<Share>>, bool) {
        let from = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
        let (request, share) = bodies.weigh(Request::new(Body::from(vec![b'x'; bytes])), from, MOST);
        let read = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        (share, read.map_err(|error| assert!(Crowded::is_cause(&error))).is_ok())
    }

    fn nothing_is_held(bodies: &Bodies) -> bool {
        let sums = bodies.sums();
        [&sums.short, &sums.long].iter().all(|sum| sum.all == 0 && sum.by_address.is_empty())
    }

    #[tokio::test]
    async fn an_address_holds_its_part_and_all_hold_what_there_is() {
        let bodies = Bodies::default();
        let (one, well) = read(&bodies, 1, SHORT + 100).await;
        assert!(well);
        assert!(!read(&bodies, 1, SHORT + 1).await.1, "its part is used up");
        let others: Vec<_> =
            futures::future::join_all((2..5).map(|address| read(&bodies, address, SHORT + 100))).await;
        assert!(others.iter().all(|(_, well)| *well));
        assert!(!read(&bodies, 9, SHORT + 1).await.1, "all is used up");
        assert!(read(&bodies, 9, SHORT).await.1, "a short one finds a place whatever others hold");
        drop(one);
        assert!(read(&bodies, 9, SHORT + 100).await.1, "what is answered is given back");
        drop(others);
        assert!(nothing_is_held(&bodies));
    }

    #[tokio::test]
    async fn short_ones_are_counted_too() {
        let bodies = Bodies::default();
        let held: Vec<_> =
            futures::future::join_all([1, 1, 2, 2, 3, 3].map(|a| read(&bodies, a, SHORT))).await;
        assert!(held.iter().all(|(_, well)| *well));
        assert!(!read(&bodies, 1, 1).await.1, "its part is used up");
        let more: Vec<_> = futures::future::join_all([4, 5].map(|a| read(&bodies, a, SHORT))).await;
        assert!(more.iter().all(|(_, well)| *well));
        assert!(!read(&bodies, 9, 1).await.1, "all is used up");
        drop((held, more));
        assert!(nothing_is_held(&bodies));
    }
}
