//! Mails by SMTP (RFC 5321), through the mail server of `[smtp]`.
//!
//! The connections are lettre's, the pool is not: lettre's takes a connection back whose mail was given up
//! half way, and then takes the answer to that mail for the answer to the next. Here a connection that was
//! not used to its end is closed.

mod connection;
mod verdict;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::Instant;

use self::connection::Dialer;
use self::verdict::{Stage, Trouble};
use super::{Channel, ChannelError, Parcel, Receipt, mail};
use crate::config::SmtpConfig;

/// Servers close connections that say nothing for some minutes (RFC 5321, 4.5.3.2.7: five).
const IDLE: Duration = Duration::from_secs(30);

/// What became of the mail is known by then: it must not be lost to a server that is slow to get ready again.
const RESETTING: Duration = Duration::from_secs(2);

pub struct Smtp {
    dialer: Dialer,
    timeout: Duration,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Smtp {
    /// Reads the password and the certificates; the server is asked when there is a mail for it.
    pub fn open(config: &SmtpConfig, folder: &std::path::Path) -> anyhow::Result<Self> {
        Ok(Self {
            dialer: Dialer::new(config, folder)?,
            timeout: Duration::from_secs(config.timeout_seconds),
            idle: Mutex::default(),
        })
    }

    /// Connects and signs in, as for a mail, and says good-bye. The error names no secret.
    pub async fn greet(&self) -> Result<(), ChannelError> {
        let greeted = async {
            let mut connection = self.dialer.dial().await?;
            // The server is there; how it says good-bye does not matter.
            let _ = connection.quit().await;
            Ok::<_, Trouble>(())
        };
        match tokio::time::timeout(self.timeout, greeted).await {
            Ok(greeted) => greeted.map_err(|trouble| trouble.verdict("")),
            Err(_) => Err(self.too_slow()),
        }
    }

    fn too_slow(&self) -> ChannelError {
        ChannelError::Later(format!("the mail server took longer than {} s", self.timeout.as_secs()))
    }

    /// An open connection, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Trouble> {
        while let Some((mut connection, since)) = self.take() {
            // The server may have closed it.
            if since.elapsed() < IDLE && connection.test_connected().await {
                return Ok(connection);
            }
        }
        self.dialer.dial().await
    }

    fn take(&self) -> Option<(AsyncSmtpConnection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, connection: AsyncSmtpConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
    }

    async fn hand_over(&self, mail: &mail::Mail) -> Result<(), Trouble> {
        let mut connection = self.connection().await?;
        let outcome = connection::hand_over(&mut connection, mail).await;
        let in_step = match &outcome {
            Ok(()) => true,
            // It answered, so the connection is where both sides think it is.
            Err(trouble) => {
                trouble.was_answered()
                    && tokio::time::timeout(RESETTING, connection::reset(&mut connection)).await == Ok(true)
            }
        };
        if in_step {
            self.put_back(connection);
        }
        outcome
    }
}

#[async_trait]
impl Channel for Smtp {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        let mail = mail::compose(parcel)?;
        // Given up half way, the server may have the mail or not: it is sent again under the same Message-ID.
        match tokio::time::timeout(self.timeout, self.hand_over(&mail)).await {
            Ok(Ok(())) => Ok(Receipt { message_id: mail.message_id }),
            Ok(Err(trouble)) => Err(trouble.verdict(&parcel.to_address)),
            Err(_) => Err(self.too_slow()),
        }
    }
}

/// The stage is known to whoever speaks to the server.
fn at(stage: Stage) -> impl Fn(lettre::transport::smtp::Error) -> Trouble {
    move |error| Trouble::new(stage, &error)
}
