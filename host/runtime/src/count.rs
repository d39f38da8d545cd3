//! Count: what `solve` returned, against the limit and against what was declared.

use thimble_challenge::challenge::Limits;
use thimble_challenge::parameters::{self, ElementType, TensorFacts};
use thimble_challenge::result::Parameters;
use thimble_challenge::{ParameterCount, Verdict};

use crate::contract::{TensorResult, ValuesResult};
use crate::stop::Stop;

/// Counts. The count is returned also when it is over the limit.
pub(crate) fn count(
    tensors: &[TensorResult],
    component_bytes: u64,
    limits: &Limits,
    declared: Option<ParameterCount>,
) -> Result<Parameters, Stop> {
    let facts: Vec<_> = tensors.iter().map(facts).collect();
    parameters::count(&facts, component_bytes, limits, declared)
        .map_err(|error| Stop::guest(Verdict::InvalidOutput, error.rule(), error.to_string()))
}

/// The verdict on a count.
pub(crate) fn judge(parameters: &Parameters) -> Result<(), Stop> {
    let Parameters { counted, elements, bytes, embedded, declared, limit } = parameters;
    if counted > limit {
        return Err(Stop::guest(
            Verdict::OverParameterLimit,
            "parameters",
            format!(
                "{counted} parameters are over the limit of {limit} ({elements} values in {bytes} bytes, and {embedded} embedded in the component)"
            ),
        ));
    }
    if let Some(declared) = declared.filter(|declared| counted > declared) {
        return Err(Stop::guest(
            Verdict::InvalidOutput,
            "declared_parameters",
            format!(
                "{counted} parameters are more than the {declared} that the manifest declares; pack again with the larger number"
            ),
        ));
    }
    Ok(())
}

fn facts(tensor: &TensorResult) -> TensorFacts<'_> {
    let (element, len) = match &tensor.values {
        ValuesResult::F32(values) => (ElementType::F32, values.len()),
        ValuesResult::F64(values) => (ElementType::F64, values.len()),
        ValuesResult::S64(values) => (ElementType::S64, values.len()),
        ValuesResult::S32(values) => (ElementType::S32, values.len()),
        ValuesResult::S8(values) => (ElementType::S8, values.len()),
        ValuesResult::U8(values) => (ElementType::U8, values.len()),
        ValuesResult::Text(values) => (ElementType::Text, values.len()),
    };
    TensorFacts { name: &tensor.name, shape: &tensor.shape, element, len }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(counted: u64, declared: Option<u64>) -> Parameters {
        Parameters {
            counted: ParameterCount(counted),
            elements: counted,
            bytes: counted * 4,
            embedded: 0,
            declared: declared.map(ParameterCount),
            limit: ParameterCount(500_000),
        }
    }

    fn verdict(parameters: &Parameters) -> Option<(Verdict, String)> {
        match judge(parameters) {
            Err(Stop::Guest { verdict, message, .. }) => Some((verdict, message)),
            _ => None,
        }
    }

    #[test]
    fn parameters_at_the_limit_ok() {
        assert_eq!(verdict(&parameters(500_000, None)), None);
    }

    #[test]
    fn one_parameter_over_the_limit_err() {
        let (verdict, message) = verdict(&parameters(500_001, None)).expect("over the limit");
        assert_eq!(verdict, Verdict::OverParameterLimit);
        assert!(message.contains("500001") && message.contains("500000"), "{message}");
    }

    #[test]
    fn parameters_as_declared_ok_and_one_more_err() {
        assert_eq!(verdict(&parameters(7, Some(7))), None);
        let (verdict, _) = verdict(&parameters(8, Some(7))).expect("more than declared");
        assert_eq!(verdict, Verdict::InvalidOutput);
    }
}
