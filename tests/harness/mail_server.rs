//! A real mail server on a loopback port: it speaks SMTP (by `mailin`'s state machine), over TLS when asked, and
//! does what a scenario says: takes mails, puts them off, refuses them, hangs up, or is silent.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What signs in.
pub const USERNAME: &str = "shop";
pub const PASSWORD: &str = "a mail password";

/// What the server does with a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Behaviour {
    #[default]
    Accept,
    /// Answers so when it is told the recipient.
    AtRecipient(u16, &'static str),
    /// Answers so when it has the whole mail, which it throws away.
    AfterMail(u16, &'static str),
    /// Hangs up when it is told the recipient.
    HangUpBefore,
    /// Takes the whole mail, and hangs up instead of saying so.
    HangUpAfter,
    /// Has the whole mail, and says so only when it is [released](MailServer::release).
    Silent,
}

/// A mail that the server took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: String,
    pub raw: Vec<u8>,
    pub encrypted: bool,
    /// Who had signed in.
    pub user: Option<String>,
}

impl Taken {
    /// The value of a header, unfolded and as it is on the wire.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.raw).replace("\r\n ", " ").replace("\r\n\t", " ");
        let head = text.split("\r\n\r\n").next().unwrap_or_default().to_owned();
        head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    #[must_use]
    pub fn message_id(&self) -> String {
        self.header("Message-ID").expect("a Message-ID")
    }

    #[must_use]
    pub fn subject(&self) -> String {
        let mail = mail_parser::MessageParser::default().parse(&self.raw).expect("a mail that parses");
        mail.subject().unwrap_or_default().to_owned()
    }
}

/// How the server is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Plain,
    /// By STARTTLS, with a password.
    StartTls,
    /// From the first byte, with a password.
    Wrapper,
}

/// Ends when it is dropped.
pub struct MailServer {
    pub address: SocketAddr,
    security: Security,
    state: Arc<State>,
    /// Its own certificate, in PEM.
    certificate: Option<String>,
    serving: tokio::task::JoinHandle<()>,
    released: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    taken: Mutex<Vec<Taken>>,
    always: Mutex<Behaviour>,
    to: Mutex<BTreeMap<String, Behaviour>>,
    connections: Mutex<u64>,
    arrived: watch::Sender<usize>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MailServer {
    pub async fn start(security: Security) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self::serve(listener, security)
    }

    /// On the port of a server that has ended.
    pub async fn start_again(address: SocketAddr, security: Security) -> Self {
        loop {
            match TcpListener::bind(address).await {
                Ok(listener) => return Self::serve(listener, security),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// A certificate for `localhost` that it signed itself, and its key, in PEM.
    #[must_use]
    pub fn certificate() -> (String, String) {
        let made = certificate();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn serve(listener: TcpListener, security: Security) -> Self {
        let address = listener.local_addr().expect("an address");
        let (acceptor, certificate) = match security {
            Security::Plain => (None, None),
            Security::StartTls | Security::Wrapper => {
                let (acceptor, certificate) = tls();
                (Some(acceptor), Some(certificate))
            }
        };
        let state = Arc::new(State::default());
        let released = watch::Sender::new(0);
        let serving = tokio::spawn({
            let (state, released) = (Arc::clone(&state), released.subscribe());
            async move {
                // Connections end with the server.
                let mut open = tokio::task::JoinSet::new();
                while let Ok((stream, peer)) = listener.accept().await {
                    *lock(&state.connections) += 1;
                    let talk = Talk {
                        state: Arc::clone(&state),
                        released: released.clone(),
                        acceptor: acceptor.clone(),
                        security,
                    };
                    open.spawn(async move {
                        // A client that hangs up is no fault of the server's.
                        let _ = talk.serve(stream, peer.ip()).await;
                    });
                }
            }
        });
        Self { address, security, state, certificate, serving, released }
    }

    /// The lines of `cartwright.toml` by which a host in `folder` uses this server.
    #[must_use]
    pub fn toml(&self) -> String {
        let port = self.address.port();
        let secret = "username = \"shop\"\npassword = { file = \"smtp.secret\" }\nca_file = \"mail-ca.pem\"";
        match self.security {
            Security::Plain => format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"),
            Security::StartTls => format!("[smtp]\nhost = \"localhost\"\nport = {port}\n{secret}\n"),
            Security::Wrapper => {
                format!("[smtp]\nhost = \"localhost\"\nport = {port}\ntls = \"wrapper\"\n{secret}\n")
            }
        }
    }

    /// The files that those lines name, by their path in the host's folder.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, String)> {
        let certificate = self.certificate.clone().map(|pem| (Path::new("mail-ca.pem").to_owned(), pem));
        let password = (Path::new("smtp.secret").to_owned(), format!("{PASSWORD}\n"));
        certificate.into_iter().chain([password]).collect()
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *lock(&self.state.always) = behaviour;
    }

    /// With mails to one address.
    pub fn behave_to(&self, address: &str, behaviour: Behaviour) {
        lock(&self.state.to).insert(address.to_owned(), behaviour);
    }

    /// Lets those go on that are [silent](Behaviour::Silent).
    pub fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        lock(&self.state.taken).clone()
    }

    #[must_use]
    pub fn connections(&self) -> u64 {
        *lock(&self.state.connections)
    }

    /// How often each mail came, by its Message-ID.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for mail in self.taken() {
            *counts.entry(mail.message_id()).or_default() += 1;
        }
        counts
    }

    /// Waits until so many mails have arrived in all.
    pub async fn arrived(&self, count: usize) {
        let mut arrived = self.state.arrived.subscribe();
        arrived.wait_for(|so_far| *so_far >= count).await.expect("the server runs");
    }

    /// Ends it, and hangs up on everybody.
    pub async fn stop(self) -> SocketAddr {
        self.serving.abort();
        self.address
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate")
}

fn tls() -> (TlsAcceptor, String) {
    let made = certificate();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate that fits its key");
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection.
struct Talk {
    state: Arc<State>,
    released: watch::Receiver<u64>,
    acceptor: Option<TlsAcceptor>,
    security: Security,
}

/// What the connection is to do when the state machine has answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Deed {
    #[default]
    Answer,
    HangUp,
    Wait,
    /// Answers so instead: the state machine stays within the mail when it is the one that refuses it.
    Refuse(u16, &'static str),
}

impl Talk {
    async fn serve(mut self, stream: TcpStream, peer: IpAddr) -> std::io::Result<()> {
        let deed = Arc::new(Mutex::new(Deed::Answer));
        let encrypted = Arc::new(Mutex::new(self.security == Security::Wrapper));
        let clerk = Clerk {
            state: Arc::clone(&self.state),
            deed: Arc::clone(&deed),
            encrypted: Arc::clone(&encrypted),
            must_encrypt: self.security == Security::StartTls,
            user: None,
            taking: None,
        };
        let mut builder = SessionBuilder::new("mail.test");
        match self.security {
            Security::Plain => {}
            Security::StartTls => {
                builder.enable_start_tls().enable_auth(AuthMechanism::Plain);
            }
            Security::Wrapper => {
                builder.enable_auth(AuthMechanism::Plain).insecure_enable_plaintext_auth();
            }
        }
        let mut session = builder.build(peer, clerk);
        let stream: Box<dyn Stream> = match (&self.acceptor, self.security) {
            (Some(acceptor), Security::Wrapper) => Box::new(acceptor.accept(stream).await?),
            _ => Box::new(stream),
        };
        let mut stream = BufReader::new(stream);
        write(&mut stream, &session.greeting()).await?;
        loop {
            let mut line = Vec::new();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let mut response = session.process(&line);
            let next = std::mem::take(&mut *lock(&deed));
            match next {
                Deed::Answer => {}
                Deed::HangUp => return Ok(()),
                Deed::Refuse(code, text) => response = Response::custom(code, text.to_owned()),
                Deed::Wait => {
                    let _ = self.released.changed().await;
                }
            }
            match response.action {
                Action::NoReply => {}
                Action::Reply => write(&mut stream, &response).await?,
                Action::Close => return write(&mut stream, &response).await,
                Action::UpgradeTls => {
                    write(&mut stream, &response).await?;
                    let acceptor = self.acceptor.as_ref().expect("STARTTLS is offered with a certificate");
                    let plain = stream.into_inner();
                    stream = BufReader::new(Box::new(acceptor.accept(plain).await?) as Box<dyn Stream>);
                    session.tls_active();
                    *lock(&encrypted) = true;
                }
            }
        }
    }
}

async fn write(stream: &mut BufReader<Box<dyn Stream>>, response: &Response) -> std::io::Result<()> {
    let mut text = Vec::new();
    response.write_to(&mut text)?;
    stream.write_all(&text).await?;
    stream.flush().await
}

/// Decides what is answered.
struct Clerk {
    state: Arc<State>,
    deed: Arc<Mutex<Deed>>,
    encrypted: Arc<Mutex<bool>>,
    must_encrypt: bool,
    user: Option<String>,
    taking: Option<Taken>,
}

impl Clerk {
    fn behaviour(&self, to: &str) -> Behaviour {
        let own = lock(&self.state.to).get(to).cloned();
        own.unwrap_or_else(|| lock(&self.state.always).clone())
    }

    fn to(&self) -> String {
        self.taking.as_ref().map(|mail| mail.to.clone()).unwrap_or_default()
    }
}

impl Handler for Clerk {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        let encrypted = *lock(&self.encrypted);
        if self.must_encrypt && !encrypted {
            return Response::custom(530, "5.7.0 Must issue a STARTTLS command first".to_owned());
        }
        let user = self.user.clone();
        self.taking =
            Some(Taken { from: from.to_owned(), to: String::new(), raw: Vec::new(), encrypted, user });
        mailin::response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if let Some(mail) = &mut self.taking {
            to.clone_into(&mut mail.to);
        }
        match self.behaviour(to) {
            Behaviour::AtRecipient(code, text) => Response::custom(code, text.to_owned()),
            Behaviour::HangUpBefore => {
                *lock(&self.deed) = Deed::HangUp;
                mailin::response::OK
            }
            _ => mailin::response::OK,
        }
    }

    fn data(&mut self, line: &[u8]) -> std::io::Result<()> {
        if let Some(mail) = &mut self.taking {
            mail.raw.extend_from_slice(line);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let behaviour = self.behaviour(&self.to());
        if let Behaviour::AfterMail(code, text) = behaviour {
            *lock(&self.deed) = Deed::Refuse(code, text);
            return mailin::response::OK;
        }
        if let Some(mail) = self.taking.take() {
            lock(&self.state.taken).push(mail);
            self.state.arrived.send_modify(|count| *count += 1);
        }
        *lock(&self.deed) = match behaviour {
            Behaviour::HangUpAfter => Deed::HangUp,
            Behaviour::Silent => Deed::Wait,
            _ => Deed::Answer,
        };
        mailin::response::OK
    }

    fn auth_plain(&mut self, _: &str, name: &str, password: &str) -> Response {
        if (name, password) == (USERNAME, PASSWORD) {
            self.user = Some(name.to_owned());
            mailin::response::AUTH_OK
        } else {
            Response::custom(535, "5.7.8 Authentication credentials invalid".to_owned())
        }
    }
}
