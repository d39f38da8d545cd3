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
}

/// Reads a submission.
pub(crate) fn read(submission: &[u8]) -> Result<Package, Stop> {
    Package::read(submission).map_err(|error| Stop::guest(Verdict::Rejected, error.rule(), error.to_string()))
}

/// Applies the static rules.
pub(crate) fn admit(package: Package) -> Result<Admitted, Stop> {
    let facts = inspect(&package.component, &StaticLimits::OFFICIAL)
        .map_err(|refusal| Stop::guest(Verdict::Rejected, refusal.rule(), refusal.to_string()))?;
    Ok(Admitted { package, facts })
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
    /// What the manifest declares; a submission that declares nothing declares the limit.
    pub(crate) fn declared(&self, limits: &Limits) -> ParameterCount {
        self.package.manifest.as_ref().and_then(|manifest| manifest.parameters).unwrap_or(limits.parameters)
    }

    /// The parameters that the component's own bytes are, before it has run.
    pub(crate) fn embedded(&self, limits: &Limits) -> Option<Parameters> {
        parameters::count(&[], self.facts.counted_bytes, limits, Some(self.declared(limits))).ok()
    }
}
