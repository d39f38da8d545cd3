//! Locking the box from inside.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::RawFd;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope,
};

use crate::descriptors;
use crate::kernel::Kernel;
use crate::layer::{Layer, Policy};
use crate::limits::Limits;
use crate::privileges;
use crate::raw;
use crate::syscalls::{self, Job};

/// Why a process could not be locked in. It must not go on.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A layer that the policy asks for cannot be had.
    #[error("the layer `{layer}` of the sandbox cannot be had: {reason}")]
    Unavailable {
        /// Which.
        layer: Layer,
        /// Why.
        reason: String,
    },
    /// Threads besides the one that locks would keep what it gives up.
    #[error("the sandbox cannot be locked: this process has {threads} threads, and it must have one")]
    Threads {
        /// How many there are.
        threads: usize,
    },
    /// Nothing says how many threads there are.
    #[error("the sandbox cannot be locked: its threads cannot be counted: /proc/self/task: {0}")]
    Proc(io::Error),
    /// The process cannot be tied to its parent's life.
    #[error("the sandbox cannot be locked: this process cannot be made to end with its parent: {0}")]
    Parent(io::Error),
}

impl LockError {
    /// The error of a layer that the kernel refused.
    pub(crate) fn of<E: std::fmt::Display>(layer: Layer) -> impl FnOnce(E) -> Self {
        move |error| Self::Unavailable { layer, reason: error.to_string() }
    }
}

/// Locks this process in: what it does not have by now, it never gets. Returns the layers that hold.
///
/// To be called by the first line of a child process that has one thread, before it reads a byte of a stranger's. Descriptors
/// that are neither standard nor `kept` are closed, whoever owns them; root becomes nobody; the process dies with the thread
/// that started it. Later layers take away what earlier ones need, so they come in this order: descriptors, environment,
/// privileges and namespaces, Landlock, limits, system calls.
///
/// # Errors
/// A layer of the policy that cannot be had in full. Some layers are on by then: the process can say so and end.
pub fn lock(policy: &Policy, limits: &Limits, kept: &[RawFd], job: Job) -> Result<BTreeSet<Layer>, LockError> {
    let layers = Kernel::probe().plan(policy)?;
    let has = |layer| layers.contains(&layer);
    // Landlock and seccomp bind the thread that calls. Without them a second thread escapes nothing, and it may be that of an
    // emulator, under which neither can be had; this process has started none that could read its environment.
    let of_threads = [Layer::Filesystem, Layer::Network, Layer::Scope, Layer::Syscalls];
    let threads = std::fs::read_dir("/proc/self/task").map_err(LockError::Proc)?.count();
    if threads != 1 && of_threads.into_iter().any(has) {
        return Err(LockError::Threads { threads });
    }
    if has(Layer::Descriptors) {
        descriptors::close_all_but(kept).map_err(LockError::of(Layer::Descriptors))?;
    }
    if has(Layer::Environment) {
        raw::wipe_environment().map_err(LockError::of(Layer::Environment))?;
    }
    if has(Layer::Cgroup) {
        require_memory_bound().map_err(LockError::of(Layer::Cgroup))?;
    }
    privileges::give_up(&layers)?;
    privileges::die_with_parent()?;
    landlock(&layers)?;
    if has(Layer::Limits) {
        let highest = kept.iter().copied().max().unwrap_or(0).max(libc::STDERR_FILENO);
        limits.apply(highest).map_err(LockError::of(Layer::Limits))?;
    }
    if has(Layer::Syscalls) {
        syscalls::allow_only_those_of(job).map_err(LockError::of(Layer::Syscalls))?;
    }
    Ok(layers)
}

/// From now on no memory becomes executable. To be called where the machine code is loaded and before it runs; does nothing
/// where the layer of system calls is not among those that hold.
///
/// # Errors
/// The kernel does not take the filter; the process must not go on.
pub fn seal_code(layers: &BTreeSet<Layer>) -> Result<(), LockError> {
    if layers.contains(&Layer::Syscalls) {
        syscalls::refuse_executable_memory().map_err(LockError::of(Layer::Syscalls))?;
    }
    Ok(())
}

/// The unified hierarchy, where systemd and container engines mount it.
const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// That this process is in a control group whose memory has a maximum.
fn require_memory_bound() -> io::Result<()> {
    let groups = std::fs::read_to_string("/proc/self/cgroup")?;
    let path = groups
        .lines()
        .find_map(|line| line.strip_prefix("0::"))
        .ok_or_else(|| io::Error::other("there is no unified hierarchy (cgroup v2)"))?;
    let file = format!("{CGROUP_ROOT}{}/memory.max", path.trim_end_matches('/'));
    let maximum = std::fs::read_to_string(&file).map_err(|error| io::Error::other(format!("{file}: {error}")))?;
    if maximum.trim() == "max" { Err(io::Error::other(format!("{file} sets no maximum"))) } else { Ok(()) }
}

fn landlock(layers: &BTreeSet<Layer>) -> Result<(), LockError> {
    let wanted: Vec<Layer> =
        [Layer::Filesystem, Layer::Network, Layer::Scope].into_iter().filter(|layer| layers.contains(layer)).collect();
    let Some(&first) = wanted.first() else { return Ok(()) };
    let status = restrict(&wanted).map_err(LockError::of(first))?;
    if status == RulesetStatus::FullyEnforced {
        Ok(())
    } else {
        Err(LockError::of(first)(format!("the kernel enforces the rules in part only ({status:?})")))
    }
}

/// One set of rules that handles everything the layers name and allows none of it.
///
/// The set of rights is that of the running kernel as far as the crate knows it: whatever more a newer kernel can refuse is
/// refused, and nothing is asked for that it would not enforce.
fn restrict(wanted: &[Layer]) -> Result<RulesetStatus, RulesetError> {
    let abi = ABI::from(i32::try_from(raw::landlock_abi().unwrap_or(0)).unwrap_or(i32::MAX));
    let mut rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    for layer in wanted {
        rules = match layer {
            Layer::Filesystem => rules.handle_access(AccessFs::from_all(abi))?,
            Layer::Network => rules.handle_access(AccessNet::from_all(abi))?,
            _ => rules.scope(Scope::from_all(abi))?,
        };
    }
    Ok(rules.create()?.restrict_self()?.ruleset)
}
