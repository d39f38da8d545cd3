//! Guests that keep more than the limit, or hide where they keep it.

use thimble_challenge::Verdict::{InvalidOutput, OverParameterLimit, Rejected};
use thimble_challenge::result::Phase;
use thimble_tests::case::{Case, case};
use thimble_tests::hostile;
use thimble_tests::template::{Solution, returns_parameters, solve};

/// Codes of the contract's value types.
const S64: u32 = 2;
const S8: u32 = 4;
const TEXT: u32 = 6;

/// A `solve` that returns one tensor: the name is `name_len` bytes at 1024, the shape `shape`, and `len` zero values of
/// the type `case`, each of `width` bytes.
fn one_tensor(name: &[u8], shape: &[u32], case: u32, len: u32, width: u32) -> Solution {
    let words = shape.iter().enumerate().map(|(i, word)| {
        format!("(i32.store (i32.add (local.get $shape) (i32.const {})) (i32.const {}))", i * 4, *word as i32)
    });
    let words: String = words.collect();
    solve(&format!(
        "(local $shape i32)
        (local.set $shape (call $alloc (i32.const 4) (i32.const {})))
        {words}
        (call $tensor (i32.const 128) (i32.const 1024) (i32.const {}) (local.get $shape) (i32.const {})
          (i32.const {case}) (call $alloc (i32.const 8) (i32.const {})) (i32.const {len}))
        (call $result (i32.const 0) (i32.const 128) (i32.const 1))",
        shape.len() * 4,
        name.len(),
        shape.len(),
        len * width
    ))
    .with_data(name)
}

/// A `solve` that returns `count` tensors of one value with names of `name_len` characters, each its own name when
/// `unique`.
fn many_tensors(count: u32, name_len: u32, unique: bool) -> Solution {
    let own = if unique { "(local.get $i)" } else { "(i32.const 0)" };
    solve(&format!(
        "(local $i i32) (local $at i32) (local $name i32)
        (local.set $at (call $alloc (i32.const 4) (i32.const {})))
        (i32.store (i32.const 160) (i32.const 1))
        (loop $more
          (local.set $name (call $alloc (i32.const 4) (i32.const {})))
          (memory.fill (local.get $name) (i32.const 97) (i32.const {name_len}))
          (i32.store8 (local.get $name) (i32.add (i32.const 97) (i32.and {own} (i32.const 15))))
          (i32.store8 offset=1 (local.get $name)
            (i32.add (i32.const 97) (i32.and (i32.shr_u {own} (i32.const 4)) (i32.const 15))))
          (i32.store8 offset=2 (local.get $name) (i32.add (i32.const 97) (i32.shr_u {own} (i32.const 8))))
          (call $tensor (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 28)))
            (local.get $name) (i32.const {name_len}) (i32.const 160) (i32.const 1)
            (i32.const 0) (i32.const 4096) (i32.const 1))
          (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {count}))))
        (call $result (i32.const 0) (local.get $at) (i32.const {count}))",
        count * 28,
        name_len.next_multiple_of(4).max(4),
    ))
}

fn over(guest: &Solution, counted: u64) -> Case {
    case(guest.component()).ends(OverParameterLimit, Phase::Count, "parameters").and(move |comparable| {
        let parameters = comparable.parameters.as_ref().expect("counted");
        assert_eq!(parameters.counted.0, counted);
        let message = &comparable.failure.as_ref().expect("a failure").message;
        let digits: String = message.chars().filter(|character| !matches!(character, ',' | '_' | ' ')).collect();
        assert!(digits.contains("500000") && digits.contains(&counted.to_string()), "both numbers in: {message}");
        let score = comparable.score.expect("over the limit scores");
        assert_eq!((score.value, score.unclamped), (0.0, None));
        assert!(!comparable.ranked);
    })
}

fn at_the_limit(guest: &Solution) -> Case {
    case(guest.component()).official().and(|comparable| {
        assert_eq!(comparable.parameters.as_ref().map(|parameters| parameters.counted.0), Some(500_000));
        assert!(comparable.ranked);
    })
}

/// `solve` returned, so it is charged for what it used.
fn refused(guest: &Solution, rule: &'static str) -> Case {
    case(guest.component()).ends(InvalidOutput, Phase::Count, rule).and(|comparable| {
        let compute = &comparable.compute;
        assert_eq!(compute.training_fuel, Some(compute.training_fuel_charged));
    })
}

hostile! {
    parameters_at_the_limit_ok => at_the_limit(&returns_parameters(500_000));
    parameters_one_over_the_limit_err => over(&returns_parameters(500_001), 500_001);
    parameters_hidden_in_the_data_section_count =>
        case(returns_parameters(8).with_data(vec![1; 500_000 * 4 + (256 << 10)]).component())
            .ends(OverParameterLimit, Phase::Admit, "parameters")
            .and(|comparable| {
                let parameters = comparable.parameters.as_ref().expect("counted");
                assert!(parameters.embedded > 500_000, "{parameters:?}");
                assert_eq!(comparable.compute.training_fuel_charged.0, 0, "it need not run to be over the limit");
            });
    /// Neither the embedded nor the returned ones are over the limit, together they are.
    parameters_in_the_data_section_and_returned_are_summed =>
        case(returns_parameters(300_000).with_data(vec![1; 250_000 * 4 + (256 << 10)]).component())
            .ends(OverParameterLimit, Phase::Count, "parameters")
            .and(|comparable| {
                let parameters = comparable.parameters.as_ref().expect("counted");
                assert!(parameters.embedded > 250_000, "{parameters:?}");
                assert_eq!(parameters.counted.0, parameters.embedded + 300_000);
            });
    data_section_within_the_allowance_is_free =>
        case(returns_parameters(8).with_data(vec![1; 200 << 10]).component())
            .and(|comparable| {
                let parameters = comparable.parameters.as_ref().expect("counted");
                assert_eq!((parameters.embedded, parameters.counted.0), (0, 8));
            });
    eight_int8_in_one_s64_count_by_their_bytes => over(&one_tensor(b"w", &[250_001], S64, 250_001, 8), 500_002);
    s64_at_the_limit_ok => at_the_limit(&one_tensor(b"w", &[250_000], S64, 250_000, 8));
    int8_count_by_their_number => over(&one_tensor(b"w", &[500_001], S8, 500_001, 1), 500_001);
    int8_at_the_limit_ok => at_the_limit(&one_tensor(b"w", &[500_000], S8, 500_000, 1));

    weights_in_a_tensor_name_err => refused(&one_tensor(&[b'a'; 65], &[1], S8, 1, 1), "tensor_name");
    tensor_name_of_64_bytes_ok => case(one_tensor(&[b'a'; 64], &[1], S8, 1, 1).component());
    tensor_name_of_other_characters_err => refused(&one_tensor(b"W", &[1], S8, 1, 1), "tensor_name");
    tensor_name_of_nothing_err => refused(&one_tensor(b"", &[1], S8, 1, 1), "tensor_name");
    weights_in_dimensions_of_an_empty_tensor_err =>
        refused(&one_tensor(b"w", &[0x3f80_0000, 0x4000_0000, 0], S8, 0, 1), "tensor_zero_dimension");
    weights_in_strings_err => refused(&one_tensor(b"w", &[1], TEXT, 1, 8), "tensor_text");
    shape_product_that_overflows_32_bits_err => refused(&one_tensor(b"w", &[65_536, 65_536], S8, 0, 1), "tensor_length");
    shape_product_that_overflows_64_bits_err => refused(&one_tensor(b"w", &[65_536; 4], S8, 0, 1), "tensor_shape_overflow");
    shape_product_of_another_number_err => refused(&one_tensor(b"w", &[2, 3], S8, 7, 1), "tensor_length");
    rank_0_err => refused(&one_tensor(b"w", &[], S8, 1, 1), "tensor_rank");
    rank_8_ok => case(one_tensor(b"w", &[1; 8], S8, 1, 1).component());
    rank_9_err => refused(&one_tensor(b"w", &[1; 9], S8, 1, 1), "tensor_rank");
    tensors_1025_err => refused(&many_tensors(1025, 3, true), "tensor_count");
    tensors_with_the_same_name_err => refused(&many_tensors(2, 3, false), "tensor_name_duplicate");
    /// 4 KiB of names and shapes: 60 × (64 + 4).
    weights_in_many_names_err => refused(&many_tensors(61, 64, true), "tensor_header_bytes");
    names_and_shapes_at_the_limit_ok => case(many_tensors(60, 64, true).component());

    /// 1,000 globals are legal; each may hold 16 bytes, which count like any other byte of the component.
    weights_in_globals_err =>
        case(returns_parameters(8).with_fields(&v128_globals(1_200)).component())
            .ends(Rejected, Phase::Admit, "globals");
    weights_in_legal_globals_count =>
        case(returns_parameters(8).with_fields(&v128_globals(900)).component())
            .with(|challenge| challenge.limits.embedded_allowance_bytes = 0)
            .and(|comparable| {
                let embedded = comparable.parameters.as_ref().expect("counted").embedded;
                assert!(embedded >= 900 * 4, "{embedded} parameters in 900 globals");
            });
    weights_in_element_segments_count =>
        case(
            returns_parameters(8)
                .with_fields(&format!("(table 1 1 funcref) (elem declare func {})", "$alloc ".repeat(40_000)))
                .component(),
        )
        .with(|challenge| challenge.limits.embedded_allowance_bytes = 0)
        .and(|comparable| {
            let embedded = comparable.parameters.as_ref().expect("counted").embedded;
            assert!(embedded >= 10_000, "{embedded} parameters in 40,000 elements");
        });
}

fn v128_globals(count: u64) -> String {
    (0..count).map(|i| format!("(global v128 (v128.const i64x2 {i} {i}))")).collect()
}
