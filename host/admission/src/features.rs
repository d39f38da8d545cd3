//! The WebAssembly language a submission may use.

use wasmparser::{Validator, WasmFeatures};

use crate::refusal::Refusal;

/// The allow-list: WebAssembly 2.0 without garbage-collected references, extended constant expressions, relaxed SIMD
/// and the component model's base (no async, no threads, no values).
///
/// It is built up from nothing, so a feature that a later wasmparser turns on by default stays off. `externref` falls
/// with `GC_TYPES`; `funcref` tables and `table.grow` stay, they are priced.
pub fn features() -> WasmFeatures {
    WasmFeatures::WASM2.difference(WasmFeatures::GC_TYPES)
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::RELAXED_SIMD
        | WasmFeatures::COMPONENT_MODEL
}

/// Bits of the allow-list that stand inside a larger flag, which `iter_names` therefore leaves out.
const SUB_FEATURES: [(&str, WasmFeatures); 2] = [
    ("CALL_INDIRECT_OVERLONG", WasmFeatures::CALL_INDIRECT_OVERLONG),
    ("BULK_MEMORY_OPT", WasmFeatures::BULK_MEMORY_OPT),
];

/// The features that `component` cannot do without: those of [`features`] whose removal makes validation fail.
///
/// One validation for each flag, so for reports to people, not for admission. Empty if the component is invalid anyway.
pub fn required_features(component: &[u8]) -> Vec<&'static str> {
    let valid = |features| Validator::new_with_features(features).validate_all(component).is_ok();
    if !valid(features()) {
        return Vec::new();
    }
    // A larger flag is tried without its parts: a guest that only needs the part does not need the whole.
    let part_of = |flag: WasmFeatures| {
        SUB_FEATURES.iter().filter(|(_, sub)| *sub != flag && flag.contains(*sub)).map(|(_, sub)| *sub).collect()
    };
    features()
        .iter_names()
        .chain(SUB_FEATURES)
        .filter(|(_, flag)| !valid(features().difference(flag.difference(part_of(*flag)))))
        .map(|(name, _)| name)
        .collect()
}

/// Validates under the allow-list.
///
/// # Errors
/// A feature outside it, or bytes that are not WebAssembly.
pub(crate) fn validate(component: &[u8]) -> Result<(), Refusal> {
    validate_under(features(), component).map_err(|error| Refusal::malformed(&error))
}

/// Every feature outside the allow-list that validation meets, one a refusal; or that the bytes are not WebAssembly.
pub(crate) fn validate_all(component: &[u8]) -> Vec<Refusal> {
    let mut features = features();
    let mut refusals = Vec::new();
    while let Err(error) = validate_under(features, component) {
        match error.missing_wasm_feature() {
            // Allowed from here on, so that the next one shows.
            Some(missing) if !features.contains(missing) => {
                features |= missing;
                refusals.push(Refusal::malformed(&error));
            }
            // After a missing feature this may be a consequence of it.
            _ if refusals.is_empty() => return vec![Refusal::malformed(&error)],
            _ => break,
        }
    }
    refusals
}

fn validate_under(features: WasmFeatures, component: &[u8]) -> wasmparser::Result<()> {
    Validator::new_with_features(features).validate_all(component).map(drop)
}

/// The names of `features` for a message.
pub(crate) fn names(features: WasmFeatures) -> String {
    features.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::WasmFeaturesInflated;

    /// Every flag of wasmparser by name. The pattern is exhaustive: a flag added by an upgrade does not compile until
    /// someone has decided about it here.
    #[test]
    fn every_feature_flag_is_decided() {
        let WasmFeaturesInflated {
            mutable_global,
            saturating_float_to_int,
            sign_extension,
            reference_types,
            multi_value,
            bulk_memory,
            simd,
            relaxed_simd,
            threads,
            shared_everything_threads,
            tail_call,
            floats,
            multi_memory,
            exceptions,
            memory64,
            extended_const,
            component_model,
            function_references,
            memory_control,
            gc,
            custom_page_sizes,
            legacy_exceptions,
            gc_types,
            stack_switching,
            wide_arithmetic,
            cm_values,
            cm_nested_names,
            cm_async,
            cm_async_stackful,
            cm_more_async_builtins,
            cm_threading,
            cm_error_context,
            cm_fixed_length_lists,
            cm_gc,
            call_indirect_overlong,
            bulk_memory_opt,
            custom_descriptors,
            compact_imports,
            cm_map,
            cm64,
            cm_implements,
            cm_canon_names,
        } = features().inflate();
        let allowed = [
            ("mutable_global", mutable_global),
            ("saturating_float_to_int", saturating_float_to_int),
            ("sign_extension", sign_extension),
            ("reference_types", reference_types),
            ("call_indirect_overlong", call_indirect_overlong),
            ("multi_value", multi_value),
            ("bulk_memory", bulk_memory),
            ("bulk_memory_opt", bulk_memory_opt),
            ("simd", simd),
            ("relaxed_simd", relaxed_simd),
            ("floats", floats),
            ("extended_const", extended_const),
            ("component_model", component_model),
        ];
        let refused = [
            ("threads", threads),
            ("shared_everything_threads", shared_everything_threads),
            ("tail_call", tail_call),
            ("multi_memory", multi_memory),
            ("exceptions", exceptions),
            ("legacy_exceptions", legacy_exceptions),
            ("memory64", memory64),
            ("function_references", function_references),
            ("memory_control", memory_control),
            ("gc", gc),
            ("gc_types", gc_types),
            ("custom_page_sizes", custom_page_sizes),
            ("stack_switching", stack_switching),
            ("wide_arithmetic", wide_arithmetic),
            ("custom_descriptors", custom_descriptors),
            ("compact_imports", compact_imports),
            ("cm_values", cm_values),
            ("cm_nested_names", cm_nested_names),
            ("cm_async", cm_async),
            ("cm_async_stackful", cm_async_stackful),
            ("cm_more_async_builtins", cm_more_async_builtins),
            ("cm_threading", cm_threading),
            ("cm_error_context", cm_error_context),
            ("cm_fixed_length_lists", cm_fixed_length_lists),
            ("cm_gc", cm_gc),
            ("cm_map", cm_map),
            ("cm64", cm64),
            ("cm_implements", cm_implements),
            ("cm_canon_names", cm_canon_names),
        ];
        for (name, on) in allowed {
            assert!(on, "{name} must be allowed");
        }
        for (name, on) in refused {
            assert!(!on, "{name} must be refused");
        }
        // Bits without a name of their own would escape the pattern above.
        let flags = u32::try_from(allowed.len() + refused.len()).expect("a few dozen flags");
        assert_eq!(WasmFeatures::all().bits().count_ones(), flags);
        assert_eq!(features().bits().count_ones(), u32::try_from(allowed.len()).expect("a dozen flags"));
    }
}
