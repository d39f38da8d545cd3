//! What the probes need around them: baits, listeners to reach, and what was open before the box was locked.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use super::attempt;

/// The number of a descriptor that is passed to the child and that it does not keep.
pub(super) const INHERITED: RawFd = 9;

/// Files of the directory of baits.
const BAITS: [&str; 3] = ["kept", "removed", "changed"];

/// The parent's part, alive as long as the child.
#[derive(Debug)]
pub(super) struct Surroundings {
    listener: TcpListener,
    name: String,
    _abstract_listener: UnixListener,
}

impl Surroundings {
    /// Makes the baits in an empty directory, and the listeners.
    pub(super) fn new(directory: &Path, name: String) -> io::Result<Self> {
        for bait in BAITS {
            std::fs::write(directory.join(bait), b"bait")?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let abstract_listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        Ok(Self { listener, name, _abstract_listener: abstract_listener })
    }

    /// The port to connect to.
    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// The name of the abstract socket.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The file behind [`INHERITED`].
    pub(super) fn inherited(directory: &Path) -> io::Result<OwnedFd> {
        Ok(std::fs::File::open(directory.join(BAITS[0]))?.into())
    }
}

/// The child's part.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) directory: String,
    pub(super) parent: i32,
    pub(super) connecting: OwnedFd,
    pub(super) binding: OwnedFd,
    pub(super) abstract_socket: OwnedFd,
    pub(super) memory: OwnedFd,
    pub(super) listener: [u8; 16],
    pub(super) any: [u8; 16],
    pub(super) abstract_address: Vec<u8>,
}

impl Stage {
    /// Opens what the box is to be attacked with from inside. Before it is locked.
    pub(super) fn open(directory: &str, port: u16, name: &str) -> io::Result<Self> {
        attempt::set_variable();
        let family = |number: libc::c_int| (number as u16).to_ne_bytes();
        Ok(Self {
            directory: directory.to_owned(),
            parent: rustix::process::getppid().map_or(1, |parent| parent.as_raw_nonzero().get()),
            connecting: attempt::socket(libc::AF_INET)?,
            binding: attempt::socket(libc::AF_INET)?,
            abstract_socket: attempt::socket(libc::AF_UNIX)?,
            memory: attempt::memory_file()?,
            listener: tcp_address(port),
            any: tcp_address(0),
            abstract_address: [&family(libc::AF_UNIX), b"\0".as_slice(), name.as_bytes()].concat(),
        })
    }

    /// The descriptors that are open on purpose.
    pub(super) fn kept(&self) -> [RawFd; 4] {
        [&self.connecting, &self.binding, &self.abstract_socket, &self.memory].map(AsRawFd::as_raw_fd)
    }
}

/// `struct sockaddr_in` of a port of this machine.
fn tcp_address(port: u16) -> [u8; 16] {
    let mut address = [0; 16];
    address[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    address[2..4].copy_from_slice(&port.to_be_bytes());
    address[4..8].copy_from_slice(&Ipv4Addr::LOCALHOST.octets());
    address
}
