//! What a child may use of the machine.

use std::os::fd::RawFd;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The stack of the child's thread.
const STACK_BYTES: u64 = 8 << 20;

/// The limits that depend on the work. The others are the same for every child: no file grows, no core is written, no process
/// is started, no memory is locked, no message queue is made, no descriptor is opened beyond those there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space, `RLIMIT_AS`. Reservations of the engine and mapped files count.
    pub address_space: u64,
    /// Bytes of private writable memory, `RLIMIT_DATA`, whether touched or not: what the child can make the machine find for it.
    pub data: u64,
    /// Seconds of processor time. SIGXCPU comes then, and SIGKILL a second later.
    pub cpu_seconds: u64,
}

impl Limits {
    /// Sets each limit, or leaves the hard limit of this process where that is lower already.
    pub(crate) fn apply(&self, highest_descriptor: RawFd) -> Result<(), Errno> {
        let descriptors = u64::try_from(highest_descriptor).unwrap_or(0) + 1;
        let wanted = [
            (Resource::As, self.address_space, self.address_space),
            (Resource::Data, self.data, self.data),
            // The soft limit comes first and says by its signal what ran out.
            (Resource::Cpu, self.cpu_seconds, self.cpu_seconds.saturating_add(1)),
            (Resource::Stack, STACK_BYTES, STACK_BYTES),
            (Resource::Nofile, descriptors, descriptors),
            (Resource::Nproc, 0, 0),
            (Resource::Fsize, 0, 0),
            (Resource::Core, 0, 0),
            (Resource::Memlock, 0, 0),
            (Resource::Msgqueue, 0, 0),
            (Resource::Rtprio, 0, 0),
        ];
        for (resource, soft, hard) in wanted {
            let highest = getrlimit(resource).maximum.unwrap_or(u64::MAX);
            let limit = Rlimit { current: Some(soft.min(highest)), maximum: Some(hard.min(highest)) };
            setrlimit(resource, limit)?;
        }
        Ok(())
    }
}
