//! Admit: read the package and apply the static rules, before anything compiles a byte of it.

use thimble_admission::{Facts, StaticLimits, inspect};
use thimble_challenge::challenge::Limits;
use thimble_challenge::parameters;
use thimble_challenge::result::{Parameters, SubmissionRef};
use thimble_challenge::{Package, ParameterCount, Verdict};

use crate::stop::Stop;

/// A submission that may be compiled.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) package: Package,
    pub(crate) facts: Facts,
    /// What the manifest declares; a bare component and a `zip_project` declare nothing.
    pub(crate) declared: Option<ParameterCount>,
}

/// Reads a submission.
pub(crate) fn read(submission: &[u8]) -> Result<Package, Stop> {
    Package::read(submission).map_err(|error| Stop::guest(Verdict::Rejected, error.rule(), error.to_string()))
}

/// Applies the static rules.
pub(crate) fn admit(package: Package, limits: &Limits) -> Result<Admitted, Stop> {
    let declared = package.manifest.as_ref().and_then(|manifest| manifest.parameters);
    if let Some(value) = declared.filter(|value| *value > limits.parameters) {
        let message = format!("the manifest declares {value} parameters, the limit is {}", limits.parameters);
        return Err(Stop::guest(Verdict::Rejected, "declared_over_limit", message));
    }
    let facts = inspect(&package.component, &StaticLimits::OFFICIAL)
        .map_err(|refusal| Stop::guest(Verdict::Rejected, refusal.rule(), refusal.to_string()))?;
    Ok(Admitted { package, facts, declared })
}

/// How the result names this submission.
pub(crate) fn reference(package: &Package) -> SubmissionRef {
    SubmissionRef {
        name: package.manifest.as_ref().map(|manifest| manifest.name.clone()),
        version: package.manifest.as_ref().map(|manifest| manifest.version.clone()),
        package: package.package_digest,
        component: package.component_digest,
        component_bytes: package.component.len() as u64,
    }
}

impl Admitted {
    /// The parameters that the component's own bytes are, before it has run.
    pub(crate) fn embedded(&self, limits: &Limits) -> Option<Parameters> {
        parameters::count(&[], self.facts.counted_bytes, limits, self.declared).ok()
    }
}
