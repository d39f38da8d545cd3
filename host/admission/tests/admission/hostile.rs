//! Components made to harm the host. Each is refused before anything compiles it.

use crate::components::{appended, guest, inspect, replaced, rule};

fn feature(component: &[u8], name: &str) {
    let refusal = inspect(component).unwrap_err();
    assert_eq!(refusal.rule(), "feature", "{refusal}");
    assert!(refusal.to_string().contains(name), "{refusal}");
}

#[test]
fn features_outside_the_allow_list() {
    feature(&replaced("(memory (;0;) 1)", "(memory (;0;) 1 1 shared)"), "threads");
    feature(&guest("(func (drop (i32.atomic.load (i32.const 0))))"), "threads");
    feature(&replaced("(memory (;0;) 1)", "(memory (;0;) i64 1)"), "memory64");
    feature(&replaced("(memory (;0;) 1)", "(memory (;0;) 1 (pagesize 1))"), "custom-page-sizes");
    feature(&guest("(func (return_call $probe))"), "tail");
    feature(&guest("(tag)"), "exceptions");
    feature(&guest("(func throw_ref)"), "exceptions");
    feature(&guest("(type (struct (field i32)))"), "gc");
    feature(&guest("(rec (type (func)) (type (func)))"), "gc");
    feature(&guest("(func (drop (ref.i31 (i32.const 0))))"), "gc");
    feature(
        &guest("(func (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)) drop drop)"),
        "wide-arithmetic",
    );
    for externref in ["(table 1 1 externref)", "(func (param externref))", "(func (drop (ref.null extern)))"] {
        assert!(["feature", "malformed"].contains(&rule(&guest(externref))), "{externref}");
    }
    assert_eq!(rule(&replaced("(memory (;0;) 1)", "(memory (;0;) 1) (memory 1)")), "memories");
}

#[test]
fn features_of_the_allow_list_stay() {
    for admitted in [
        "(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "(table $t 1 2 funcref) (func (drop (table.grow $t (ref.null func) (i32.const 1))))",
        "(func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(func (param f32) (drop (i32.trunc_sat_f32_s (local.get 0))))",
        "(func (result i32 i32) (i32.const 1) (i32.const 2))",
    ] {
        assert_eq!(rule(&guest(admitted)), "admitted", "{admitted}");
    }
}

/// The three bombs measured against Cranelift (26 GB and an abort; 17.7 s; 15.7 s), and one of small functions (2.2 s).
#[test]
fn compile_bombs() {
    let many = |n: usize, text: &str| text.repeat(n);
    let locals_by_ifs = format!("(func (local {}) {})", many(49_999, "i32 "), many(22_000, "i32.const 0 if end "));
    assert_eq!(rule(&guest(&locals_by_ifs)), "function_locals");
    let locals_by_loops = format!("(func (local {}) {})", many(500, "i32 "), many(22_000, "loop end "));
    assert_eq!(rule(&guest(&locals_by_loops)), "function_complexity");
    // 40,000 loops: more than 30 s, where 20,000 branches took 4 s.
    assert_eq!(rule(&guest(&format!("(func {})", many(40_000, "loop end ")))), "function_control");
    let nested_loops = format!("(func {} {})", many(20_000, "loop "), many(20_000, "end "));
    assert_eq!(rule(&guest(&nested_loops)), "function_nesting");
    assert_eq!(rule(&guest(&many(52_000, "(func)"))), "functions");
    assert_eq!(rule(&guest(&many(1_001, "(global v128 (v128.const i64x2 0 0))"))), "globals");
}

/// Locals come in groups of a count and a type; the counts must not wrap around.
#[test]
fn locals_whose_count_overflows() {
    let wat = guest("(func (local i32 i64 f32) (local.set 0 (i32.const 1193046)))");
    // The three groups of one local each, found by the operator that follows.
    let at = wat.windows(6).position(|bytes| bytes == [1, 0x7f, 1, 0x7e, 1, 0x7d]).unwrap();
    let mut one_group = wat;
    // One group of 2^32 - 1 (five bytes), and the type.
    one_group[at - 1] = 1;
    one_group.splice(at..at + 6, [0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f]);
    assert_eq!(rule(&one_group), "function_locals");
}

#[test]
fn two_components_that_pass_strings() {
    let pair = r#"
      (component $callee
        (core module $m
          (memory (export "m") 1)
          (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)
          (func (export "f") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "f") (param "s" string)
          (canon lift (core func $i "f") string-encoding=utf16
            (memory (core memory $i "m")) (realloc (core func $i "r")))))
      (instance $callee (instantiate $callee))
      (core func (canon lower (func $callee "f") (memory $memory)))"#;
    assert_eq!(rule(&appended(pair)), "nested_component");
}

/// wasmparser reads nested types by recursion; 1.3 million levels would overflow any stack.
#[test]
fn types_nested_a_million_levels_deep() {
    let levels = (4 << 20) / 3 - 100;
    let mut section = vec![1]; // one type
    for _ in 0..levels {
        section.extend([0x42, 1, 1]); // an instance type with one declaration, a type
    }
    section.extend([0x42, 0]);
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    component.push(7);
    let length = u32::try_from(section.len()).unwrap();
    component.extend([0, 7, 14, 21].map(|shift| ((length >> shift) & 0x7f) as u8 | 0x80));
    component.push((length >> 28) as u8);
    component.extend(section);
    assert_eq!(rule(&component), "type_nesting");
}

/// Counts in section headers are compared before anything is read or reserved for them.
#[test]
fn counts_that_promise_more_than_there_is() {
    for (section, id) in
        [(10, "imports"), (6, "component_items"), (8, "component_items"), (11, "exports"), (7, "malformed")]
    {
        let component = [&b"\0asm\x0d\0\x01\0"[..], &[section, 5, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert_eq!(rule(&component), id, "section {section}");
    }
}
