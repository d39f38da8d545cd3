//! Components for the tests: a core module in text, made a component by wit-component from `wit/thimble.wit` as the
//! guest toolchain does it, and edits of the result's text.

use std::sync::LazyLock;

use thimble_admission::{Facts, Limit, Refusal, StaticLimits, inspect_all};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A module with the exports of world `solution`, whose functions do nothing. `$probe` is for extra fields to refer to.
fn core_module(extra: &str) -> String {
    format!(
        r#"(module
  (type (func (param i32) (result i32)))
  (import "thimble:solution/data@0.1.0" "[method]loader.next" (func (param i32 i32)))
  (import "thimble:solution/data@0.1.0" "[method]loader.rewind" (func (param i32)))
  (import "thimble:solution/data@0.1.0" "[resource-drop]loader" (func (param i32)))
  (import "thimble:solution/journal@0.1.0" "log" (func (param i32 i32)))
  (import "thimble:solution/journal@0.1.0" "fuel-left" (func (result i64)))
  (import "[export]thimble:solution/predictor@0.1.0" "[resource-new]model" (func (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $stack (mut i32) (i32.const 65536))
  (func (export "thimble:solution/learner@0.1.0#solve") (param i32) (result i32) (unreachable))
  (func (export "thimble:solution/predictor@0.1.0#[static]model.load") (param i32) (result i32) (unreachable))
  (func (export "thimble:solution/predictor@0.1.0#[method]model.predict") (param i32 i32 i32) (result i32)
    (unreachable))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
  (func $probe (export "probe"))
  {extra})"#
    )
}

/// A valid submission whose core module has `extra` fields.
pub(crate) fn guest(extra: &str) -> Vec<u8> {
    static CONTRACT: LazyLock<Resolve> = LazyLock::new(|| {
        let mut resolve = Resolve::default();
        resolve.push_str("thimble.wit", include_str!("../../../../wit/thimble.wit")).unwrap();
        resolve
    });
    let mut module = wat::parse_str(core_module(extra)).unwrap();
    let (world, _) = CONTRACT.worlds.iter().find(|(_, world)| world.name == "solution").unwrap();
    embed_component_metadata(&mut module, &CONTRACT, world, StringEncoding::UTF8, false).unwrap();
    // Its own validation is off: some tests want what it would refuse.
    ComponentEncoder::default().validate(false).module(&module).unwrap().encode().unwrap()
}

/// The plainest valid submission.
pub(crate) fn plain() -> &'static [u8] {
    static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| guest(""));
    &PLAIN
}

/// The plain submission with every `from` in its text replaced by `to`; `from` must occur.
pub(crate) fn replaced(from: &str, to: &str) -> Vec<u8> {
    let text = text();
    assert!(text.contains(from), "no `{from}` in\n{text}");
    wat::parse_str(text.replace(from, to)).unwrap()
}

/// The plain submission with `fields` at the end of the outermost component.
pub(crate) fn appended(fields: &str) -> Vec<u8> {
    let (head, _) = text().trim_end().rsplit_once(')').unwrap();
    wat::parse_str(format!("{head}{fields})")).unwrap()
}

/// The plain submission as text.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| wasmprinter::print_bytes(plain()).unwrap());
    &TEXT
}

/// A custom section of exactly `bytes` bytes with its header.
pub(crate) fn custom_section(bytes: usize) -> Vec<u8> {
    // Id, five bytes of padded length, a name of length 0.
    let contents = u32::try_from(bytes - 6).unwrap();
    let mut section = vec![0];
    for shift in [0, 7, 14, 21] {
        section.push(((contents >> shift) & 0x7f) as u8 | 0x80);
    }
    section.push((contents >> 28) as u8);
    section.resize(bytes, 0);
    section
}

/// The answer of admission, with which the list of all refusals must agree.
pub(crate) fn inspect(component: &[u8]) -> Result<Facts, Refusal> {
    let first = thimble_admission::inspect(component, &StaticLimits::OFFICIAL);
    let all = inspect_all(component, &StaticLimits::OFFICIAL);
    match &first {
        Ok(facts) => assert_eq!((all.facts.as_ref(), all.refusals.as_slice()), (Some(facts), [].as_slice())),
        Err(refusal) => assert_eq!(all.refusals.first().map(Refusal::rule), Some(refusal.rule())),
    }
    first
}

pub(crate) fn rule(component: &[u8]) -> &'static str {
    inspect(component).map(|_| "admitted").unwrap_or_else(|refusal| refusal.rule())
}

/// How much of a limit a component uses.
pub(crate) fn used(facts: &Facts, limit: Limit) -> u64 {
    facts.limits.iter().find(|entry| entry.rule == limit.rule()).unwrap().used
}
