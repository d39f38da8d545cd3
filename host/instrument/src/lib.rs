//! Rewrites a component so that each function of its program reports when it begins and when it ends.
//!
//! The rewritten component imports one interface more, [`PROBES`], with two functions: `enter`, given the number of the
//! function that begins, and `leave`. Every function of the one core module with a memory calls the first before its
//! body, and the second on each way out of it; what the body computes is the same. Everything else stays as it is,
//! wit-component's own modules included, so that apart from the two calls the same operators run.
//!
//! ```text
//! (func $f (param …) (result …)           (func $f (param …) (result …)
//!                                            i32.const 3   call $enter
//!   body                                     block (result …)
//!                                              body        ;; before each `return`: call $leave
//!                                            end
//! )                                          call $leave)
//! ```
//!
//! A branch out of the body ends at the end of the block and so passes the last `leave`. Each activation that does not
//! trap therefore runs exactly [`ENTER`] and [`LEAVE`].
//!
//! Pure: bytes in, bytes out. The input is a component that admission has let in.

mod component;
mod module;
mod names;

use wasm_encoder::reencode;

/// The interface that a rewritten component imports.
pub const PROBES: &str = "thimble:profile/probes";

/// The operators that a call of `enter` adds, as the engine spells them.
pub const ENTER: &[&str] = &["I32Const", "Call"];

/// The operators that a call of `leave` adds.
pub const LEAVE: &[&str] = &["Call"];

/// A component with probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The component.
    pub component: Vec<u8>,
    /// The names of the program's functions, by the number that they give to `enter`: from the name section, demangled;
    /// without one the name of an export, or `func[12]`, where 12 is the function's index in its module.
    pub functions: Vec<String>,
}

/// Why a component cannot be rewritten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentError {
    /// Not a component, or one that uses what this rewriting does not know.
    #[error("the component cannot be rewritten: {0}")]
    Malformed(String),
    /// There is not one core module with a memory, so it is not clear which is the program.
    #[error("the component must have 1 core module with a memory, it has {0}")]
    Programs(usize),
}

impl From<reencode::Error> for InstrumentError {
    fn from(error: reencode::Error) -> Self {
        match error {
            reencode::Error::ParseError(error) => error.into(),
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl From<wasm_encoder_parser::Error> for InstrumentError {
    fn from(error: wasm_encoder_parser::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Rewrites `component`.
///
/// # Errors
/// It is not a component, or has no program.
pub fn instrument(component: &[u8]) -> Result<Instrumented, InstrumentError> {
    let (index, program) = component::program(component)?;
    let program = module::instrument(program)?;
    let component = component::with_probes(component, index, &program.bytes)?;
    Ok(Instrumented { component, functions: program.functions })
}
