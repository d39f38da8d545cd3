//! Connections over a real socket: slow ones are cut, the service stops in order.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use thimble_server::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::world::{World, config};

/// Longer than anything here takes, shorter than a test may.
const PATIENCE: Duration = Duration::from_secs(30);

struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn serve(world: &World) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let service = world.service.clone();
    let task = tokio::spawn(thimble_server::serve(service, listener, async { drop(stopped.await) }));
    Serving { address, stop, task }
}

async fn connect(serving: &Serving) -> TcpStream {
    TcpStream::connect(serving.address).await.unwrap()
}

/// Everything until the other end closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    match tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection is closed") {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_off() {
    let world = World::with(Config { header_timeout: Duration::from_millis(200), ..config() }).await;
    let serving = serve(&world).await;
    let mut slow = connect(&serving).await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await.unwrap();
    assert!(!rest(&mut slow).await.contains("200 OK"));
    // So is one that says nothing at all, before its first request and after one.
    assert_eq!(rest(&mut connect(&serving).await).await, "");
    let mut idle = connect(&serving).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let answer = rest(&mut idle).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let body_timeout = Duration::from_millis(200);
    let world = World::with(Config { body_timeout, body_bytes_per_second: 1 << 30, ..config() }).await;
    let serving = serve(&world).await;
    let token = world.builder("bob").await;
    let mut slow = connect(&serving).await;
    let head = format!(
        "POST /api/v1/join HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: 100\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"timeout\""), "{answer}");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let world = World::new().await;
    let serving = serve(&world).await;
    for head in [format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000)), {
        let headers: String = (0..200).map(|i| format!("x-{i}: 1\r\n")).collect();
        format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}\r\n")
    }] {
        let mut stream = connect(&serving).await;
        // The other end may close before it has read all.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let mut stream = connect(&serving).await;
    stream.write_all(b"\x16\x03\x01 no HTTP at all\r\n\r\n").await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn connections_above_the_number_wait_their_turn() {
    let world =
        World::with(Config { max_connections: 1, header_timeout: Duration::from_millis(500), ..config() }).await;
    let serving = serve(&world).await;
    let mut first = connect(&serving).await;
    let mut second = connect(&serving).await;
    second.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    // The first says nothing and is cut off; then the second has its turn.
    assert_eq!(rest(&mut first).await, "");
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_service_stops_in_order() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let id = world.submit("open", &token, "official").await;
    let serving = serve(&world).await;
    let mut following = connect(&serving).await;
    let head =
        format!("GET /api/v1/submissions/{id}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n");
    following.write_all(head.as_bytes()).await.unwrap();
    let mut begun = String::new();
    while !begun.contains("event: status") {
        let mut piece = [0; 1024];
        let read = following.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "{begun}");
        begun += &String::from_utf8_lossy(&piece[..read]);
    }
    // A request whose body is on its way when the service is told to stop.
    let mut sending = connect(&serving).await;
    let head = format!(
        "POST /api/v1/join HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n{{"
    );
    sending.write_all(head.as_bytes()).await.unwrap();
    let mut idle = connect(&serving).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answered = [0; 12];
    idle.read_exact(&mut answered).await.unwrap();
    serving.stop.send(()).unwrap();
    let stream = rest(&mut following).await;
    assert!((begun + &stream).ends_with("0\r\n\r\n"), "the stream ends whole: {stream}");
    sending.write_all(b"}").await.unwrap();
    let answer = rest(&mut sending).await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    rest(&mut idle).await;
    tokio::time::timeout(PATIENCE, serving.task).await.expect("it stops").unwrap().unwrap();
    let refused = TcpStream::connect(serving.address).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_connection_that_does_not_end_is_cut_off_after_the_grace() {
    let world = World::with(Config { grace: Duration::from_millis(200), ..config() }).await;
    let serving = serve(&world).await;
    let token = world.builder("bob").await;
    let mut stuck = connect(&serving).await;
    let head = format!(
        "POST /api/v1/join HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n{{"
    );
    stuck.write_all(head.as_bytes()).await.unwrap();
    // Until its head was read it would be an idle connection.
    tokio::time::sleep(Duration::from_millis(100)).await;
    serving.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, serving.task).await.expect("it stops").unwrap().unwrap();
}
