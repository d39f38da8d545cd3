//! The slowest components that are known are judged in bounded time: 2 MiB of code, or 4 MiB of something else.

use std::time::{Duration, Instant};

use crate::components::{guest, inspect};

/// Far above what was measured (the slowest below takes a few hundred milliseconds on a quiet core), far below what an
/// algorithm that is not linear would take.
const BOUND: Duration = Duration::from_secs(5);

fn judged_in_time(name: &str, extra: &str) {
    let component = guest(extra);
    let start = Instant::now();
    let verdict = inspect(&component).map(|_| "admitted").unwrap_or_else(|refusal| refusal.rule());
    let elapsed = start.elapsed();
    println!("{name}: {} bytes, {verdict}, {elapsed:?}", component.len());
    assert!(elapsed < BOUND, "{name}: {elapsed:?}");
}

/// 15 functions of nearly 128 KiB each: `body` stands for `bytes` bytes of code. The last `unreachable` takes whatever
/// is left on the stack.
fn filled(types: &str, start: &str, body: &str, bytes: usize) -> String {
    let function = format!("(func {start} {} unreachable)", body.repeat(130_000 / bytes));
    format!("{types} {}", function.repeat(15))
}

#[test]
fn as_much_of_anything_as_is_read() {
    let wide = format!("(type $wide (func (param {}) (result {})))", "i32 ".repeat(32), "i32 ".repeat(4));
    let wide_function = format!("{wide} (func $wide (type $wide) unreachable)");
    judged_in_time("nops", &filled("", "", "nop ", 1));
    judged_in_time("constants", &filled("", "", "i32.const 0 drop ", 3));
    judged_in_time("blocks", &filled("", "", "block end ", 3));
    judged_in_time("wide calls", &filled(&wide_function, "unreachable", "call $wide ", 2));
    judged_in_time("wide blocks", &filled(&wide, "unreachable", "block (type $wide) unreachable end ", 4));
    let deep = format!("unreachable {}", "block ".repeat(250));
    let ends = "end ".repeat(250);
    judged_in_time(
        "deep branches",
        &format!("(func {deep} {} {ends})", "i32.const 0 br_if 249 ".repeat(3_840)).repeat(31),
    );
    let table = format!("br_table {} ", "0 ".repeat(8_000));
    judged_in_time("tables", &format!("(func (result i32 i32 i32 i32) unreachable {table})").repeat(8));
    judged_in_time("tables over the limit", &filled("", "unreachable", &"br_table 0 0 0 0 ".repeat(8), 48));
    judged_in_time("groups of locals", &format!("(func (local {}))", "i32 i64 ".repeat(100)).repeat(9_900));
    judged_in_time("data", &format!("(data \"{}\")", "a".repeat(4_180_000)));
    judged_in_time("elements", &format!("(elem func {})", "$probe ".repeat(4_180_000)));
    judged_in_time("element expressions", &format!("(elem funcref {})", "(ref.null func) ".repeat(99_000)));
}
