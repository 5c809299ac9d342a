//! Names become addresses here, and connections go to the very addresses that were looked at: a name that
//! answers otherwise the next time (DNS rebinding) gains nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{Reach, reach};
use super::lanes::Place;

/// Addresses of a name that are looked at; more are not used.
const ADDRESSES: usize = 32;

/// Asks for a name's addresses.
#[async_trait]
pub trait Lookup: Send + Sync {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
pub struct System;

#[async_trait]
impl Lookup for System {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// An address that the host does not go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfBounds {
    pub(super) reach: Reach,
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reach {
            Reach::Private => {
                "its address is private; if it may be asked, write `allow_private = true` for this host"
            }
            _ => "its address is of a kind that no plugin may ask, like a cloud's metadata",
        })
    }
}

impl std::error::Error for OutOfBounds {}

/// Whether an address may be connected to.
pub(super) fn within(address: IpAddr, allow_private: bool) -> Result<(), OutOfBounds> {
    match reach(address) {
        Reach::Public => Ok(()),
        Reach::Private if allow_private => Ok(()),
        reach => Err(OutOfBounds { reach }),
    }
}

/// What the HTTP client resolves with.
pub(super) struct Guarded {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) allow_private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allow_private) = (Arc::clone(&self.lookup), self.allow_private);
        let place = Place::current();
        // A task of its own, which goes on when nobody waits any more: names that take for ever fill their own
        // plugin's places, and not the threads of the host.
        let looking = tokio::spawn(async move {
            let _place = place;
            lookup.lookup(name.as_str()).await
        });
        Box::pin(async move {
            let mut addresses = looking.await??;
            addresses.truncate(ADDRESSES);
            // One that is out of bounds among others is no mistake of the server's owner.
            for address in &addresses {
                within(*address, allow_private)?;
            }
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
