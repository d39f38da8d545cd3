//! Where guests run: options, and what this machine can have.

use std::ffi::OsString;

use thimble_challenge::result::Mode;
use thimble_runtime::Place;
use thimble_sandbox::{Kernel, Layer, Policy};

use crate::exit::Failure;
use crate::output;

/// The layers of the box around a guest.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct LayerOpts {
    /// Give up a layer of the box around guests that this machine cannot have (`thimble doctor` lists them); results say
    /// which held
    #[arg(long, value_name = "LAYER")]
    without_layer: Vec<Layer>,
    /// Ask for a layer that is not required: user-namespace, network-namespace, cgroup
    #[arg(long, value_name = "LAYER")]
    with_layer: Vec<Layer>,
}

/// Where guests run, and in what.
#[derive(Debug, Clone)]
pub(crate) struct Sandbox {
    pub(crate) place: Place,
    pub(crate) policy: Policy,
}

impl LayerOpts {
    fn policy(&self) -> Result<Policy, Failure> {
        let policy = Policy::new(self.without_layer.iter().copied(), self.with_layer.iter().copied());
        policy.map_err(|error| Failure::usage(error.to_string()))
    }

    /// The same options for a process of this program.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = OsString> {
        let without = self.without_layer.iter().map(|layer| ("--without-layer", layer));
        let with = self.with_layer.iter().map(|layer| ("--with-layer", layer));
        without.chain(with).flat_map(|(option, layer)| [option.into(), layer.to_string().into()])
    }

    /// For submissions of strangers: in boxed children, or not at all.
    pub(crate) fn required(&self) -> Result<Sandbox, Failure> {
        let policy = self.policy()?;
        let missing = missing(&policy);
        if missing.is_empty() {
            return Ok(Sandbox { place: Place::Boxed, policy });
        }
        let options: Vec<_> = missing.iter().map(|(layer, _)| format!("--without-layer {layer}")).collect();
        Err(Failure::input(format!(
            "this machine lacks layers of the box around guests: {}. To run without them all the same: {}",
            reasons(&missing),
            options.join(" ")
        )))
    }

    /// For a builder's own submissions: in boxed children where the machine has the layers.
    pub(crate) fn preferred(&self, in_process: bool) -> Result<Sandbox, Failure> {
        let policy = self.policy()?;
        let missing = missing(&policy);
        if missing.is_empty() && !in_process {
            return Ok(Sandbox { place: Place::Boxed, policy });
        }
        if !in_process {
            output::note(&format!("note: the submission runs in this process, since {}", reasons(&missing)));
        }
        Ok(Sandbox::in_process())
    }

    /// By the mode of a run.
    pub(crate) fn sandbox(&self, mode: Mode, in_process: bool) -> Result<Sandbox, Failure> {
        match mode {
            Mode::Official => self.required(),
            Mode::Validation => self.preferred(in_process),
        }
    }
}

impl Sandbox {
    /// Without children for guests; the compile child has what layers there are.
    pub(crate) fn in_process() -> Self {
        let without = missing(&Policy::default()).into_iter().map(|(layer, _)| layer);
        Self { place: Place::InProcess, policy: Policy::new(without, []).unwrap_or_default() }
    }
}

/// The layers of a policy that the kernel does not have, and why.
fn missing(policy: &Policy) -> Vec<(Layer, String)> {
    let kernel = Kernel::probe();
    policy.layers().into_iter().filter_map(|layer| Some((layer, kernel.objection(layer)?))).collect()
}

fn reasons(missing: &[(Layer, String)]) -> String {
    missing.iter().map(|(layer, reason)| format!("{layer} ({reason})")).collect::<Vec<_>>().join("; ")
}
