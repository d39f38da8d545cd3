//! One pass over the sections of a component, nested modules and components included.

use std::ops::Range;

use wasmparser::{Chunk, Encoding, Parser, Payload};

use crate::facts::{Facts, Usage};
use crate::features::features;
use crate::limits::Limit;
use crate::module::Module;
use crate::outer::Outer;
use crate::refusal::{Place, Refusal, Rule};
use crate::wrapper;

/// What is being read: the outermost component, or something directly inside it. Nothing stands deeper.
enum Level {
    Outer,
    Module { module: Module, parent: Parser },
    Wrapper { index: u32, parent: Parser },
}

struct Walk<'a, 'l> {
    component: &'a [u8],
    usage: &'a mut Usage<'l>,
    facts: Facts,
    outer: Outer,
    /// The module with code of its own.
    program: Option<u32>,
    level: Level,
}

/// Counts and checks everything except validity.
///
/// # Errors
/// What ends the reading: the first refusal, or in a collecting [`Usage`] one that leaves the rest unreadable.
pub(crate) fn walk(component: &[u8], usage: &mut Usage<'_>) -> Result<Facts, Refusal> {
    if !Parser::is_component(component) {
        let detail = if Parser::is_core_wasm(component) { "is a core module" } else { "is not WebAssembly" };
        return Err(Refusal::broken(Rule::NotAComponent, Place::Component, detail));
    }
    let mut walk = Walk {
        component,
        usage,
        facts: Facts { total_bytes: component.len() as u64, ..Facts::default() },
        outer: Outer::default(),
        program: None,
        level: Level::Outer,
    };
    walk.usage.add(Limit::ComponentBytes, component.len() as u64)?;

    let mut parser = Parser::new(0);
    parser.set_features(features());
    let mut rest = component;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true).map_err(|e| Refusal::malformed(&e))? else {
            // Only a parser that expects more input asks for it, and this one was told that there is none.
            return Err(Refusal::broken(Rule::Malformed, Place::Offset(component.len()), "ends too early"));
        };
        rest = rest.get(consumed..).unwrap_or_default();
        match payload {
            Payload::CustomSection(_) => {
                walk.facts.custom_bytes += consumed as u64;
                walk.usage.add(Limit::CustomBytes, consumed as u64)?;
            }
            Payload::ModuleSection { parser: nested, unchecked_range } if walk.is_outer() => {
                walk.enter_module(std::mem::replace(&mut parser, nested), unchecked_range)?;
            }
            Payload::ComponentSection { parser: nested, unchecked_range } if walk.is_outer() => {
                walk.enter_wrapper(std::mem::replace(&mut parser, nested), unchecked_range)?;
            }
            Payload::End(_) => match walk.leave()? {
                Some(parent) => parser = parent,
                None => return walk.finish(),
            },
            payload => walk.section(payload)?,
        }
    }
}

impl Walk<'_, '_> {
    fn is_outer(&self) -> bool {
        matches!(self.level, Level::Outer)
    }

    fn enter_module(&mut self, parent: Parser, range: Range<usize>) -> Result<(), Refusal> {
        self.usage.add(Limit::CoreModules, 1)?;
        self.check_range(range)?;
        self.level = Level::Module { module: Module::new(self.outer.add_module()), parent };
        Ok(())
    }

    fn enter_wrapper(&mut self, parent: Parser, range: Range<usize>) -> Result<(), Refusal> {
        let index = self.usage.used(Limit::NestedComponents) as u32;
        self.usage.add(Limit::NestedComponents, 1)?;
        self.check_range(range)?;
        self.level = Level::Wrapper { index, parent };
        Ok(())
    }

    /// The parser takes the length of a nested binary on trust.
    fn check_range(&self, range: Range<usize>) -> Result<(), Refusal> {
        if range.end > self.component.len() {
            let detail = "ends inside a nested module or component";
            return Err(Refusal::broken(Rule::Malformed, Place::Offset(range.start), detail));
        }
        Ok(())
    }

    fn section(&mut self, payload: Payload<'_>) -> Result<(), Refusal> {
        if let Payload::Version { encoding, .. } = &payload {
            // The section that holds a nested binary says what it is; its own header must agree.
            let expected =
                if matches!(self.level, Level::Module { .. }) { Encoding::Module } else { Encoding::Component };
            if *encoding != expected {
                let detail = "holds a module where a component is announced, or the reverse";
                return Err(Refusal::broken(Rule::Malformed, Place::Component, detail));
            }
        }
        match &mut self.level {
            Level::Outer => self.outer.read(payload, self.component, self.usage),
            Level::Module { module, .. } => module.read(payload, self.usage, &mut self.facts),
            Level::Wrapper { index, .. } => wrapper::read(*index, payload, self.component, self.usage),
        }
    }

    /// Ends what is being read; the parser to continue with, or nothing at the end of the outermost component.
    fn leave(&mut self) -> Result<Option<Parser>, Refusal> {
        match std::mem::replace(&mut self.level, Level::Outer) {
            Level::Outer => Ok(None),
            Level::Wrapper { parent, .. } => Ok(Some(parent)),
            Level::Module { module, parent } => {
                if let Some(why) = module.own_program() {
                    let index = module.index();
                    if let Some(first) = self.program.replace(index) {
                        let detail = format!("{why}, and so has core module {first}: only one may");
                        self.usage.refuse(Refusal::broken(Rule::OneCodeModule, Place::Module(index), detail))?;
                    }
                }
                Ok(Some(parent))
            }
        }
    }

    fn finish(mut self) -> Result<Facts, Refusal> {
        self.outer.finish(self.usage, &mut self.facts)?;
        if self.program.is_none() {
            let detail = "has no core module with code";
            self.usage.refuse(Refusal::broken(Rule::OneCodeModule, Place::Component, detail))?;
        }
        self.facts.counted_bytes = self.facts.total_bytes - self.facts.custom_bytes;
        self.facts.functions = self.usage.used(Limit::Functions);
        self.facts.memories = self.usage.used(Limit::Memories);
        self.facts.tables = self.usage.used(Limit::Tables);
        self.facts.limits = self.usage.report();
        Ok(self.facts)
    }
}
