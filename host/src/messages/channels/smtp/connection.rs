//! One conversation with the mail server.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::ExposeSecret as _;

use super::at;
use super::verdict::{Stage, Trouble};
use crate::config::{SmtpConfig, SmtpTls};
use crate::messages::channels::mail::Mail;

/// Knows how to get to the server.
pub(super) struct Dialer {
    host: String,
    port: u16,
    mode: SmtpTls,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    helo: ClientId,
    timeout: Duration,
}

impl Dialer {
    pub fn new(config: &SmtpConfig, folder: &Path) -> anyhow::Result<Self> {
        let mut tls = TlsParameters::builder(config.host.clone());
        if let Some(file) = &config.ca_file {
            let file = folder.join(file);
            let pem = std::fs::read(&file)
                .with_context(|| format!("`smtp.ca_file` {} cannot be read", file.display()))?;
            let certificate = Certificate::from_pem(&pem)
                .ok()
                .filter(|_| pem.windows(10).any(|part| part == b"-----BEGIN"))
                .with_context(|| format!("`smtp.ca_file` {} holds no certificates in PEM", file.display()))?;
            tls = tls.add_root_certificate(certificate);
        }
        let credentials = match (&config.username, &config.password) {
            (Some(username), Some(password)) => {
                let password = password.read(folder).context("`smtp.password`")?;
                Some(Credentials::new(username.clone(), password.expose_secret().to_owned()))
            }
            _ => None,
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port(),
            mode: config.tls,
            tls: tls.build().context("TLS for the mail server cannot be set up")?,
            credentials,
            helo: config.helo.clone().map_or_else(ClientId::default, ClientId::Domain),
            timeout: Duration::from_secs(config.timeout_seconds),
        })
    }

    /// A connection that is encrypted as configured and signed in.
    pub async fn dial(&self) -> Result<AsyncSmtpConnection, Trouble> {
        let wrapper = (self.mode == SmtpTls::Wrapper).then(|| self.tls.clone());
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(self.timeout),
            &self.helo,
            wrapper,
            None,
        )
        .await
        .map_err(at(Stage::Connect))?;
        let starts = match self.mode {
            SmtpTls::Required => true,
            SmtpTls::Opportunistic => connection.can_starttls(),
            SmtpTls::Wrapper | SmtpTls::None => false,
        };
        if starts {
            if !connection.can_starttls() {
                return Err(Trouble::unable(Stage::Tls, "it offers no STARTTLS"));
            }
            connection.starttls(self.tls.clone(), &self.helo).await.map_err(at(Stage::Tls))?;
        }
        if let Some(credentials) = &self.credentials {
            if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
                return Err(Trouble::unable(Stage::Auth, "it takes no password by PLAIN or LOGIN"));
            }
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(at(Stage::Auth))?;
        }
        Ok(connection)
    }
}

pub(super) async fn hand_over(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), Trouble> {
    let mut parameters = Vec::new();
    if [&mail.from, &mail.to].into_iter().any(|address| !address.to_string().is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Trouble::unable(
                Stage::Recipient,
                "it takes no addresses with letters beyond ASCII (SMTPUTF8)",
            ));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    connection
        .command(MailFrom::new(Some(mail.from.clone()), parameters))
        .await
        .map_err(at(Stage::Sender))?;
    connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await.map_err(at(Stage::Recipient))?;
    connection.command(Data).await.map_err(at(Stage::Data))?;
    connection.message(&mail.bytes).await.map_err(at(Stage::Content))?;
    Ok(())
}

/// Ready for another mail; false when the server is not.
pub(super) async fn reset(connection: &mut AsyncSmtpConnection) -> bool {
    connection.command(Rset).await.is_ok()
}
