//! The unit of each kind. What a function computes is stored, or the compiler would drop it.

use wasm_encoder::{BlockType, Function, HeapType, InstructionSink, MemArg, MemArgTarget, ValType};

use super::module::{EMPTY, EMPTY_32, FOUR, GLOBALS, Program, TAKES_32, TAKES_I32, TAKES_NOTHING};

type Code<'a> = InstructionSink<'a>;
type Unit = (&'static str, fn(&mut Program));

/// Every kind of program by its unit. A unit of one function is near the limits on one function: 128 KiB, 4,096 control
/// operators, locals × control operators of 200,000, 256 levels of nesting, 1,024 block parameters.
pub(super) const ALL: &[Unit] = &[
    ("locals × ifs", |p| function(p, 199, |c| times(1_000, |i| if_sets_local(c, i, 199)))),
    ("few locals × ifs", |p| function(p, 48, |c| times(4_090, |i| if_sets_local(c, i, 48)))),
    ("locals × loops", |p| function(p, 99, |c| times(1_000, |i| loop_sets_local(c, i, 99)))),
    ("phis in nested loops", |p| function(p, 390, |c| nested_loops(c, 255, 390))),
    ("phis of early exits", |p| function(p, 490, early_exits)),
    ("branches out of deep blocks", |p| function(p, 50, |c| deep_branches(c, 3_700, 50))),
    ("branches out of deep blocks, many locals", |p| function(p, 390, |c| deep_branches(c, 256, 390))),
    ("values over ifs", |p| values_over(p, 10_000, |c| times(4_000, |_| _ = c.local_get(0).if_(EMPTY_BLOCK).end()))),
    ("values over loops", |p| {
        values_over(p, 10_000, |c| times(2_040, |_| _ = c.loop_(EMPTY_BLOCK).local_get(0).br_if(0).end()));
    }),
    ("values over calls", |p| values_over(p, 12_000, |c| times(25_000, |_| _ = c.call(EMPTY)))),
    ("values over indirect calls", |p| values_over(p, 12_000, |c| times(4_090, |_| indirect_call(c)))),
    ("a large br_table", |p| function(p, 10, large_table)),
    ("many br_tables", |p| function(p, 20, |c| times(1_950, |_| small_table(c)))),
    ("a deep tree of additions", |p| values_over(p, 21_000, |_| ())),
    ("a chain of selects", |p| chain(p, 20_000, |c, i| _ = c.local_get(i % 8).local_get(0).select())),
    ("a chain of comparisons", |p| chain(p, 42_000, |c, i| _ = c.local_get(i % 8).i32_lt_s())),
    ("a chain to simplify", |p| chain(p, 25_000, simplifiable)),
    ("divisions", |p| chain(p, 42_000, |c, i| _ = c.local_get(i % 8).i32_div_s())),
    ("vectors under pressure", |p| p.function(TAKES_I32, vectors_at_once())),
    ("canonical NaNs", |p| vector_chain(p, 16_000, |c, _| _ = c.local_get(1).f32x4_add().f32x4_sqrt())),
    ("vector shifts by bytes", |p| vector_chain(p, 31_000, |c, _| _ = c.local_get(0).i8x16_shr_s())),
    ("vector constants", |p| vector_chain(p, 6_500, |c, i| _ = c.v128_const(i128::from(i) << 40 | 77).v128_xor())),
    ("shuffles", |p| vector_chain(p, 6_500, |c, i| _ = c.local_get(1).i8x16_shuffle(lanes(i)))),
    ("stores", |p| function(p, 1, |c| times(18_000, |i| _ = c.local_get(0).local_get(0).i32_store(at(i % 64))))),
    ("bulk memory", |p| {
        function(p, 1, |c| times(4_090, |_| _ = c.local_get(0).local_get(0).local_get(0).memory_fill(0)));
    }),
    ("table growth", |p| {
        function(p, 1, |c| times(4_090, |_| _ = c.ref_null(HeapType::FUNC).local_get(0).table_grow(0).drop()));
    }),
    ("globals", |p| {
        function(p, 1, |c| times(20_000, |i| _ = c.global_get(i % GLOBALS).global_set(i * 7 % GLOBALS)));
    }),
    ("calls", |p| function(p, 1, |c| times(60_000, |_| _ = c.call(EMPTY)))),
    ("calls with 32 arguments", |p| function(p, 1, |c| times(1_900, |_| call_with_32(c)))),
    ("indirect calls", |p| function(p, 1, |c| times(4_090, |_| indirect_call(c)))),
    ("indirect calls, spread", |p| function(p, 1, |c| times(64, |_| indirect_call(c)))),
    ("empty loops", |p| function(p, 0, |c| times(4_090, |_| _ = c.loop_(EMPTY_BLOCK).end()))),
    ("loops, spread", |p| function(p, 20, |c| times(32, |i| loop_sets_local(c, i, 20)))),
    ("ifs with results", |p| chain(p, 2_045, diamond)),
    ("loops with 4 parameters", |p| function(p, 1, |c| loops_with_parameters(c, 256, 4, FOUR))),
    ("loops with 32 parameters", |p| function(p, 1, |c| loops_with_parameters(c, 32, 32, TAKES_32))),
    ("small functions", |p| function(p, 1, |c| _ = c.local_get(0).i32_load(at(0)).drop().call(EMPTY))),
    ("escaping functions with 32 parameters", |p| p.escaping_function(TAKES_32, body(0, |_| ()))),
    ("elements", |p| times(100, |_| p.element())),
    ("data segments", Program::data_segment),
    ("component types", |p| p.outer("(type (record (field \"a\" (list u8)) (field \"b\" string)))")),
    ("lowered imports", |p| p.outer(LOWERED)),
];

const EMPTY_BLOCK: BlockType = BlockType::Empty;

const LOWERED: &str = "(core func (canon lower (func $thimble:solution/journal@0.1.0 \"fuel-left\")))";

/// Memory at `offset` from the address on the stack.
fn at(offset: u32) -> MemArg {
    MemArg { offset: offset.into(), align: 0, target: MemArgTarget::Memory(0), ordering: None }
}

fn times(count: u32, step: impl FnMut(u32)) {
    (0..count).for_each(step);
}

fn body(locals: u32, code: impl FnOnce(&mut Code<'_>)) -> Function {
    let mut function = Function::new([(locals, ValType::I32)]);
    code(&mut function.instructions());
    function.instructions().end();
    function
}

/// A function of an address (local 0) and i32 locals.
fn function(program: &mut Program, locals: u32, code: impl FnOnce(&mut Code<'_>)) {
    // Without locals of its own a function does not take an address, either.
    let ty = if locals == 0 { TAKES_NOTHING } else { TAKES_I32 };
    program.function(ty, body(locals.saturating_sub(1), code));
}

/// Loads values, runs code over them, and adds them all up.
fn values_over(program: &mut Program, values: u32, code: impl FnOnce(&mut Code<'_>)) {
    function(program, 1, |c| {
        c.local_get(0);
        times(values, |_| _ = c.local_get(0).i32_load(at(0)));
        code(c);
        times(values - 1, |_| _ = c.i32_add());
        c.i32_store(at(0));
    });
}

/// A value on which each step works on.
fn chain(program: &mut Program, steps: u32, mut step: impl FnMut(&mut Code<'_>, u32)) {
    function(program, 8, |c| {
        times(8, |i| _ = c.local_get(0).i32_load(at(4 * i)).local_set(i));
        c.local_get(0).local_get(1);
        times(steps, |i| step(c, i));
        c.i32_store(at(0));
    });
}

/// The same with a vector; local 1 is another one.
fn vector_chain(program: &mut Program, steps: u32, mut step: impl FnMut(&mut Code<'_>, u32)) {
    let mut function = Function::new([(1, ValType::V128)]);
    let mut c = function.instructions();
    c.local_get(0).v128_load(at(0)).local_set(1).local_get(0).local_get(1);
    times(steps, |i| step(&mut c, i));
    c.v128_store(at(0)).end();
    program.function(TAKES_I32, function);
}

fn vectors_at_once() -> Function {
    body(0, |c| {
        c.local_get(0);
        times(14_000, |i| _ = c.local_get(0).v128_load(at(i % 100)));
        times(13_999, |_| _ = c.f32x4_add());
        c.v128_store(at(0));
    })
}

fn if_sets_local(c: &mut Code<'_>, i: u32, locals: u32) {
    c.local_get(i % locals).if_(EMPTY_BLOCK).local_get(i % locals).local_set((i * 7 + 1) % locals).end();
}

fn loop_sets_local(c: &mut Code<'_>, i: u32, locals: u32) {
    c.loop_(EMPTY_BLOCK).local_get(i % locals).local_get((i * 13 + 5) % locals).i32_add();
    c.local_set((i * 7 + 1) % locals).local_get((i + 1) % locals).br_if(0).end();
}

/// Every local changes in the innermost loop, so each is a phi of every loop.
fn nested_loops(c: &mut Code<'_>, depth: u32, locals: u32) {
    times(depth, |_| _ = c.loop_(EMPTY_BLOCK));
    times(locals, |i| _ = c.local_get(i).i32_load(at(0)).local_set((i + 5) % locals));
    times(depth, |i| _ = c.local_get(i % locals).br_if(0).end());
    times(locals, |i| _ = c.local_get(0).local_get(i).i32_store(at(0)));
}

/// A block left 400 times with different values of all locals.
fn early_exits(c: &mut Code<'_>) {
    c.block(EMPTY_BLOCK);
    times(400, |i| {
        c.local_get(i).i32_load(at(0)).local_set(i * 3 % 490).local_get(i).br_if(0);
    });
    c.end();
    times(490, |i| _ = c.local_get(0).local_get(i).i32_store(at(0)));
}

/// Branches to every depth, each after another local has changed: every local is a phi after each block.
fn deep_branches(c: &mut Code<'_>, branches: u32, locals: u32) {
    times(255, |_| _ = c.block(EMPTY_BLOCK));
    times(branches, |i| {
        c.local_get(i % locals).i32_load(at(0)).local_set(i * 7 % locals).local_get(i % locals).br_if(i % 255);
    });
    times(255, |_| _ = c.end());
    times(locals, |i| _ = c.local_get(0).local_get(i).i32_store(at(0)));
}

fn large_table(c: &mut Code<'_>) {
    let labels: Vec<u32> = (0..8_191).map(|i| i % 250).collect();
    times(250, |_| _ = c.block(EMPTY_BLOCK));
    c.local_get(0).br_table(labels, 0);
    times(250, |i| _ = c.end().local_get(0).local_get(0).i32_store(at(i)));
}

fn small_table(c: &mut Code<'_>) {
    c.block(EMPTY_BLOCK).local_get(0).br_table([0, 0, 0], 0).end();
}

fn simplifiable(c: &mut Code<'_>, i: u32) {
    match i % 5 {
        0 => c.i32_const((i % 60).cast_signed()).i32_add(),
        1 => c.local_get(2).i32_and(),
        2 => c.i32_const(-1).i32_xor(),
        3 => c.local_get(3).i32_or(),
        _ => c.local_get(4).i32_sub(),
    };
}

fn lanes(i: u32) -> [u8; 16] {
    std::array::from_fn(|lane| ((i >> lane) as u8).wrapping_mul(5) % 32)
}

fn call_with_32(c: &mut Code<'_>) {
    times(32, |_| _ = c.local_get(0));
    c.call(EMPTY_32);
}

fn indirect_call(c: &mut Code<'_>) {
    c.local_get(0).call_indirect(0, TAKES_NOTHING);
}

fn diamond(c: &mut Code<'_>, i: u32) {
    c.if_(BlockType::Result(ValType::I32)).local_get(i % 8).else_().local_get((i + 1) % 8).end();
}

/// Loops of type `ty`, which takes `params` values and leaves as many, or none.
fn loops_with_parameters(c: &mut Code<'_>, loops: u32, params: u32, ty: u32) {
    times(params, |i| _ = c.local_get(0).i32_load(at(i)));
    times(loops, |_| {
        c.loop_(BlockType::FunctionType(ty));
        if ty == FOUR {
            c.end();
        } else {
            times(params, |_| _ = c.drop());
            c.end();
            times(params, |i| _ = c.local_get(0).i32_load(at(i)));
        }
    });
    times(params, |_| _ = c.drop());
}
