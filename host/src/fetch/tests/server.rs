//! A server on loopback that answers with bytes, over TCP or TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Instead of an answer: the connection stays open and says nothing.
pub(super) const SILENCE: &[u8] = b"silence";

type Reply = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

#[derive(Default)]
struct Desk {
    asked: Mutex<Vec<String>>,
    came: Notify,
}

/// Gone when it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// An empty answer is silence.
    pub(super) async fn plain(reply: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::bytes(move |path| bytes(reply(path))).await
    }

    pub(super) async fn bytes(reply: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(None, Arc::new(reply)).await
    }

    pub(super) async fn tls(
        authority: &Authority,
        name: &str,
        reply: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self::start(Some(authority.acceptor(name)), Arc::new(move |path| bytes(reply(path)))).await
    }

    /// Gives back what it was asked.
    pub(super) async fn echo() -> Self {
        Self::start(None, Arc::new(|_| ECHO.to_vec())).await
    }

    async fn start(tls: Option<TlsAcceptor>, reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk::default());
        let shared = Arc::clone(&desk);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (desk, reply, tls) = (Arc::clone(&shared), Arc::clone(&reply), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, &desk, &reply).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &desk, &reply).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, desk, task }
    }

    pub(super) fn url(&self, name: &str, path: &str) -> String {
        format!("http://{name}:{}{path}", self.address.port())
    }

    pub(super) fn grant(&self, name: &str) -> String {
        format!("http://{name}:{}", self.address.port())
    }

    pub(super) fn secure_url(&self, name: &str, path: &str) -> String {
        format!("https://{name}:{}{path}", self.address.port())
    }

    pub(super) fn secure_grant(&self, name: &str) -> String {
        format!("{name}:{}", self.address.port())
    }

    /// Heads of the requests so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.desk.asked.lock().unwrap().clone()
    }

    pub(super) async fn until_asked(&self, times: usize) {
        loop {
            let came = self.desk.came.notified();
            if self.asked().len() >= times {
                return;
            }
            came.await;
        }
    }
}

const ECHO: &[u8] = b"echo";

fn bytes(text: String) -> Vec<u8> {
    if text.is_empty() { SILENCE.to_vec() } else { text.into_bytes() }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, desk: &Desk, reply: &Reply) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
            // The beginning of TLS, which this one does not speak.
            if head == [0x16] {
                return;
            }
            if head.len() > 64 << 10 {
                return;
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        desk.asked.lock().unwrap().push(head.clone());
        desk.came.notify_one();
        let mut answer = reply(&path);
        if answer == SILENCE {
            return std::future::pending().await;
        }
        if answer == ECHO {
            answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len()).into_bytes();
        }
        let whole = answer.windows(15).any(|window| window.eq_ignore_ascii_case(b"content-length:"));
        let broken = path == "/broken" || path == "/headers";
        if stream.write_all(&answer).await.is_err() || !whole || broken {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// One that signs certificates.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).unwrap().into();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Zeros, packed a thousand times smaller.
pub(super) fn gzip_bomb(bytes: usize) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let piece = vec![0; 1 << 16];
    for _ in 0..bytes / piece.len() {
        packed.write_all(&piece).unwrap();
    }
    packed.finish().unwrap()
}
