//! Closed-loop clients over plain sockets: a connection asks, reads the whole answer, asks again.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

/// The bytes of a request.
#[derive(Debug, Clone)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    pub(crate) fn get(path: &str, token: Option<&str>) -> Self {
        let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        Self(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n").into_bytes())
    }
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Load {
    seconds: f64,
    latencies: Vec<Duration>,
}

impl Load {
    /// Asks for `requests` in turn on so many connections.
    pub(crate) fn run(
        runtime: &Runtime,
        address: SocketAddr,
        requests: &[Request],
        connections: usize,
        time: Duration,
    ) -> Self {
        let requests: Arc<[Request]> = requests.into();
        runtime.block_on(async {
            // Once before, so that what is computed on first use is there.
            let mut first = Connection::open(address).await;
            first.ask(&requests[0]).await;
            let start = Instant::now();
            let clients = (0..connections).map(|index| {
                let requests = requests.clone();
                tokio::spawn(async move {
                    let mut connection = Connection::open(address).await;
                    let mut latencies = Vec::new();
                    let mut next = index * 61;
                    while start.elapsed() < time {
                        let asked = Instant::now();
                        connection.ask(&requests[next % requests.len()]).await;
                        latencies.push(asked.elapsed());
                        next += 1;
                    }
                    latencies
                })
            });
            let clients: Vec<_> = clients.collect();
            let mut latencies = Vec::new();
            for client in clients {
                latencies.extend(client.await.expect("every answer is 200"));
            }
            let seconds = start.elapsed().as_secs_f64();
            latencies.sort();
            Self { seconds, latencies }
        })
    }

    fn at(&self, share: f64) -> f64 {
        let index = ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len() - 1);
        self.latencies[index].as_secs_f64() * 1e3
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.latencies.len() as f64 / self.seconds;
        write!(f, "{rate:>12.0}{:>7.2} ms{:>7.2} ms{:>7.2} ms", self.at(0.5), self.at(0.99), self.at(1.0))
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the service listens");
        stream.set_nodelay(true).expect("it is open");
        Self { stream, buffer: Vec::with_capacity(1 << 20) }
    }

    /// Asks and reads the answer to its end, which must be a 200 with a length.
    async fn ask(&mut self, request: &Request) {
        self.stream.write_all(&request.0).await.expect("it is open");
        self.buffer.clear();
        let mut whole = None;
        while whole.is_none_or(|whole| self.buffer.len() < whole) {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("it is open");
            assert!(read > 0, "the service closed the connection");
            if whole.is_none() {
                whole = length(&self.buffer);
            }
        }
    }
}

/// Bytes of head and body, once the head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let body = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let body: usize = body.unwrap_or_else(|| panic!("no length: {head}")).trim().parse().expect("a number");
    Some(end + 4 + body)
}
