//! What is admitted, and what is counted in it.

use thimble_admission::{Facts, IMPORTS, Limit, required_features};

use crate::components::{custom_section, guest, inspect, plain, replaced, used};

#[test]
fn wit_components_output_is_admitted() {
    let facts = inspect(plain()).unwrap();
    assert_eq!(facts.memories, 1);
    assert_eq!(facts.memory_pages, 1);
    assert!(!facts.has_start);
    assert_eq!(
        facts.imports,
        ["data", "journal", "task", "tensors"].map(|name| format!("thimble:solution/{name}@0.1.0"))
    );
    // The guest, the shim and the fixup; a wrapper for each exported interface.
    assert_eq!(used(&facts, Limit::CoreModules), 3);
    assert_eq!(used(&facts, Limit::NestedComponents), 2);
}

#[test]
fn an_initialize_function_is_admitted_as_a_start_function() {
    let component = guest("(func (export \"_initialize\"))");
    let facts = inspect(&component).unwrap();
    assert!(facts.has_start);
}

#[test]
fn a_start_function_is_admitted_and_reported() {
    let facts = inspect(&guest("(func $s (loop (br 0))) (start $s)")).unwrap();
    assert!(facts.has_start);
}

#[test]
fn counted_bytes_are_all_bytes_outside_custom_sections() {
    let before = inspect(plain()).unwrap();
    assert_eq!(before.total_bytes, plain().len() as u64);
    assert_eq!(before.counted_bytes + before.custom_bytes, before.total_bytes);

    // At the outermost level.
    let outside = inspect(&[plain(), &custom_section(1000)].concat()).unwrap();
    assert_eq!(outside.custom_bytes, before.custom_bytes + 1000);
    assert_eq!(outside.counted_bytes, before.counted_bytes);

    // Inside the core module: its header is custom too (id, length, name).
    let inside = inspect(&guest(&format!("(@custom \"x\" \"{}\")", "a".repeat(100)))).unwrap();
    assert_eq!(inside.custom_bytes, before.custom_bytes + 100 + 2 + 2);
    assert_eq!(inside.counted_bytes, before.counted_bytes);
}

/// 1,000 weights as bytes of data, as globals, as elements and as code: each place counts.
#[test]
fn bytes_that_carry_weights_are_counted_wherever_they_stand() {
    let before = inspect(plain()).unwrap();
    let grown = |extra: &str, bytes: fn(&Facts) -> u64| {
        let after = inspect(&guest(extra)).unwrap();
        let grown = bytes(&after) - bytes(&before);
        assert!(grown >= 4000, "{grown} more bytes");
        assert!(after.counted_bytes - before.counted_bytes >= grown);
        grown
    };
    // The contents of a section begin with the number of its entries; those of the global section had one already.
    assert_eq!(grown(&format!("(data \"{}\")", "a".repeat(4000)), |f| f.data_bytes), 4000 + 1 + 1 + 2);
    assert_eq!(grown(&"(global v128 (v128.const i64x2 1 2))".repeat(250), |f| f.global_bytes), 250 * (2 + 18 + 1) + 1);
    let elements = format!("(elem func {})", "$probe ".repeat(4000));
    assert_eq!(grown(&elements, |f| f.element_bytes), 4000 + 1 + 1 + 1 + 2);
    assert_eq!(grown(&format!("(func {})", "nop ".repeat(4000)), |f| f.code_bytes), 4000 + 2);
}

#[test]
fn every_interface_of_the_allow_list_is_admitted() {
    for interface in IMPORTS.iter().filter(|name| name.starts_with("wasi:")) {
        for version in ["0.2.0", "0.2.6"] {
            let import = format!("(import \"{interface}@{version}\"");
            let component =
                replaced("(import \"thimble:solution/journal@0.1.0\" (instance", &format!("{import} (instance"));
            inspect(&component).unwrap();
        }
    }
}

#[test]
fn required_features_name_what_a_guest_needs() {
    let simd = required_features(&guest("(func (param v128) (result v128) local.get 0 f32x4.abs)"));
    assert!(simd.contains(&"SIMD") && !simd.contains(&"RELAXED_SIMD"), "{simd:?}");
    assert!(!simd.contains(&"REFERENCE_TYPES"), "{simd:?}");
    assert!(required_features(b"nothing").is_empty());
}

#[test]
fn facts_are_the_same_after_json() {
    let facts = inspect(plain()).unwrap();
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&json).unwrap(), facts);
}
