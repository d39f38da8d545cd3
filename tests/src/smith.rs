//! Random guests, written by `tests/smith` from fixed seeds into `target/smith`.

use anyhow::{Context as _, Result};
use wasmprinter::{Config, PrintFmtWrite};

use crate::evaluation::{product, products};
use crate::template::{Solution, solve};

/// Results of one call of the random function: an i32, an i64, an f32 and an f64, in 8 bytes each.
const RESULT_BYTES: u32 = 4 * 8;

/// What the function is called with: zeros, ones, the largest numbers, and what floats alone can be.
const ARGUMENTS: [&str; 4] = [
    "(i32.const 0) (i64.const 0) (f32.const 0) (f64.const -0)",
    "(i32.const 1) (i64.const -1) (f32.const 1.5) (f64.const -2.25)",
    "(i32.const 0x7fffffff) (i64.const 0x8000000000000000) (f32.const 0x1p-149) (f64.const 0x1.fffffffffffffp+1023)",
    "(i32.const 4096) (i64.const 65536) (f32.const nan:0x200001) (f64.const inf)",
];

/// What a solution of [`modules`] does around the random function.
const FIELDS: &str = r#"(func $keep (param $i i32) (param $l i64) (param $f f32) (param $d f64) (param $at i32)
    (i32.store (local.get $at) (local.get $i))
    (i64.store offset=8 (local.get $at) (local.get $l))
    (f32.store offset=16 (local.get $at) (local.get $f))
    (f64.store offset=24 (local.get $at) (local.get $d)))
  ;; Every word of the first 64 KiB, folded: what the random function stored counts as well as what it returned.
  (func $fold (result i64) (local $at i32) (local $sum i64)
    (loop $next
      (local.set $sum (i64.xor (i64.rotl (local.get $sum) (i64.const 7)) (i64.load (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 65536))))
    (local.get $sum))"#;

/// A random module inside a solution: `solve` calls it with each of four sets of arguments and returns every bit that came
/// back, with sums over the memory and the module's globals, as its parameters; `predict` calls it once for each batch.
///
/// # Errors
/// When the module's text cannot be taken apart.
pub fn solution(module: &[u8]) -> Result<Solution> {
    let mut text = String::new();
    Config::new().name_unnamed(true).print(module, &mut PrintFmtWrite(&mut text))?;
    let run = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("(export \"run\" (func ")?.strip_suffix("))"))
        .context("the module exports no function `run`")?
        .to_owned();
    // Its memory, imported or its own, is the solution's, which has the same number 0.
    let inside = |line: &&str| !["(import ", "(memory ", "(export "].iter().any(|start| line.trim().starts_with(start));
    let fields: Vec<&str> = text.lines().skip(1).filter(inside).collect();
    let fields = fields.join("\n");
    let fields = fields.trim_end().strip_suffix(')').context("the module has no end")?;

    let globals: String = text.lines().filter_map(global).map(|(name, ty)| fold_global(name, ty)).collect();
    let values = RESULT_BYTES * ARGUMENTS.len() as u32;
    let calls: String = ARGUMENTS
        .iter()
        .zip((0..).step_by(RESULT_BYTES as usize))
        .map(|(arguments, at)| {
            format!("(call {run} {arguments}) (call $keep (i32.add (local.get $at) (i32.const {at})))")
        })
        .collect();
    let body = format!(
        "(local $at i32) (local $sum i64) (local.set $at (call $alloc (i32.const 8) (i32.const {bytes})))
        {calls}
        (i64.store offset={values} (local.get $at) (call $fold))
        {globals}
        (i64.store offset={after} (local.get $at) (local.get $sum))
        (i32.store (i32.const 160) (i32.const {bytes}))
        (call $tensor (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 160) (i32.const 1)
          (i32.const 5) (local.get $at) (i32.const {bytes}))
        (call $result (i32.const 0) (i32.const 128) (i32.const 1))",
        after = values + 8,
        bytes = values + 16
    );
    let mut solution = solve(&body).with_fields(FIELDS).with_fields(fields);
    let drop_all = "(drop) (drop) (drop) (drop)";
    solution.predict = format!("(call {run} {}) {drop_all} {}", ARGUMENTS[1], solution.predict);
    Ok(solution)
}

/// The name and type of a global that a line of a module's text defines.
fn global(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim().strip_prefix("(global ")?.split_once(' ')?;
    // After the name comes its number, as a comment.
    let ty = rest.split_once(";) ").map_or(rest, |(_, ty)| ty);
    Some((name, ty.strip_prefix("(mut ").unwrap_or(ty).split([' ', ')']).next()?))
}

/// Operators that add a global to `$sum`: it is where the generator leaves what it would have to drop.
fn fold_global(name: &str, ty: &str) -> String {
    let value = format!("(global.get {name})");
    let words = match ty {
        "i32" => vec![format!("(i64.extend_i32_u {value})")],
        "i64" => vec![value],
        "f32" => vec![format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))")],
        "f64" => vec![format!("(i64.reinterpret_f64 {value})")],
        "v128" => [0, 1].map(|lane| format!("(i64x2.extract_lane {lane} {value})")).to_vec(),
        // A reference has no bits.
        _ => Vec::new(),
    };
    let fold = |word| format!("(local.set $sum (i64.xor (i64.rotl (local.get $sum) (i64.const 7)) {word}))\n");
    words.into_iter().map(fold).collect()
}

/// The random modules inside solutions, as components, by the file's name.
///
/// # Panics
/// When they are not written, or one cannot be taken apart.
pub fn modules() -> Vec<(String, Vec<u8>)> {
    files("module-", |module| solution(module).expect("a generated module has the shape asked for").component())
}

/// The random components, as they are.
///
/// # Panics
/// When they are not written.
pub fn components() -> Vec<(String, Vec<u8>)> {
    files("component-", <[u8]>::to_vec)
}

fn files(prefix: &str, make: impl Fn(&[u8]) -> Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let first = product(&format!("smith/{prefix}000.wasm"));
    let directory = first.parent().map_or_else(products, std::path::Path::to_path_buf);
    let entries = std::fs::read_dir(&directory).expect("the directory of random guests is readable");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .collect();
    files.sort();
    let named = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        (name.expect("a file has a name"), make(&bytes))
    };
    files.into_iter().map(named).collect()
}
