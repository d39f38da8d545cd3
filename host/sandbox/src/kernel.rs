//! What the kernel offers of the layers that not every kernel has.

use std::collections::BTreeSet;

use crate::layer::{Layer, Policy};
use crate::lock::LockError;
use crate::raw;

/// The kernel's part in the box. A value rather than a question asked where the answer is needed, so that tests can be other
/// kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Version of Landlock's interface; `None` where it is not compiled in or not enabled at boot.
    pub landlock_abi: Option<u32>,
    /// Whether filters of system calls can fail a call with an error number.
    pub seccomp_filter: bool,
}

impl Kernel {
    /// Asks the running kernel.
    pub fn probe() -> Self {
        Self { landlock_abi: raw::landlock_abi(), seccomp_filter: raw::seccomp_filter_is_available() }
    }

    /// The Landlock interface that a layer needs, and the Linux that brought it.
    const fn landlock_needed(layer: Layer) -> Option<(u32, &'static str)> {
        match layer {
            // Truncating a file by its path is an access of its own since this one.
            Layer::Filesystem => Some((3, "6.2")),
            Layer::Network => Some((4, "6.7")),
            Layer::Scope => Some((6, "6.12")),
            _ => None,
        }
    }

    /// Why a layer cannot be had here; `None` where nothing is known against it.
    pub fn objection(&self, layer: Layer) -> Option<String> {
        if layer == Layer::Syscalls && !self.seccomp_filter {
            return Some("the kernel has no filters of system calls (seccomp)".to_owned());
        }
        let (needed, linux) = Self::landlock_needed(layer)?;
        match self.landlock_abi {
            None => Some(format!(
                "the kernel has no Landlock, or it is not enabled at boot (`lsm=`); ABI {needed} is needed (Linux {linux})"
            )),
            Some(abi) if abi < needed => {
                Some(format!("the kernel has Landlock ABI {abi}; ABI {needed} is needed (Linux {linux})"))
            }
            Some(_) => None,
        }
    }

    /// The layers to put on under a policy.
    pub(crate) fn plan(&self, policy: &Policy) -> Result<BTreeSet<Layer>, LockError> {
        let layers = policy.layers();
        for &layer in &layers {
            if let Some(reason) = self.objection(layer) {
                return Err(LockError::Unavailable { layer, reason });
            }
        }
        Ok(layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: Kernel = Kernel { landlock_abi: Some(6), seccomp_filter: true };

    /// The layer a kernel is refused for, and the message.
    fn refused(kernel: Kernel, policy: &str) -> (Layer, String) {
        match kernel.plan(&policy.parse().expect("sensible")) {
            Err(LockError::Unavailable { layer, reason }) => (layer, reason),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_kernel_with_everything_needed_takes_the_required_layers() {
        assert_eq!(COMPLETE.plan(&Policy::default()).expect("complete"), BTreeSet::from(Layer::REQUIRED));
    }

    #[test]
    fn a_kernel_without_a_required_layer_is_refused_with_its_name_and_reason() {
        for (abi, layer, reason) in [
            (Some(5), Layer::Scope, "the kernel has Landlock ABI 5; ABI 6 is needed (Linux 6.12)"),
            (Some(3), Layer::Network, "the kernel has Landlock ABI 3; ABI 4 is needed (Linux 6.7)"),
            (Some(2), Layer::Filesystem, "the kernel has Landlock ABI 2; ABI 3 is needed (Linux 6.2)"),
            (
                None,
                Layer::Filesystem,
                "the kernel has no Landlock, or it is not enabled at boot (`lsm=`); ABI 3 is needed (Linux 6.2)",
            ),
        ] {
            let kernel = Kernel { landlock_abi: abi, ..COMPLETE };
            assert_eq!(refused(kernel, "required"), (layer, reason.to_owned()));
        }
        let kernel = Kernel { seccomp_filter: false, ..COMPLETE };
        assert_eq!(refused(kernel, "required").0, Layer::Syscalls);
    }

    #[test]
    fn a_layer_given_up_by_name_is_not_listed_and_gives_up_no_other() {
        let kernel = Kernel { landlock_abi: Some(3), ..COMPLETE };
        assert_eq!(refused(kernel, "-scope").0, Layer::Network);
        let layers = kernel.plan(&"-scope,-network".parse().expect("sensible")).expect("the rest can be had");
        assert!(!layers.contains(&Layer::Scope) && !layers.contains(&Layer::Network));
        assert_eq!(layers.len(), Layer::REQUIRED.len() - 2);
        let bare = Kernel { landlock_abi: None, seccomp_filter: false };
        assert_eq!(refused(bare, "-scope,-network,-filesystem").0, Layer::Syscalls);
    }
}
