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

/// Bytes that may be held at once.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    all: usize,
    of_address: usize,
}

impl Most {
    /// A quarter of all for one address; but one body, as long as it may be, always finds a place.
    pub fn of(limits: &HttpLimits) -> Self {
        let all = (limits.bodies_mib as usize).saturating_mul(1 << 20).max(limits.body_bytes);
        Self { all, of_address: (all / 4).max(limits.body_bytes) }
    }
}

/// Counts what is held. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Bodies(Arc<Mutex<Sums>>);

#[derive(Debug, Default)]
struct Sums {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
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
        let all = sums.all.saturating_add(bytes);
        let of_address = sums.by_address.get(&self.address).copied().unwrap_or(0).saturating_add(bytes);
        if all > most.all || of_address > most.of_address {
            return Err(Crowded);
        }
        sums.all = all;
        sums.by_address.insert(self.address, of_address);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let bytes = *self.bytes.get_mut();
        let mut sums = self.bodies.sums();
        sums.all = sums.all.saturating_sub(bytes);
        let left = sums.by_address.get(&self.address).copied().unwrap_or(0).saturating_sub(bytes);
        if left == 0 {
            sums.by_address.remove(&self.address);
        } else {
            sums.by_address.insert(self.address, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const MOST: Most = Most { all: 400, of_address: 100 };

    async fn read(bodies: &Bodies, address: u8, bytes: usize) -> (Option<Arc<Share>>, bool) {
        let from = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
        let (request, share) = bodies.weigh(Request::new(Body::from(vec![b'x'; bytes])), from, MOST);
        let read = axum::body::to_bytes(request.into_body(), usize::MAX).await;
        (share, read.map_err(|error| assert!(Crowded::is_cause(&error))).is_ok())
    }

    #[tokio::test]
    async fn an_address_holds_its_part_and_all_hold_what_there_is() {
        let bodies = Bodies::default();
        let (one, well) = read(&bodies, 1, 100).await;
        assert!(well);
        assert!(!read(&bodies, 1, 1).await.1, "its part is used up");
        let others: Vec<_> =
            futures::future::join_all((2..5).map(|address| read(&bodies, address, 100))).await;
        assert!(others.iter().all(|(_, well)| *well));
        assert!(!read(&bodies, 9, 1).await.1, "all is used up");
        drop(one);
        assert!(read(&bodies, 9, 100).await.1, "what is answered is given back");
        drop(others);
        let sums = bodies.sums();
        assert_eq!((sums.all, sums.by_address.len()), (0, 0));
    }
}
