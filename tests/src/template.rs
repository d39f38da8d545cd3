//! A complete solution in core WebAssembly text, of which a test replaces one part.
//!
//! Untouched, it is the smallest honest submission: `solve` returns one f32 tensor `w`, `predict` a score of zero for
//! every class of every row. Everything it computes can be read here, so that a test knows each operator that runs.

use crate::component::{CONTRACT, component, encode};

/// Where `solve` and `load` find the number of classes in their argument record.
pub const CLASSES_OFFSET: u32 = 28;
/// Where `solve` and `load` find the challenge's seed in their argument record.
pub const SEED_OFFSET: u32 = 88;

/// First byte that neither the runtime area nor [`Solution::data`] of at most this length reaches.
const DATA_AT: u32 = 1024;

/// The parts of the module. Every body may use the functions and globals listed in [`Solution::wat`].
#[derive(Debug, Clone)]
pub struct Solution {
    /// Pages of the memory at the start.
    pub pages: u32,
    /// Bytes at address 1024, readable by every body.
    pub data: Vec<u8>,
    /// Further module fields: globals, functions, tables.
    pub fields: String,
    /// `(param $args i32) (result i32)`: at `$args` the record (train i32, val i32, metadata).
    pub solve: String,
    /// `(param $result i32)`, after `solve`.
    pub post_solve: String,
    /// `(param $args i32) (result i32)`: at `$args` the record (parameters ptr i32, len i32, metadata).
    pub load: String,
    /// `(param $self i32) (param $inputs i32) (param $count i32) (result i32)`.
    pub predict: String,
    /// `(param $result i32)`, after `predict`.
    pub post_predict: String,
    /// `(param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)`.
    pub realloc: String,
}

impl Default for Solution {
    fn default() -> Self {
        Self {
            pages: 2,
            data: Vec::new(),
            fields: String::new(),
            solve: "(call $return_f32 (i32.const 8))".into(),
            post_solve: String::new(),
            load: "(call $return_model (local.get $args))".into(),
            predict: "(call $return_zeros (call $rows (local.get $inputs)))".into(),
            // The next call starts with the heap as `load` left it: a batch costs no memory that stays.
            post_predict: "(global.set $heap (global.get $mark))".into(),
            realloc: "(call $alloc (local.get $align) (local.get $size))".into(),
        }
    }
}

/// A solution whose `solve` is `body`.
pub fn solve(body: &str) -> Solution {
    Solution { solve: body.into(), ..Solution::default() }
}

/// A solution whose `load` is `body`.
pub fn load(body: &str) -> Solution {
    Solution { load: body.into(), ..Solution::default() }
}

/// A solution whose `predict` is `body`.
pub fn predict(body: &str) -> Solution {
    Solution { predict: body.into(), ..Solution::default() }
}

/// A solution whose `solve` returns `count` f32 values in one tensor.
pub fn returns_parameters(count: u32) -> Solution {
    solve(&format!("(call $return_f32 (i32.const {count}))"))
}

impl Solution {
    /// Adds module fields.
    #[must_use]
    pub fn with_fields(mut self, fields: &str) -> Self {
        self.fields.push_str(fields);
        self
    }

    /// Puts `data` at address 1024.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.data = data.into();
        self
    }

    /// Starts with `pages` of memory.
    #[must_use]
    pub fn with_pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// The component.
    ///
    /// # Panics
    /// When a body is not valid text: the test is wrong, not what it tests.
    pub fn component(&self) -> Vec<u8> {
        component(&self.wat()).expect("the hand-written guest encodes")
    }

    /// The component, with imports beyond the contract: as text of the module, of the world, and the packages that
    /// these are from.
    ///
    /// # Panics
    /// As [`component`](Self::component).
    pub fn component_with(&self, module: &str, world: &str, packages: &str) -> Vec<u8> {
        let text = self.wat().replacen("(module\n", &format!("(module\n{module}\n"), 1);
        let contract = CONTRACT.replacen("world solution {", &format!("world solution {{\n{world}"), 1);
        let module = wat::parse_str(text).expect("the module's text is right");
        encode(module, &format!("{contract}\n{packages}")).expect("the guest encodes")
    }

    /// The module's text.
    pub fn wat(&self) -> String {
        let heap = (DATA_AT as usize + self.data.len()).next_multiple_of(64);
        let pages = (self.pages as usize).max(heap.div_ceil(65_536) + 1);
        let data: String = self.data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let Self { fields, solve, post_solve, load, predict, post_predict, realloc, .. } = self;
        format!(
            r#"(module
{IMPORTS}
  (memory (export "memory") {pages})
  (global $heap (mut i32) (i32.const {heap}))
  (global $mark (mut i32) (i32.const 0))
  (global $classes (mut i32) (i32.const 0))
  (data (i32.const 256) "w")
  (data (i32.const 272) "scores")
  (data (i32.const {DATA_AT}) "{data}")
{HELPERS}
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    {realloc})
  (func (export "thimble:solution/learner@0.1.0#solve") (param $args i32) (result i32)
    {solve})
  (func (export "cabi_post_thimble:solution/learner@0.1.0#solve") (param $result i32)
    {post_solve})
  (func (export "thimble:solution/predictor@0.1.0#[static]model.load") (param $args i32) (result i32)
    {load})
  (func (export "thimble:solution/predictor@0.1.0#[method]model.predict") (param $self i32) (param $inputs i32) (param $count i32) (result i32)
    {predict})
  (func (export "cabi_post_thimble:solution/predictor@0.1.0#[method]model.predict") (param $result i32)
    {post_predict})
{fields}
)"#
        )
    }
}

const IMPORTS: &str = r#"  (import "thimble:solution/data@0.1.0" "[method]loader.samples" (func $samples (param i32) (result i64)))
  (import "thimble:solution/data@0.1.0" "[method]loader.next" (func $next (param i32 i32)))
  (import "thimble:solution/data@0.1.0" "[method]loader.rewind" (func $rewind (param i32)))
  (import "thimble:solution/data@0.1.0" "[resource-drop]loader" (func $drop_loader (param i32)))
  (import "thimble:solution/journal@0.1.0" "log" (func $log (param i32 i32)))
  (import "thimble:solution/journal@0.1.0" "record" (func $record (param i32 i32 i64 f64)))
  (import "thimble:solution/journal@0.1.0" "fuel-left" (func $fuel_left (result i64)))
  (import "[export]thimble:solution/predictor@0.1.0" "[resource-new]model" (func $new_model (param i32) (result i32)))"#;

/// Addresses: 64 the result record, 128 a tensor record, 192 the option<batch> of `$next`, 256 and 272 names.
const HELPERS: &str = r#"  (func $alloc (param $align i32) (param $size i32) (result i32) (local $at i32) (local $end i32)
    (local.set $at (i32.and
      (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (if (i32.lt_u (local.get $end) (local.get $at)) (then (unreachable)))
    (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
      (then (if (i32.eq (i32.const -1) (memory.grow (i32.add (i32.const 1)
          (i32.shr_u (i32.sub (local.get $end) (i32.shl (memory.size) (i32.const 16))) (i32.const 16)))))
        (then (unreachable)))))
    (global.set $heap (local.get $end))
    (local.get $at))
  ;; One result record for every export: ok (0) or error (1), and a pair of words.
  (func $result (param $case i32) (param $a i32) (param $b i32) (result i32)
    (i32.store8 (i32.const 64) (local.get $case))
    (i32.store (i32.const 68) (local.get $a))
    (i32.store (i32.const 72) (local.get $b))
    (i32.const 64))
  (func $error (param $text i32) (param $len i32) (result i32)
    (call $result (i32.const 1) (local.get $text) (local.get $len)))
  ;; A tensor record at $at: the shape has $rank words at $shape; $case counts f32 f64 s64 s32 s8 u8 text from 0.
  (func $tensor (param $at i32) (param $name i32) (param $name_len i32) (param $shape i32) (param $rank i32)
      (param $case i32) (param $values i32) (param $len i32)
    (i32.store (local.get $at) (local.get $name))
    (i32.store offset=4 (local.get $at) (local.get $name_len))
    (i32.store offset=8 (local.get $at) (local.get $shape))
    (i32.store offset=12 (local.get $at) (local.get $rank))
    (i32.store8 offset=16 (local.get $at) (local.get $case))
    (i32.store offset=20 (local.get $at) (local.get $values))
    (i32.store offset=24 (local.get $at) (local.get $len)))
  (func $return_f32 (param $count i32) (result i32)
    (i32.store (i32.const 160) (local.get $count))
    (call $tensor (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 160) (i32.const 1)
      (i32.const 0) (call $alloc (i32.const 4) (i32.shl (local.get $count) (i32.const 2))) (local.get $count))
    (call $result (i32.const 0) (i32.const 128) (i32.const 1)))
  (func $return_model (param $args i32) (result i32)
    (global.set $classes (i32.load offset=28 (local.get $args)))
    (global.set $mark (global.get $heap))
    (call $result (i32.const 0) (call $new_model (i32.const 1)) (i32.const 0)))
  ;; Rows of the first input tensor: the first word of its shape.
  (func $rows (param $inputs i32) (result i32) (i32.load (i32.load offset=8 (local.get $inputs))))
  ;; The first input tensor's values.
  (func $values (param $inputs i32) (result i32) (i32.load offset=20 (local.get $inputs)))
  ;; [$rows, classes] scores at $at as the answer of predict.
  (func $return_scores (param $rows i32) (param $at i32) (result i32)
    (i32.store (i32.const 160) (local.get $rows))
    (i32.store (i32.const 164) (global.get $classes))
    (call $tensor (i32.const 128) (i32.const 272) (i32.const 6) (i32.const 160) (i32.const 2)
      (i32.const 0) (local.get $at) (i32.mul (local.get $rows) (global.get $classes)))
    (call $result (i32.const 0) (i32.const 128) (i32.const 1)))
  (func $scores (param $rows i32) (result i32) (local $at i32) (local $bytes i32)
    (local.set $bytes (i32.shl (i32.mul (local.get $rows) (global.get $classes)) (i32.const 2)))
    (local.set $at (call $alloc (i32.const 4) (local.get $bytes)))
    (memory.fill (local.get $at) (i32.const 0) (local.get $bytes))
    (local.get $at))
  (func $return_zeros (param $rows i32) (result i32)
    (call $return_scores (local.get $rows) (call $scores (local.get $rows))))
  ;; The next batch of a loader: 1 and the batch at 196, or 0.
  (func $next_batch (param $loader i32) (result i32)
    (call $next (local.get $loader) (i32.const 192))
    (i32.load8_u (i32.const 192)))"#;
