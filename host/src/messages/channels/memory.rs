//! A channel that keeps what it is given: for tests.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Channel, ChannelError, Parcel, Receipt};

/// Cheap to clone; clones share what they hold.
#[derive(Clone, Default)]
pub struct Memory {
    parcels: Arc<Mutex<Vec<Parcel>>>,
    failing: Arc<Mutex<Option<ChannelError>>>,
}

impl Memory {
    /// All parcels so far, in the order they came.
    #[must_use]
    pub fn parcels(&self) -> Vec<Parcel> {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses every parcel with this error until it is set to `None`.
    pub fn fail_with(&self, error: Option<ChannelError>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

#[async_trait]
impl Channel for Memory {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        if let Some(error) = self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(error);
        }
        let mut parcels = self.parcels.lock().unwrap_or_else(PoisonError::into_inner);
        if !parcels.iter().any(|known| known.id == parcel.id) {
            parcels.push(parcel.clone());
        }
        Ok(Receipt { message_id: format!("<{}@memory>", parcel.id) })
    }
}
