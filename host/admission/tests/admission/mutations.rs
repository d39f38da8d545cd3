//! Damaged components are refused or admitted, never a panic.

use proptest::prelude::*;

use crate::components::{inspect, plain};

#[derive(Debug, Clone)]
enum Mutation {
    Set(usize, u8),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
    Truncate(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = || 0..plain().len();
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        1 => (at(), 1..64_usize).prop_map(|(at, n)| Mutation::Remove(at, n)),
        1 => (at(), proptest::collection::vec(any::<u8>(), 1..16)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        1 => (at(), 1..64_usize).prop_map(|(at, n)| Mutation::Repeat(at, n)),
        1 => at().prop_map(Mutation::Truncate),
    ]
}

fn apply(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let clamp = |at: usize, n: usize, len: usize| (at.min(len), (at + n).min(len));
    match mutation {
        Mutation::Set(at, byte) => {
            if let Some(target) = bytes.get_mut(*at) {
                *target = *byte;
            }
        }
        Mutation::Remove(at, n) => {
            let (start, end) = clamp(*at, *n, bytes.len());
            bytes.drain(start..end);
        }
        Mutation::Insert(at, new) => {
            let at = (*at).min(bytes.len());
            bytes.splice(at..at, new.iter().copied());
        }
        Mutation::Repeat(at, n) => {
            let (start, end) = clamp(*at, *n, bytes.len());
            let again = bytes[start..end].to_vec();
            bytes.splice(end..end, again);
        }
        Mutation::Truncate(at) => bytes.truncate(*at),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_components_never_panic(mutations in proptest::collection::vec(mutation(), 1..4)) {
        let mut bytes = plain().to_vec();
        for mutation in &mutations {
            apply(&mut bytes, mutation);
        }
        match inspect(&bytes) {
            Ok(facts) => prop_assert_eq!(facts.counted_bytes + facts.custom_bytes, bytes.len() as u64),
            Err(refusal) => prop_assert!(refusal.to_string().len() < 2000),
        }
    }

    #[test]
    fn noise_after_a_component_header_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..512)) {
        let bytes = [&b"\0asm\x0d\0\x01\0"[..], &noise].concat();
        let _ = inspect(&bytes);
    }
}
