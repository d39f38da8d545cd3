//! Giving up what root has, and the namespaces that some of it is needed for.

use std::collections::BTreeSet;
use std::io;

use rustix::process::{DumpableBehavior, Signal};

use crate::layer::Layer;
use crate::lock::LockError;
use crate::raw;

/// The user that owns nothing, by convention.
const NOBODY: u32 = 65_534;
/// No kernel has more capabilities than two words of 32 bits hold.
const MOST_CAPABILITIES: libc::c_ulong = 64;

/// Leaves the namespaces asked for, and then every privilege.
///
/// A user namespace is entered as nobody rather than as root: its owner outside would be root, whom no limit on the number of
/// processes holds. A network namespace alone needs a privilege and so comes first.
pub(crate) fn give_up(layers: &BTreeSet<Layer>) -> Result<(), LockError> {
    let has = |layer| layers.contains(&layer);
    let (user, network) = (has(Layer::UserNamespace), has(Layer::NetworkNamespace));
    if network && !user {
        raw::unshare(libc::CLONE_NEWNET).map_err(LockError::of(Layer::NetworkNamespace))?;
    }
    if has(Layer::Privileges) {
        leave_root().map_err(LockError::of(Layer::Privileges))?;
    }
    if user {
        raw::unshare(libc::CLONE_NEWUSER).map_err(LockError::of(Layer::UserNamespace))?;
    }
    if user && network {
        raw::unshare(libc::CLONE_NEWNET).map_err(LockError::of(Layer::NetworkNamespace))?;
    }
    if has(Layer::Privileges) {
        raw::set_no_new_privileges().and_then(|()| drop_capabilities()).map_err(LockError::of(Layer::Privileges))?;
    }
    Ok(())
}

fn leave_root() -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    match raw::become_user(NOBODY) {
        // A container may know no other user, or may have taken root's right to change: capabilities go all the same.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EPERM)) => Ok(()),
        other => other,
    }
}

fn drop_capabilities() -> io::Result<()> {
    // What a file executed could bring back; without the right to change this set, `no_new_privs` has to do.
    for capability in 0..MOST_CAPABILITIES {
        match raw::drop_from_bounding_set(capability) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => break,
            Err(error) => return Err(error),
        }
    }
    raw::drop_capabilities()
}

/// Ties this process to its parent's life and hides its memory from other processes of the same user.
///
/// Comes after the change of user, which undoes both.
pub(crate) fn die_with_parent() -> Result<(), LockError> {
    let setting = |error: rustix::io::Errno| LockError::Parent(error.into());
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(setting)?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(setting)?;
    // A parent that died before the first line sends no signal, but nobody holds the other end of the answer either.
    let events = raw::poll(libc::STDOUT_FILENO, 0, std::time::Duration::ZERO).map_err(LockError::Parent)?;
    if events & libc::POLLERR != 0 {
        return Err(LockError::Parent(io::Error::other("nobody reads the answer")));
    }
    Ok(())
}
