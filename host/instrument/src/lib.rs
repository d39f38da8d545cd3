//! Rewrites a component so that each function of its program reports when it begins and when it ends.
//!
//! The rewritten component imports one interface more, [`PROBES`], with two functions: `enter`, given the number of the
//! function that begins, and `leave`. Every function of the one core module with a memory calls the first before its
//! body, and the second on each way out of it; what the body computes is the same. Everything else stays as it is,
//! wit-component's own modules included, so that apart from the probes the same operators run.
//!
//! ```text
//! (func $f (param …) (result …)           (func $f (param …) (result …)
//!                                            enter 3
//!   body                                     block (result …)
//!                                              body        ;; before each `return`: leave
//!                                            end
//! )                                          leave)
//! ```
//!
//! A branch out of the body ends at the end of the block and so passes the last `leave`: each activation that does not
//! trap runs one of each.
//!
//! While the host has memory allocated for what it passes (`realloc`), or has a result cleaned up (`post-return`), a
//! component may not call the host. The exports that serve for these stand behind a wrapper that sets a flag; under the
//! flag, probes only count how often they ran. `enter` and `leave` are given that count and that of the wrappers, and
//! the export [`SILENT`] tells both after the last probe, so that the price of everything added is known exactly.
//!
//! Pure: bytes in, bytes out. The input is a component that admission has let in.

mod component;
mod layout;
mod module;
mod names;

use wasm_encoder::reencode;

/// The interface that a rewritten component imports: `enter: func(function: u32, probes: u32, wrappers: u32)` and
/// `leave: func(probes: u32, wrappers: u32)`. The counts are of silent probes and of wrappers since the beginning, modulo
/// 2^32.
pub const PROBES: &str = "thimble:profile/probes";

/// The function that a rewritten component exports: `func() -> u64`, the counts as in [`PROBES`], wrappers in the upper
/// half.
pub const SILENT: &str = "silent-probes";

/// Operators that run before `enter` gets control, as the engine spells them; none run after it.
pub const ENTER: &[&str] = &["GlobalGet", "If", "I32Const", "GlobalGet", "GlobalGet", "Call"];

/// As [`ENTER`], of `leave`.
pub const LEAVE: &[&str] = &["GlobalGet", "If", "GlobalGet", "GlobalGet", "Call"];

/// The operators of a silent probe.
pub const SILENT_PROBE: &[&str] = &["GlobalGet", "If", "GlobalGet", "I32Const", "I32Add", "GlobalSet"];

/// The operators of a wrapper, which is also a function entry more.
pub const WRAPPER: &[&str] =
    &["I32Const", "GlobalSet", "GlobalGet", "I32Const", "I32Add", "GlobalSet", "Call", "I32Const", "GlobalSet"];

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
    let layout = layout::Layout::of(component)?;
    let program = module::instrument(layout.program, &layout.silent)?;
    let component = component::with_probes(component, &layout, &program.bytes)?;
    Ok(Instrumented { component, functions: program.functions })
}
