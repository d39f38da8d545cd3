//! Every structural rule is broken once.

use crate::components::{appended, guest, inspect, plain, replaced, rule, text};

fn says(component: &[u8], id: &str, words: &str) {
    let refusal = inspect(component).unwrap_err();
    assert_eq!(refusal.rule(), id, "{refusal}");
    let message = refusal.to_string();
    assert!(message.contains(words), "`{words}` is not in `{message}`");
    assert!(!refusal.remedy().is_empty());
}

#[test]
fn not_a_component() {
    says(b"", "not_a_component", "is not WebAssembly");
    says(b"PK\x03\x04", "not_a_component", "is not WebAssembly");
    says(b"\0asm\x01\0\0\0", "not_a_component", "is a core module");
}

#[test]
fn malformed() {
    for length in [8, 9, 100, 1000, plain().len() - 1] {
        let cut = &plain()[..length];
        assert_ne!(rule(cut), "admitted", "{length} bytes");
    }
    says(&guest("(func (result i32) (i64.const 0))"), "malformed", "type mismatch");
}

#[test]
fn one_code_module() {
    let second = "(core module $x (func (loop))) (core instance (instantiate $x))";
    says(&appended(second), "one_code_module", "core module 3 has code of its own (function 0 of core module 3)");
    let code_and_start = "(core module $x (func unreachable) (start 0)) (core instance (instantiate $x))";
    assert_eq!(rule(&appended(code_and_start)), "one_code_module");
    let with_data = "(core module $x (data \"weights\")) (core instance (instantiate $x))";
    says(&appended(with_data), "one_code_module", "core module 3 has a data segment");
    let table_without_code = "(core module $x (table 1 1 funcref)) (core instance (instantiate $x))";
    assert_eq!(rule(&appended(table_without_code)), "one_code_module");
    says(&wat::parse_str(NO_CODE).unwrap(), "one_code_module", "no core module with code");
}

/// Exports interfaces without any function.
const NO_CODE: &str = r#"(component
  (instance $i)
  (export "thimble:solution/learner@0.1.0" (instance $i))
  (export "thimble:solution/predictor@0.1.0" (instance $i)))"#;

#[test]
fn a_shim_passes_its_parameters_on_and_nothing_else() {
    let shim = "(core module $wit-component-shim-module (;1;)";
    for field in [
        "(func (loop (br 0)))",
        "(func (param i32) local.get 0 i32.const 0 i32.add drop)",
        "(func (result i32) i32.const 0)",
        "(func unreachable)",
        "(global i32 (i32.const 7))",
        "(memory 0)",
    ] {
        // Put last in the module, so that the numbers of what is there stay as they are.
        let (head, tail) = text().split_once(shim).unwrap();
        let (module, tail) = tail.split_once("(@producers").unwrap();
        let component = wat::parse_str(format!("{head}{shim}{module}{field}(@producers{tail}")).unwrap();
        let found = rule(&component);
        assert!(found == "one_code_module" || found == "memories", "{field}: {found}");
    }
}

#[test]
fn module_instances() {
    let twice = "(core instance (instantiate $wit-component-shim-module))";
    says(&appended(twice), "module_instances", "core module 1 is instantiated 2 times");
    says(&appended("(core module)"), "module_instances", "core module 3 is instantiated 0 times");
}

#[test]
fn nested_component() {
    for (inside, words) in [
        ("(core module)", "holds a core module"),
        ("(component)", "holds another component"),
        ("(instance)", "holds an instance"),
        ("(core instance)", "holds a core instance"),
        ("(import \"i\" (instance))", "imports something other than a function or type: instance"),
        ("(type (resource (rep i32))) (core func (canon resource.drop 0))", "holds a canonical function"),
    ] {
        says(&appended(&format!("(component {inside})")), "nested_component", words);
    }
}

#[test]
fn lower_imports_only() {
    // The guest's own lifted function.
    let options = "(memory (core memory $main \"memory\")) (realloc (core func $main \"cabi_realloc\"))";
    let own = format!("(core func (canon lower (func $solve) {options}))");
    says(&appended(&own), "lower_imports_only", "is not a function of an import");
    // The same through the instance that exports it, and through the export.
    for instance in ["$thimble:solution/learner@0.1.0-shim-instance", "$thimble:solution/learner@0.1.0"] {
        let through = format!(
            "(alias export {instance} \"solve\" (func $s))
             (core func (canon lower (func $s) {options}))"
        );
        assert_eq!(rule(&appended(&through)), "lower_imports_only", "{instance}");
    }
    // An imported function is what lowering is for.
    let imported =
        "(alias export $thimble:solution/journal@0.1.0 \"fuel-left\" (func $f)) (core func (canon lower (func $f)))";
    assert_eq!(rule(&appended(imported)), "admitted");
}

#[test]
fn canonical_option() {
    says(&replaced("string-encoding=utf8", "string-encoding=utf16"), "canonical_option", "UTF-16");
    says(&replaced("string-encoding=utf8", "string-encoding=latin1+utf16"), "canonical_option", "Latin-1");
    says(&replaced("string-encoding=utf8)", "string-encoding=utf8 async)"), "canonical_option", "async");
}

#[test]
fn canonical_function() {
    says(&appended("(core func (canon waitable-set.new))"), "canonical_function", "WaitableSetNew");
    says(&appended("(core func (canon thread.available_parallelism))"), "canonical_function", "Thread");
}

#[test]
fn component_item() {
    says(&appended("(core type (module))"), "component_item", "core types");
    says(&appended("(alias outer 0 0 (core module))"), "component_item", "outer alias");
    let start = "(alias export $thimble:solution/journal@0.1.0 \"fuel-left\" (func $f)) (start $f (result (value)))";
    says(&appended(start), "component_item", "start function");
}

#[test]
fn import() {
    let journal = "(import \"thimble:solution/journal@0.1.0\" (instance";
    let sockets = replaced(journal, "(import \"wasi:sockets/tcp@0.2.6\" (instance");
    says(&sockets, "import", "imports wasi:sockets/tcp@0.2.6, which this host does not provide");
    assert!(inspect(&sockets).unwrap_err().remedy().contains("std::net"));
    says(&replaced(journal, "(import \"wasi:http/types@0.2.0\" (instance"), "import", "wasi:http/types@0.2.0");
    says(&replaced(journal, "(import \"wasi:io/poll@0.3.0\" (instance"), "import", "not of WASI 0.2");
    says(&appended("(import \"f\" (func))"), "import", "is a func");
    says(&appended("(import \"t\" (type (sub resource)))"), "import", "is a type");
}

#[test]
fn contract_version() {
    let words = "speaks thimble:solution@0.2.0, this host speaks thimble:solution@0.1.0";
    says(&replaced("@0.1.0\"", "@0.2.0\""), "contract_version", words);
    says(
        &replaced("(import \"thimble:solution/data@0.1.0\"", "(import \"thimble:solution/data@0.2.0\""),
        "contract_version",
        words,
    );
    says(
        &replaced("\"thimble:solution/learner@0.1.0\" (instance", "\"thimble:solution/learner@0.2.0\" (instance"),
        "contract_version",
        words,
    );
    says(
        &replaced("(import \"thimble:solution/data@0.1.0\"", "(import \"thimble:solution/data\""),
        "contract_version",
        "without a version",
    );
}

#[test]
fn export() {
    let learner = "\"thimble:solution/learner@0.1.0\" (instance";
    says(&replaced(learner, "\"thimble:solution/teacher@0.1.0\" (instance"), "export", "is not part of");
    says(&replaced(learner, "\"wasi:cli/run@0.2.0\" (instance"), "export", "is not part of");
    let (head, tail) = text().split_once("(export $thimble:solution/learner@0.1.0").unwrap();
    let (_, tail) = tail.split_once("))").unwrap();
    says(&wat::parse_str(format!("{head}{tail}")).unwrap(), "export", "does not export thimble:solution/learner@0.1.0");
    says(
        &appended("(alias export $thimble:solution/journal@0.1.0 \"log\" (func $l)) (export \"l\" (func $l))"),
        "export",
        "is a func",
    );
}

#[test]
fn a_table_states_its_maximum() {
    assert_eq!(rule(&guest("(table 1 1 funcref)")), "admitted");
    assert_eq!(rule(&guest("(table 1 funcref)")), "table_maximum");
}
