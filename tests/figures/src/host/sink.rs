//! A channel that carries messages nowhere.

use async_trait::async_trait;
use cartwright::messages::channels::{Channel, ChannelError, Parcel, Receipt};

pub struct Sink;

#[async_trait]
impl Channel for Sink {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        Ok(Receipt { message_id: parcel.id.clone() })
    }
}
