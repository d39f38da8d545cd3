//! The layers of the box, and which of them an operator asks for.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One layer of the box.
///
/// No layer relies on another: where two take away the same thing, either holds without the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Every descriptor is closed but the three standard ones and those the caller names.
    Descriptors,
    /// No environment variable is left, nor its bytes.
    Environment,
    /// Resource limits: see [`crate::Limits`].
    Limits,
    /// Not root, no capability, none to be had by executing a file (`no_new_privs`).
    Privileges,
    /// Landlock: no file can be opened, made, moved or removed. ABI 3, Linux 6.2.
    Filesystem,
    /// Landlock: no TCP port can be bound or connected to, and no UDP port where the kernel knows it. ABI 4, Linux 6.7.
    Network,
    /// Landlock: no signal to, and no abstract socket of, a process outside. ABI 6, Linux 6.12.
    Scope,
    /// Seccomp: the system calls of a computation over pipes, and no others.
    Syscalls,
    /// A user namespace of its own.
    UserNamespace,
    /// A network namespace of its own, without an interface.
    NetworkNamespace,
    /// A control group (v2) that bounds the memory.
    Cgroup,
}

impl Layer {
    /// What an official run has unless its operator gave it up by name.
    pub const REQUIRED: [Self; 8] = [
        Self::Descriptors,
        Self::Environment,
        Self::Limits,
        Self::Privileges,
        Self::Filesystem,
        Self::Network,
        Self::Scope,
        Self::Syscalls,
    ];
    /// What an operator may ask for besides: often not to be had inside a container.
    pub const OPTIONAL: [Self; 3] = [Self::UserNamespace, Self::NetworkNamespace, Self::Cgroup];

    /// Its name in results, options and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Descriptors => "descriptors",
            Self::Environment => "environment",
            Self::Limits => "limits",
            Self::Privileges => "privileges",
            Self::Filesystem => "filesystem",
            Self::Network => "network",
            Self::Scope => "scope",
            Self::Syscalls => "syscalls",
            Self::UserNamespace => "user-namespace",
            Self::NetworkNamespace => "network-namespace",
            Self::Cgroup => "cgroup",
        }
    }

    /// Every layer, the required ones first.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::REQUIRED.into_iter().chain(Self::OPTIONAL)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that is not a layer's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a layer; the layers are {}", names(Layer::all()))]
pub struct LayerError {
    name: String,
}

impl FromStr for Layer {
    type Err = LayerError;

    fn from_str(name: &str) -> Result<Self, LayerError> {
        Self::all()
            .find(|layer| layer.name() == name)
            .ok_or_else(|| LayerError { name: name.chars().take(40).collect() })
    }
}

/// Names in a row, for a message.
fn names(layers: impl IntoIterator<Item = Layer>) -> String {
    layers.into_iter().map(Layer::name).collect::<Vec<_>>().join(", ")
}

/// Which layers a child must have: the required ones, less those the operator gave up, and those asked for besides.
///
/// Its text form goes to the child as one argument: `required`, or words like `-scope` and `+cgroup` joined by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    without: BTreeSet<Layer>,
    with: BTreeSet<Layer>,
}

/// A policy that says nothing sensible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Only a required layer can be given up.
    #[error("`{layer}` is not on unless it is asked for; what can be given up is {}", names(Layer::REQUIRED))]
    NotRequired {
        /// Which was to be given up.
        layer: Layer,
    },
    /// Only an optional layer can be asked for.
    #[error("`{layer}` is required already; what can be asked for is {}", names(Layer::OPTIONAL))]
    NotOptional {
        /// Which was asked for.
        layer: Layer,
    },
    /// A word without its sign, or with a name that is no layer's.
    #[error("`{0}` is neither `required` nor a list of `-layer` and `+layer`")]
    Word(String),
    /// A name that is not a layer's.
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl Policy {
    /// The required layers, less `without`, and `with`.
    ///
    /// # Errors
    /// A layer of `without` that is not required, or one of `with` that is.
    pub fn new(
        without: impl IntoIterator<Item = Layer>,
        with: impl IntoIterator<Item = Layer>,
    ) -> Result<Self, PolicyError> {
        let policy = Self { without: without.into_iter().collect(), with: with.into_iter().collect() };
        if let Some(&layer) = policy.without.iter().find(|layer| !Layer::REQUIRED.contains(layer)) {
            return Err(PolicyError::NotRequired { layer });
        }
        if let Some(&layer) = policy.with.iter().find(|layer| !Layer::OPTIONAL.contains(layer)) {
            return Err(PolicyError::NotOptional { layer });
        }
        Ok(policy)
    }

    /// The required layers that are wanted, for a box that shows what they do without the others.
    pub fn of_required(wanted: impl Fn(Layer) -> bool) -> Self {
        let without = Layer::REQUIRED.into_iter().filter(|layer| !wanted(*layer)).collect();
        Self { without, with: BTreeSet::new() }
    }

    /// One layer and no other.
    pub fn only(layer: Layer) -> Self {
        let with = Layer::OPTIONAL.into_iter().filter(|optional| *optional == layer).collect();
        Self { with, ..Self::of_required(|required| required == layer) }
    }

    /// What a child under this policy has, or it does not start.
    pub fn layers(&self) -> BTreeSet<Layer> {
        let required = Layer::REQUIRED.into_iter().filter(|layer| !self.without.contains(layer));
        required.chain(self.with.iter().copied()).collect()
    }

    /// What the operator gave up.
    pub const fn without(&self) -> &BTreeSet<Layer> {
        &self.without
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let without = self.without.iter().map(|layer| format!("-{layer}"));
        let words: Vec<_> = without.chain(self.with.iter().map(|layer| format!("+{layer}"))).collect();
        formatter.pad(&if words.is_empty() { "required".to_owned() } else { words.join(",") })
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        if text == "required" {
            return Ok(Self::default());
        }
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for word in text.split(',') {
            match word.split_at_checked(1) {
                Some(("-", name)) => without.push(name.parse::<Layer>()?),
                Some(("+", name)) => with.push(name.parse::<Layer>()?),
                _ => return Err(PolicyError::Word(word.chars().take(40).collect())),
            }
        }
        Self::new(without, with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_is_required_or_optional_and_read_back_from_its_name() {
        assert_eq!(Layer::all().collect::<BTreeSet<_>>().len(), Layer::REQUIRED.len() + Layer::OPTIONAL.len());
        for layer in Layer::all() {
            assert_eq!(layer.name().parse(), Ok(layer));
        }
        let error = "seccomp".parse::<Layer>().expect_err("no such layer");
        assert!(error.to_string().starts_with("`seccomp` is not a layer; the layers are descriptors, "), "{error}");
    }

    #[test]
    fn a_policy_is_read_back_from_its_argument() {
        for (without, with, text) in [
            (vec![], vec![], "required"),
            (vec![Layer::Scope, Layer::Network], vec![], "-network,-scope"),
            (vec![Layer::Syscalls], vec![Layer::Cgroup, Layer::UserNamespace], "-syscalls,+user-namespace,+cgroup"),
        ] {
            let policy = Policy::new(without, with).expect("sensible");
            assert_eq!(policy.to_string(), text);
            assert_eq!(text.parse(), Ok(policy));
        }
    }

    #[test]
    fn a_policy_cannot_give_up_the_optional_nor_ask_for_the_required() {
        assert_eq!("-cgroup".parse::<Policy>(), Err(PolicyError::NotRequired { layer: Layer::Cgroup }));
        assert_eq!("+scope".parse::<Policy>(), Err(PolicyError::NotOptional { layer: Layer::Scope }));
        for text in ["", "scope", "-", "-scope,", "required,-scope", "é"] {
            assert!(text.parse::<Policy>().is_err(), "{text}");
        }
    }

    #[test]
    fn layers_are_the_required_less_those_given_up_and_those_asked_for() {
        assert_eq!(Policy::default().layers(), BTreeSet::from(Layer::REQUIRED));
        let policy: Policy = "-scope,+cgroup".parse().expect("sensible");
        let mut expected = BTreeSet::from(Layer::REQUIRED);
        assert!(expected.remove(&Layer::Scope) && expected.insert(Layer::Cgroup));
        assert_eq!(policy.layers(), expected);
    }
}
