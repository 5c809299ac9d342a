//! A shop's own system that webhooks are sent to: a real HTTP server on loopback that does as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What the server does about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This status, with these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// 200, with this body.
    Text(&'static str),
    /// Closes the connection without an answer.
    Drop,
    /// Never answers, until the server is dropped.
    Silence,
    /// 200, and a body that does not end.
    Flood,
}

impl Reply {
    /// A status without headers of its own.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new())
    }
}

/// A call as it came.
#[derive(Debug, Clone)]
pub struct Call {
    pub path: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Call {
    /// Panics when the header is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map_or_else(|| panic!("no {name}: {:?}", self.headers), |(_, value)| value)
    }

    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

#[derive(Debug, Default)]
struct Desk {
    /// What the next calls get.
    next: Mutex<VecDeque<Reply>>,
    /// What all others get; 200 when nothing is said.
    otherwise: Mutex<Option<Reply>>,
    calls: Mutex<Vec<Call>>,
    came: Notify,
}

/// A server; gone when it is dropped.
pub struct Receiver {
    address: std::net::SocketAddr,
    desk: Arc<Desk>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// On a free port; takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let desk = Arc::new(Desk::default());
        let shared = Arc::clone(&desk);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, desk, task }
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/webhooks", self.address)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next calls get these, one each.
    pub fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.desk.next.lock().expect("a desk").extend(replies);
    }

    /// From now on calls get this, when nothing else is said for them.
    pub fn always(&self, reply: Reply) {
        *self.desk.otherwise.lock().expect("a desk") = Some(reply);
    }

    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.desk.calls.lock().expect("a desk").clone()
    }

    /// Their topics.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.calls().iter().map(|call| call.json()["type"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until there are so many calls.
    pub async fn until(&self, calls: usize) -> Vec<Call> {
        let enough = async {
            loop {
                let mut came = std::pin::pin!(self.desk.came.notified());
                came.as_mut().enable();
                let so_far = self.calls();
                if so_far.len() >= calls {
                    return so_far;
                }
                came.await;
            }
        };
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, enough).await.expect("calls within a minute")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let mut stream = BufReader::new(stream);
    while let Some(call) = read(&mut stream).await {
        let said = desk.next.lock().expect("a desk").pop_front();
        let reply = said.or_else(|| desk.otherwise.lock().expect("a desk").clone());
        desk.calls.lock().expect("a desk").push(call);
        desk.came.notify_waiters();
        match reply.unwrap_or(Reply::status(200)) {
            Reply::Status(status, headers) => {
                let mut answer = format!("HTTP/1.1 {status} Told\r\ncontent-length: 2\r\n");
                for (name, value) in headers {
                    answer.push_str(&format!("{name}: {value}\r\n"));
                }
                answer.push_str("\r\nok");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::Text(text) => {
                let answer = format!("HTTP/1.1 200 Told\r\ncontent-length: {}\r\n\r\n{text}", text.len());
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::Drop => return,
            Reply::Silence => return std::future::pending().await,
            Reply::Flood => {
                let head = b"HTTP/1.1 200 Told\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut open = stream.write_all(head).await.is_ok();
                let piece = format!("{:x}\r\n{}\r\n", 4_096, "x".repeat(4_096));
                while open {
                    open = stream.write_all(piece.as_bytes()).await.is_ok();
                }
                return;
            }
        }
    }
}

/// `None`: the other side has closed.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Call> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Call { path, headers, body: String::from_utf8(body).ok()? })
}
