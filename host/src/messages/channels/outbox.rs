//! The folder of `.eml` files: mails as a person or a test can read them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Channel, ChannelError, Parcel, Receipt};

/// Writes `<folder>/<n>-<slug>.eml` and `.html`, whole or not at all.
#[derive(Clone)]
pub struct Outbox {
    folder: PathBuf,
    written: Arc<Mutex<()>>,
}

impl Outbox {
    /// Makes the folder when it is not there.
    pub fn open(folder: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, written: Arc::default() })
    }
}

#[async_trait]
impl Channel for Outbox {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        let _ = (parcel, &self.folder, &self.written);
        todo!()
    }
}
