//! For every operator of the tariff, a piece of function body that executes it once beside operators that cost nothing.

/// Locals and module fields that [`of`] uses.
pub const LOCALS: &str =
    "(local $i i32) (local $zero i32) (local $l i64) (local $f f32) (local $d f64) (local $v v128)";

/// Gives the locals values that every operator can take.
pub const SET_UP: &str = "(local.set $i (i32.const 2048)) (local.set $l (i64.const 3)) (local.set $f (f32.const 1.5))
    (local.set $d (f64.const 1.5)) (local.set $v (v128.const f32x4 1.5 2.5 3.5 4.5))";

/// Module fields that [`of`] uses.
pub const FIELDS: &str = r#"(type $empty_type (func))
    (func $empty) (func $returns return)
    (table $table 8 8 funcref) (elem $declared declare func $empty) (elem (table $table) (i32.const 0) func $empty)
    (elem $passive func $empty)
    (global $g (mut i32) (i32.const 0))
    (data $passive_data "abc")"#;

/// A snippet, and what it costs beside the operator itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Folded or flat text; leaves the stack as it was.
    pub text: String,
    /// Fuel of other operators in it.
    pub beside: u64,
}

/// The snippet of an operator by its name in the text format, written with underscores: `i32_trunc_sat_f32_s`.
/// `None`: `unreachable` cannot be executed on the way to somewhere else, and no module with a selection of several
/// values is valid.
pub fn of(visit: &str) -> Option<Snippet> {
    if matches!(visit, "unreachable" | "typed_select_multi") {
        return None;
    }
    let (text, beside) = special(visit).unwrap_or_else(|| {
        let (prefix, rest) = visit.split_once('_').unwrap_or((visit, ""));
        let text =
            if matches!(prefix, "i32" | "i64" | "f32" | "f64") { scalar(prefix, rest) } else { vector(prefix, rest) };
        (text, 0)
    });
    Some(Snippet { text, beside })
}

/// Operators whose text is no `type.operation`, or that need something around them.
fn special(visit: &str) -> Option<(String, u64)> {
    let (text, beside) = match visit {
        "nop" => ("nop", 0),
        "drop" | "local_get" => ("local.get $i drop", 0),
        "local_set" => ("local.get $i local.set $i", 0),
        "local_tee" => ("local.get $i local.tee $i drop", 0),
        "block" | "end" => ("block end", 0),
        "loop" => ("loop end", 0),
        // An `if` costs 2.
        "else" => ("local.get $i if else end", 2),
        "if" => ("local.get $i if end", 0),
        "br" => ("block br 0 end", 0),
        "br_if" => ("block local.get $i br_if 0 end", 0),
        "br_table" => ("block local.get $i br_table 0 0 end", 0),
        // A call costs 8, and the function that is entered 1.
        "return" => ("call $returns", 8 + 1),
        "call" => ("call $empty", 1),
        "call_indirect" => ("local.get $zero call_indirect $table (type $empty_type)", 1),
        "select" => ("local.get $l local.get $l local.get $i select drop", 0),
        "typed_select" => ("local.get $l local.get $l local.get $i select (result i64) drop", 0),
        "global_get" => ("global.get $g drop", 0),
        "global_set" => ("local.get $i global.set $g", 0),
        "i32_const" => ("i32.const 7 drop", 0),
        "i64_const" => ("i64.const 7 drop", 0),
        "f32_const" => ("f32.const 7 drop", 0),
        "f64_const" => ("f64.const 7 drop", 0),
        "v128_const" => ("v128.const i64x2 7 7 drop", 0),
        "memory_size" => ("memory.size drop", 0),
        "memory_grow" => ("local.get $zero memory.grow drop", 0),
        "memory_copy" => ("local.get $i local.get $i local.get $zero memory.copy", 0),
        "memory_fill" => ("local.get $i local.get $i local.get $zero memory.fill", 0),
        "memory_init" => ("local.get $i local.get $zero local.get $zero memory.init $passive_data", 0),
        "data_drop" => ("data.drop $passive_data", 0),
        "table_get" => ("local.get $zero table.get $table drop", 0),
        // A null reference costs 16.
        "table_set" => ("local.get $zero ref.null func table.set $table", 16),
        "table_size" => ("table.size $table drop", 0),
        "table_copy" => ("local.get $zero local.get $zero local.get $zero table.copy $table $table", 0),
        "table_fill" => ("local.get $zero ref.null func local.get $zero table.fill $table", 16),
        "table_init" => ("local.get $zero local.get $zero local.get $zero table.init $table $passive", 0),
        "table_grow" => ("ref.null func local.get $zero table.grow $table drop", 16),
        "elem_drop" => ("elem.drop $passive", 0),
        "ref_null" => ("ref.null func drop", 0),
        "ref_is_null" => ("ref.null func ref.is_null drop", 16),
        "ref_func" => ("ref.func $empty drop", 0),
        _ => return None,
    };
    Some((text.to_owned(), beside))
}

fn local(of: &str) -> &'static str {
    match of {
        "i32" => "local.get $i",
        "i64" => "local.get $l",
        "f32" => "local.get $f",
        "f64" => "local.get $d",
        _ => "local.get $v",
    }
}

fn scalar(kind: &str, operation: &str) -> String {
    let own = local(kind);
    let operator = format!("{kind}.{operation}");
    let conversion = ["_i32", "_i64", "_f32", "_f64"].into_iter().find(|from| operation.contains(from));
    const UNARY: [&str; 14] = [
        "clz",
        "ctz",
        "popcnt",
        "eqz",
        "abs",
        "neg",
        "sqrt",
        "ceil",
        "floor",
        "trunc",
        "nearest",
        "extend8_s",
        "extend16_s",
        "extend32_s",
    ];
    if operation.starts_with("load") {
        format!("local.get $i {operator} drop")
    } else if operation.starts_with("store") {
        format!("local.get $i {own} {operator}")
    } else if let Some(from) = conversion {
        format!("{} {operator} drop", local(&from[1..]))
    } else if UNARY.contains(&operation) {
        format!("{own} {operator} drop")
    } else {
        format!("{own} {own} {operator} drop")
    }
}

fn vector(shape: &str, operation: &str) -> String {
    let operator = format!("{shape}.{operation}");
    let lane = match shape {
        "i8x16" | "i16x8" | "i32x4" => local("i32"),
        "i64x2" => local("i64"),
        "f32x4" => local("f32"),
        _ => local("f64"),
    };
    const UNARY: [&str; 19] = [
        "not",
        "any_true",
        "all_true",
        "bitmask",
        "abs",
        "neg",
        "popcnt",
        "sqrt",
        "ceil",
        "floor",
        "trunc",
        "nearest",
        "extend_",
        "extadd_",
        "trunc_sat_",
        "convert_",
        "demote_",
        "promote_",
        "relaxed_trunc_",
    ];
    const TERNARY: [&str; 5] =
        ["bitselect", "relaxed_madd", "relaxed_nmadd", "relaxed_laneselect", "relaxed_dot_i8x16_i7x16_add_s"];
    let unary = |name: &&str| operation == *name || (name.ends_with('_') && operation.starts_with(*name));
    match operation {
        _ if operation.starts_with("load") && operation.ends_with("lane") => {
            format!("local.get $i local.get $v {operator} 0 drop")
        }
        _ if operation.starts_with("load") => format!("local.get $i {operator} drop"),
        _ if operation.starts_with("store") && operation.ends_with("lane") => {
            format!("local.get $i local.get $v {operator} 0")
        }
        "store" => format!("local.get $i local.get $v {operator}"),
        "splat" => format!("{lane} {operator} drop"),
        "extract_lane" | "extract_lane_s" | "extract_lane_u" => format!("local.get $v {operator} 0 drop"),
        "replace_lane" => format!("local.get $v {lane} {operator} 0 drop"),
        "shl" | "shr_s" | "shr_u" => format!("local.get $v local.get $i {operator} drop"),
        "shuffle" => {
            let lanes = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15";
            format!("local.get $v local.get $v {operator} {lanes} drop")
        }
        _ if TERNARY.contains(&operation) => format!("local.get $v local.get $v local.get $v {operator} drop"),
        _ if UNARY.iter().any(unary) => format!("local.get $v {operator} drop"),
        _ => format!("local.get $v local.get $v {operator} drop"),
    }
}
