//! Uses the standard library for what a sandbox must not give. The challenge's seed chooses what.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant, SystemTime};

use exports::thimble::solution::{learner, predictor};
use thimble::solution::data::Loader;
use thimble::solution::journal;
use thimble::solution::task::Metadata;
use thimble::solution::tensors::{Tensor, Values};

wit_bindgen::generate!({ path: "../../../wit", world: "solution" });

struct StdUser;

struct Zeros {
    classes: u32,
}

/// A number from the host's random stream: the keys of a new hash map.
fn random() -> u64 {
    HashMap::<u32, u32>::new().hasher().hash_one(0_u32)
}

/// Exactly 1 GiB in writes of 64 KiB.
fn print_a_gibibyte() -> Result<(), String> {
    let line = vec![b'x'; 64 << 10];
    for _ in 0..1 << 14 {
        std::io::stdout().write_all(&line).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// An error names what could be seen.
fn look_around() -> Result<(), String> {
    let mut input = String::new();
    let seen = [
        ("a variable", std::env::vars_os().next().is_some()),
        ("an argument", std::env::args_os().next().is_some()),
        ("input", std::io::stdin().read_to_string(&mut input).is_ok_and(|read| read > 0)),
        ("a thread", std::thread::Builder::new().spawn(|| ()).is_ok()),
        ("time that passes", Instant::now().elapsed() > Duration::ZERO),
        ("the date", SystemTime::now().elapsed().is_ok_and(|elapsed| elapsed > Duration::ZERO)),
    ];
    match seen.iter().find(|(_, seen)| *seen) {
        Some((what, _)) => Err(format!("there is {what}")),
        None => Ok(()),
    }
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "the stack is what ends it")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[(depth % 64) as usize]
}

impl learner::Guest for StdUser {
    fn solve(_: Loader, _: Loader, metadata: Metadata) -> Result<Vec<Tensor>, String> {
        match metadata.seed {
            1 => print_a_gibibyte()?,
            2 => journal::log(&format!("solve drew {}", random())),
            3 => look_around()?,
            4 => std::thread::sleep(Duration::from_secs(3600)),
            5 => panic!("the solution panics"),
            6 => std::process::exit(3),
            7 => return Err(recurse(0).to_string()),
            8 => {
                let start = Instant::now();
                while start.elapsed() < Duration::from_nanos(1) {}
            }
            other => return Err(format!("no behaviour {other}")),
        }
        Ok(vec![Tensor { name: "w".into(), shape: vec![1], values: Values::F32(vec![0.0]) }])
    }
}

impl predictor::Guest for StdUser {
    type Model = Zeros;
}

impl predictor::GuestModel for Zeros {
    fn load(_: Vec<Tensor>, metadata: Metadata) -> Result<predictor::Model, String> {
        if metadata.seed == 2 {
            journal::log(&format!("load drew {}", random()));
        }
        Ok(predictor::Model::new(Self { classes: metadata.num_classes }))
    }

    fn predict(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        let rows = inputs.first().and_then(|tensor| tensor.shape.first()).copied().ok_or("no input")?;
        let scores = vec![0.0; (rows * self.classes) as usize];
        Ok(vec![Tensor { name: "scores".into(), shape: vec![rows, self.classes], values: Values::F32(scores) }])
    }
}

export!(StdUser);
