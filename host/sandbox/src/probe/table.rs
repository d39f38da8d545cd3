//! The probes: what each tries, and which layers must stop it by themselves.

use Argument::{
    Abstract, AbstractAddress, AbstractLength, AnyAddress, Bait, Binding, Connecting, Inherited, ListenerAddress,
    Memory, Number, Parent, ParentClock, Scratch, Text, Vector, Words,
};
use libc::{
    EACCES, EAFNOSUPPORT, EAGAIN, EBADF, EFAULT, EINVAL, EMFILE, ENODEV, ENOENT, ENOMEM, ENOSYS, ENOTSOCK, ENOTTY,
    EPERM,
};

use super::attempt::{ADDRESS_BYTES, Argument};
use super::{Attempt, Guard, Probe};
use crate::layer::Layer;

const fn guard(layers: &'static [Layer], errnos: &'static [i32]) -> Guard {
    Guard { layers, errnos }
}

const SYSCALLS: Guard = guard(&[Layer::Syscalls], &[EPERM]);
const FILES: Guard = guard(&[Layer::Filesystem], &[EACCES]);
/// No further descriptor.
const FULL: Guard = guard(&[Layer::Limits], &[EMFILE]);
/// The same, where the kernel may lack what the descriptor would be for.
const FULL_OR_NO_FAMILY: Guard = guard(&[Layer::Limits], &[EMFILE, EAFNOSUPPORT]);
/// The same, where the kernel may be set to forbid it, or finds no locked memory for it first.
const FULL_OR_FORBIDDEN: Guard = guard(&[Layer::Limits], &[EMFILE, ENOMEM, EPERM, ENOSYS]);
/// No further process; root is above this limit, so that it needs the layer that leaves root.
const NO_PROCESS: Guard = guard(&[Layer::Limits, Layer::Privileges], &[EAGAIN]);
const CAPABILITY: Guard = guard(&[Layer::Privileges], &[EPERM]);
const NETWORK: Guard = guard(&[Layer::Network], &[EACCES]);
const SCOPE: Guard = guard(&[Layer::Scope], &[EPERM]);
/// A process under rules of Landlock, of any kind, cannot look into one that is not.
const FOREIGN_BY_FILES: Guard = guard(&[Layer::Filesystem], &[EPERM]);
const FOREIGN_BY_NETWORK: Guard = guard(&[Layer::Network], &[EPERM]);

const fn probe(name: &'static str, what: &'static str, guards: &'static [Guard], attempt: Attempt) -> Probe {
    Probe { name, what, guards, attempt }
}

const fn call(number: i64, arguments: &'static [Argument]) -> Attempt {
    Attempt::Call { number, arguments, through: &[] }
}

/// A call that cannot succeed, and the error it fails with where nobody refuses it.
const fn through(number: i64, arguments: &'static [Argument], through: &'static [i32]) -> Attempt {
    Attempt::Call { number, arguments, through }
}

const fn open(path: Argument, flags: i32) -> [Argument; 4] {
    [CWD, path, Number(flags as i64), Number(0o600)]
}

const fn socket(family: i32, kind: i32) -> [Argument; 3] {
    [Number(family as i64), Number(kind as i64), Number(0)]
}

const CWD: Argument = Number(libc::AT_FDCWD as i64);
const ZERO: Argument = Number(0);
/// An address at which nothing is mapped.
const NOWHERE: Argument = Number(1);
const PAGE: Argument = Number(4096);
const SIGCHLD: u64 = libc::SIGCHLD as u64;
const PRIVATE: Argument = Number((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as i64);
const READ_EXECUTE: Argument = Number((libc::PROT_READ | libc::PROT_EXEC) as i64);

/// Every probe, in the order in which they are made.
pub(super) const PROBES: &[Probe] = &[
    // Files.
    probe(
        "open-file",
        "open /etc/passwd",
        &[SYSCALLS, FILES, FULL],
        call(libc::SYS_openat, &open(Text(c"/etc/passwd"), libc::O_RDONLY)),
    ),
    probe(
        "list-root",
        "open / to list it",
        &[SYSCALLS, FILES, FULL],
        call(libc::SYS_openat, &open(Text(c"/"), libc::O_DIRECTORY)),
    ),
    probe(
        "create-file",
        "create a file",
        &[SYSCALLS, FILES, FULL],
        call(libc::SYS_openat, &open(Bait("new"), libc::O_CREAT | libc::O_WRONLY)),
    ),
    probe("truncate-file", "empty a file", &[SYSCALLS, FILES], call(libc::SYS_truncate, &[Bait("kept"), ZERO])),
    probe(
        "rename-file",
        "rename a file",
        &[SYSCALLS, FILES],
        call(libc::SYS_renameat2, &[CWD, Bait("kept"), CWD, Bait("renamed"), ZERO]),
    ),
    probe("unlink-file", "remove a file", &[SYSCALLS, FILES], call(libc::SYS_unlinkat, &[CWD, Bait("removed"), ZERO])),
    probe(
        "make-directory",
        "make a directory",
        &[SYSCALLS, FILES],
        call(libc::SYS_mkdirat, &[CWD, Bait("directory"), Number(0o700)]),
    ),
    probe(
        "make-device",
        "make a device file",
        &[SYSCALLS, FILES, guard(&[Layer::Privileges], &[EPERM, EACCES])],
        call(libc::SYS_mknodat, &[CWD, Bait("device"), Number(libc::S_IFCHR as i64 | 0o600), Number(0x103)]),
    ),
    probe(
        "change-mode",
        "change a file's mode",
        &[SYSCALLS],
        call(libc::SYS_fchmodat, &[CWD, Bait("changed"), Number(0o644)]),
    ),
    probe(
        "look-at-path",
        "ask whether a path exists",
        &[SYSCALLS],
        call(libc::SYS_newfstatat, &[CWD, Text(c"/etc/passwd"), Scratch, ZERO]),
    ),
    probe(
        "open-handle",
        "open a file by handle",
        &[SYSCALLS],
        through(libc::SYS_open_by_handle_at, &[CWD, NOWHERE, ZERO], &[EFAULT]),
    ),
    probe(
        "own-memory-file",
        "open /proc/self/mem to write",
        &[SYSCALLS, FILES, FULL],
        call(libc::SYS_openat, &open(Text(c"/proc/self/mem"), libc::O_RDWR)),
    ),
    probe(
        "own-program-file",
        "open /proc/self/exe",
        &[SYSCALLS, FILES, FULL],
        call(libc::SYS_openat, &open(Text(c"/proc/self/exe"), libc::O_RDONLY)),
    ),
    probe(
        "lock-file",
        "lock a file (flock)",
        &[SYSCALLS],
        call(libc::SYS_flock, &[ZERO, Number((libc::LOCK_SH | libc::LOCK_NB) as i64)]),
    ),
    probe(
        "lock-record",
        "lock a part of a file (fcntl)",
        &[SYSCALLS],
        call(libc::SYS_fcntl, &[ZERO, Number(libc::F_OFD_SETLK as i64), Scratch]),
    ),
    // Descriptors.
    probe(
        "inherited-descriptor",
        "read a descriptor that was passed on",
        &[guard(&[Layer::Descriptors], &[EBADF])],
        call(libc::SYS_pread64, &[Inherited, Scratch, Number(1), ZERO]),
    ),
    probe("duplicate-descriptor", "duplicate a descriptor", &[SYSCALLS, FULL], call(libc::SYS_dup, &[ZERO])),
    probe(
        "send-descriptor",
        "send a message on a descriptor",
        &[SYSCALLS],
        through(libc::SYS_sendmsg, &[Number(1), Scratch, ZERO], &[ENOTSOCK]),
    ),
    probe(
        "inject-input",
        "push a character into a terminal",
        &[SYSCALLS],
        through(libc::SYS_ioctl, &[ZERO, Number(libc::TIOCSTI as i64), Scratch], &[ENOTTY]),
    ),
    probe(
        "environment",
        "find an environment variable",
        &[guard(&[Layer::Environment], &[ENOENT])],
        Attempt::Environment,
    ),
    // Network.
    probe(
        "tcp-connect",
        "connect a TCP socket",
        &[SYSCALLS, NETWORK],
        call(libc::SYS_connect, &[Connecting, ListenerAddress, Number(ADDRESS_BYTES)]),
    ),
    probe(
        "tcp-bind",
        "bind a TCP socket",
        &[SYSCALLS, NETWORK],
        call(libc::SYS_bind, &[Binding, AnyAddress, Number(ADDRESS_BYTES)]),
    ),
    probe(
        "abstract-connect",
        "connect to the parent's abstract socket",
        &[SYSCALLS, SCOPE],
        call(libc::SYS_connect, &[Abstract, AbstractAddress, AbstractLength]),
    ),
    probe(
        "socket-inet",
        "make an IPv4 socket",
        &[SYSCALLS, FULL],
        call(libc::SYS_socket, &socket(libc::AF_INET, libc::SOCK_STREAM)),
    ),
    probe(
        "socket-inet6",
        "make an IPv6 socket",
        &[SYSCALLS, FULL_OR_NO_FAMILY],
        call(libc::SYS_socket, &socket(libc::AF_INET6, libc::SOCK_DGRAM)),
    ),
    probe(
        "socket-unix",
        "make a Unix socket",
        &[SYSCALLS, FULL],
        call(libc::SYS_socket, &socket(libc::AF_UNIX, libc::SOCK_STREAM)),
    ),
    probe(
        "socket-netlink",
        "make a netlink socket",
        &[SYSCALLS, FULL],
        call(libc::SYS_socket, &socket(libc::AF_NETLINK, libc::SOCK_RAW)),
    ),
    probe(
        "socket-vsock",
        "make a socket to the hypervisor",
        &[SYSCALLS, FULL_OR_NO_FAMILY],
        call(libc::SYS_socket, &socket(libc::AF_VSOCK, libc::SOCK_STREAM)),
    ),
    probe(
        "socket-pair",
        "make a pair of sockets",
        &[SYSCALLS, FULL],
        call(libc::SYS_socketpair, &[Number(libc::AF_UNIX as i64), Number(libc::SOCK_STREAM as i64), ZERO, Scratch]),
    ),
    // Processes.
    probe(
        "fork",
        "start a process",
        &[SYSCALLS, NO_PROCESS],
        Attempt::Fork { number: libc::SYS_clone, arguments: &[Number(SIGCHLD as i64), ZERO, ZERO, ZERO, ZERO] },
    ),
    probe(
        "vfork",
        "start a process and wait for it",
        &[SYSCALLS, NO_PROCESS],
        Attempt::Fork {
            number: libc::SYS_clone,
            arguments: &[Number(libc::CLONE_VFORK as i64 | SIGCHLD as i64), ZERO, ZERO, ZERO, ZERO],
        },
    ),
    probe(
        "clone3",
        "start a process (clone3)",
        &[SYSCALLS, NO_PROCESS],
        Attempt::Fork { number: libc::SYS_clone3, arguments: &[Words(&[0, 0, 0, 0, SIGCHLD, 0, 0, 0]), Number(64)] },
    ),
    probe("thread", "start a thread", &[SYSCALLS, NO_PROCESS], Attempt::Thread),
    probe(
        "execute",
        "execute /bin/sh",
        &[SYSCALLS, FILES],
        through(libc::SYS_execve, &[Text(c"/bin/sh"), NOWHERE, NOWHERE], &[EFAULT]),
    ),
    probe(
        "execute-memory",
        "execute a file in memory",
        &[SYSCALLS],
        through(
            libc::SYS_execveat,
            &[Memory, Text(c""), NOWHERE, NOWHERE, Number(libc::AT_EMPTY_PATH as i64)],
            &[EFAULT],
        ),
    ),
    probe(
        "memory-file",
        "make a file in memory",
        &[SYSCALLS, FULL],
        call(libc::SYS_memfd_create, &[Text(c"new"), ZERO]),
    ),
    probe(
        "trace-parent",
        "trace the parent",
        &[SYSCALLS, FOREIGN_BY_FILES, FOREIGN_BY_NETWORK, SCOPE],
        Attempt::Guarded {
            number: libc::SYS_ptrace,
            arguments: &[Number(libc::PTRACE_SEIZE as i64), Parent, ZERO, ZERO],
        },
    ),
    probe(
        "parent-memory",
        "read the parent's memory",
        &[SYSCALLS, FOREIGN_BY_FILES, FOREIGN_BY_NETWORK, SCOPE],
        through(libc::SYS_process_vm_readv, &[Parent, Vector, Number(1), Words(&[1, 1]), Number(1), ZERO], &[EFAULT]),
    ),
    probe("signal-parent", "signal the parent", &[SYSCALLS, SCOPE], call(libc::SYS_kill, &[Parent, ZERO])),
    probe(
        "signal-thread",
        "signal a thread of the parent",
        &[SYSCALLS, SCOPE],
        call(libc::SYS_tgkill, &[Parent, Parent, ZERO]),
    ),
    probe(
        "parent-handle",
        "open a handle of the parent",
        &[SYSCALLS, FULL],
        call(libc::SYS_pidfd_open, &[Parent, ZERO]),
    ),
    probe(
        "parent-clock",
        "read the parent's processor time",
        &[SYSCALLS],
        call(libc::SYS_clock_gettime, &[ParentClock, Scratch]),
    ),
    // Rights.
    probe(
        "mount",
        "mount a file system",
        &[SYSCALLS, CAPABILITY, guard(&[Layer::Filesystem], &[EPERM])],
        through(libc::SYS_mount, &[Text(c"none"), Text(c"/"), Text(c"no-such-system"), ZERO, ZERO], &[ENODEV]),
    ),
    probe("change-root", "change the root directory", &[SYSCALLS, CAPABILITY], call(libc::SYS_chroot, &[Text(c"/")])),
    probe("raise-limit", "raise a limit", &[SYSCALLS, CAPABILITY], Attempt::RaiseLimit),
    probe(
        "lock-memory",
        "keep memory from being paged out",
        &[SYSCALLS, guard(&[Layer::Limits, Layer::Privileges], &[EPERM])],
        call(libc::SYS_mlock, &[Scratch, Number(1)]),
    ),
    probe("enter-namespace", "enter a namespace", &[SYSCALLS], through(libc::SYS_setns, &[Number(-1), ZERO], &[EBADF])),
    probe(
        "dumpable",
        "open its memory to others",
        &[SYSCALLS],
        call(libc::SYS_prctl, &[Number(libc::PR_SET_DUMPABLE as i64), Number(1), ZERO, ZERO, ZERO]),
    ),
    probe("personality", "change how it is run", &[SYSCALLS], call(libc::SYS_personality, &[Number(0xffff_ffff)])),
    // What has been a way into the kernel, or from one box to another.
    probe(
        "io-uring",
        "make a ring of requests",
        &[SYSCALLS, FULL_OR_FORBIDDEN],
        call(libc::SYS_io_uring_setup, &[Number(1), Scratch]),
    ),
    probe(
        "bpf",
        "load a program into the kernel",
        &[SYSCALLS],
        through(libc::SYS_bpf, &[ZERO, Scratch, Number(72)], &[EINVAL]),
    ),
    probe(
        "perf-event",
        "count events of the processor",
        &[SYSCALLS],
        through(libc::SYS_perf_event_open, &[NOWHERE, ZERO, ZERO, Number(-1), ZERO], &[EFAULT]),
    ),
    probe("page-faults", "serve page faults", &[SYSCALLS, FULL_OR_FORBIDDEN], call(libc::SYS_userfaultfd, &[ZERO])),
    probe("find-key", "find a keyring", &[SYSCALLS], call(libc::SYS_keyctl, &[ZERO, Number(-3), Number(1)])),
    probe(
        "add-key",
        "add a key",
        &[SYSCALLS],
        call(libc::SYS_add_key, &[Text(c"user"), Text(c"thimble-probe"), Text(c"1"), Number(1), Number(-1)]),
    ),
    probe(
        "shared-memory",
        "find shared memory",
        &[SYSCALLS],
        through(libc::SYS_shmget, &[Number(0x7468_6d62), PAGE, ZERO], &[ENOENT]),
    ),
    probe(
        "message-queue",
        "find a message queue",
        &[SYSCALLS],
        through(libc::SYS_msgget, &[Number(0x7468_6d62), ZERO], &[ENOENT]),
    ),
    probe(
        "semaphore",
        "find a semaphore",
        &[SYSCALLS],
        through(libc::SYS_semget, &[Number(0x7468_6d62), Number(1), ZERO], &[ENOENT]),
    ),
    probe(
        "named-queue",
        "open a named message queue",
        &[SYSCALLS, FULL_OR_FORBIDDEN],
        through(libc::SYS_mq_open, &[Text(c"thimble-probe"), ZERO, ZERO, ZERO], &[ENOENT]),
    ),
    probe("kernel-log", "ask for the kernel's log", &[SYSCALLS], call(libc::SYS_syslog, &[Number(10), ZERO, ZERO])),
    // Code that the engine did not make: for a run, after the code is sealed.
    probe(
        "map-code",
        "map executable memory",
        &[SYSCALLS],
        call(libc::SYS_mmap, &[ZERO, PAGE, READ_EXECUTE, PRIVATE, Number(-1), ZERO]),
    ),
    probe("make-code", "make memory executable", &[SYSCALLS], Attempt::MakeCode),
    // Last: whoever is in a namespace of their own has no rights outside it.
    probe(
        "new-namespace",
        "make a user namespace",
        &[SYSCALLS],
        call(libc::SYS_unshare, &[Number(libc::CLONE_NEWUSER as i64)]),
    ),
];
