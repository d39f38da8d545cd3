//! Every broken rule is named, not only the first.

use thimble_admission::{Inspection, Limit, Refusal, StaticLimits, inspect_all};

use crate::components::{appended, custom_section, guest, plain, text};

fn all(component: &[u8]) -> Inspection {
    inspect_all(component, &StaticLimits::OFFICIAL)
}

fn rules(component: &[u8]) -> Vec<&'static str> {
    all(component).refusals.iter().map(Refusal::rule).collect()
}

#[test]
fn a_component_that_breaks_many_rules_is_told_of_each() {
    let text = text()
        .replace("(import \"thimble:solution/journal@0.1.0\" (instance", "(import \"wasi:sockets/tcp@0.2.6\" (instance")
        .replace("\"thimble:solution/learner@0.1.0\" (instance", "\"thimble:solution/teacher@0.1.0\" (instance")
        .replace("string-encoding=utf8", "string-encoding=utf16");
    let (head, _) = text.trim_end().rsplit_once(')').unwrap();
    let second = "(core module $x (memory i64 1) (func (loop))) (core instance (instantiate $x))";
    let mut component = wat::parse_str(format!("{head}{second})")).unwrap();
    component.extend(custom_section((1 << 20) + 1));

    let found = all(&component);
    let rules: Vec<_> = found.refusals.iter().map(Refusal::rule).collect();
    for expected in ["canonical_option", "export", "memories", "one_code_module", "custom_bytes", "import", "feature"] {
        assert!(rules.contains(&expected), "{expected} is not in {rules:?}");
    }
    assert!(found.facts.is_some_and(|facts| facts.custom_bytes > 1 << 20));
}

#[test]
fn every_feature_is_named_once() {
    let component = guest("(func (return_call $probe)) (func (try_table)) (tag)");
    let found = all(&component).refusals;
    let features: Vec<_> = found.iter().filter(|r| r.rule() == "feature").map(ToString::to_string).collect();
    assert_eq!(features.len(), found.len(), "{found:?}");
    for feature in ["exceptions", "tail-call"] {
        assert_eq!(features.iter().filter(|text| text.contains(feature)).count(), 1, "{feature}: {features:?}");
    }
}

#[test]
fn a_sum_over_its_limit_is_one_refusal_with_the_final_value() {
    let found = all(&guest(&"(data \"\")".repeat(1200))).refusals;
    assert_eq!(found.iter().map(Refusal::rule).collect::<Vec<_>>(), [Limit::DataSegments.rule()]);
    let globals = "(global i32 (i32.const 0))".repeat(700);
    let modules =
        ["$a", "$b"].map(|name| format!("(core module {name} {globals}) (core instance (instantiate {name}))"));
    let found = all(&appended(&modules.concat())).refusals;
    let sums: Vec<_> = found.iter().filter(|refusal| refusal.rule() == Limit::Globals.rule()).collect();
    // The guest has one of its own.
    assert_eq!(sums.iter().map(|sum| sum.limit_and_value()).collect::<Vec<_>>(), [Some((1000, 1401))]);
}

#[test]
fn each_function_over_a_limit_is_named_and_the_list_has_an_end() {
    let function = format!("(func (local {}))", "i32 ".repeat(2001));
    let two = all(&guest(&function.repeat(2))).refusals;
    let places: Vec<_> = two.iter().map(|refusal| refusal.place().to_string()).collect();
    assert_eq!(places.len(), 2);
    assert_ne!(places[0], places[1]);
    let many = all(&guest(&function.repeat(130)));
    assert_eq!((many.refusals.len(), many.unlisted), (100, 30));
}

#[test]
fn what_cannot_be_read_ends_the_list() {
    let mut component = custom_section((1 << 20) + 1);
    component.splice(0..0, plain()[..plain().len() / 2].iter().copied());
    let found = all(&component);
    assert!(found.facts.is_none() && !found.refusals.is_empty());
    assert_eq!(rules(b"\0asm\x01\0\0\0"), ["not_a_component"]);
}
