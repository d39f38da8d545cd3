//! The program: a core module whose functions call the probes.

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{BlockType, CodeSection, EntityType, ImportSection, Instruction, Module, SectionId, TypeSection};
use wasm_encoder_parser::{
    self as wasmparser, CompositeInnerType, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef, ValType,
};

use crate::names::Names;
use crate::{InstrumentError, PROBES};

/// Functions that are imported anew.
pub(crate) const PROBE_FUNCTIONS: u32 = 2;

/// A module with probes.
pub(crate) struct Program {
    pub(crate) bytes: Vec<u8>,
    pub(crate) functions: Vec<String>,
}

pub(crate) fn instrument(module: &[u8]) -> Result<Program, InstrumentError> {
    let layout = Layout::read(module)?;
    let functions = layout.names.of_defined(layout.imported, layout.defined.len() as u32);
    let mut rewriter = Rewriter { imports_written: false, next: 0, layout };
    let mut encoded = Module::new();
    rewriter.parse_core_module(&mut encoded, Parser::new(0), module)?;
    Ok(Program { bytes: encoded.finish(), functions })
}

/// What must be known of a module before its first section is written.
#[derive(Default)]
struct Layout<'a> {
    types: Vec<Option<FuncType>>,
    imported: u32,
    /// Type of each defined function.
    defined: Vec<u32>,
    names: Names<'a>,
}

impl<'a> Layout<'a> {
    fn read(module: &'a [u8]) -> Result<Self, InstrumentError> {
        let mut layout = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        layout.types.extend(group?.into_types().map(|ty| match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => Some(ty),
                            _ => None,
                        }));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        layout.imported += u32::from(matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    layout.defined = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::ExportSection(section) => layout.names.exports(section)?,
                Payload::CustomSection(section) => layout.names.custom(&section),
                _ => {}
            }
        }
        Ok(layout)
    }

    fn results(&self, function: usize) -> &[ValType] {
        let ty = self.defined.get(function).and_then(|index| self.types.get(*index as usize));
        ty.and_then(Option::as_ref).map_or(&[], |ty| ty.results())
    }

    /// Types of the probes, which follow the module's own.
    fn enter_type(&self) -> u32 {
        self.types.len() as u32
    }

    fn leave_type(&self) -> u32 {
        self.enter_type() + 1
    }
}

struct Rewriter<'a> {
    layout: Layout<'a>,
    imports_written: bool,
    /// The number of the next body.
    next: usize,
}

impl Rewriter<'_> {
    fn add_probes(&mut self, imports: &mut ImportSection) {
        imports.import(PROBES, "enter", EntityType::Function(self.layout.enter_type()));
        imports.import(PROBES, "leave", EntityType::Function(self.layout.leave_type()));
        self.imports_written = true;
    }

    fn enter(&self) -> u32 {
        self.layout.imported
    }

    fn leave(&self) -> u32 {
        self.layout.imported + 1
    }

    /// The type of a block that leaves what a function returns. Several results need a type of their own; one for every
    /// such function stands behind the probes' types.
    fn block_type(&mut self, function: usize) -> Result<BlockType, Error> {
        match *self.layout.results(function) {
            [] => Ok(BlockType::Empty),
            [result] => Ok(BlockType::Result(self.val_type(result)?)),
            _ => {
                let several = |function: &usize| self.layout.results(*function).len() > 1;
                let before = (0..function).filter(several).count() as u32;
                Ok(BlockType::FunctionType(self.layout.leave_type() + 1 + before))
            }
        }
    }
}

impl Reencode for Rewriter<'_> {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        Ok(if function < self.layout.imported { function } else { function + PROBE_FUNCTIONS })
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([wasm_encoder::ValType::I32], []);
        types.ty().function([], []);
        for function in 0..self.layout.defined.len() {
            let results = self.layout.results(function).to_vec();
            if results.len() > 1 {
                let results = results.into_iter().map(|ty| self.val_type(ty)).collect::<Result<Vec<_>, _>>()?;
                types.ty().function([], results);
            }
        }
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_import_section(self, imports, section)?;
        self.add_probes(imports);
        Ok(())
    }

    /// For a module that imports nothing.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error> {
        if !self.imports_written && !matches!(before, Some(SectionId::Type | SectionId::Import)) {
            let mut imports = ImportSection::new();
            self.add_probes(&mut imports);
            module.section(&imports);
        }
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error> {
        let number = self.next;
        self.next += 1;
        let (enter, leave) = (Instruction::Call(self.enter()), Instruction::Call(self.leave()));
        let mut function = self.new_function_with_parsed_locals(&body)?;
        function.instruction(&Instruction::I32Const(number as i32)).instruction(&enter);
        function.instruction(&Instruction::Block(self.block_type(number)?));
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            if matches!(operator, Operator::Return) {
                function.instruction(&leave);
            }
            function.instruction(&self.instruction(operator)?);
        }
        // The last `end` of the body has closed the block.
        function.instruction(&leave).instruction(&Instruction::End);
        code.function(&function);
        Ok(())
    }

    /// Names and producers say nothing of the rewritten module.
    fn parse_custom_section(&mut self, _: &mut Module, _: wasmparser::CustomSectionReader<'_>) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> Program {
        let module = wat::parse_str(text).expect("the module's text is right");
        let program = instrument(&module).expect("it can be rewritten");
        wasmparser::Validator::new().validate_all(&program.bytes).expect("what was rewritten is valid");
        program
    }

    /// The operators of the only function.
    fn body(module: &[u8]) -> Vec<String> {
        let mut bodies = Parser::new(0).parse_all(module).filter_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => Some(body),
            _ => None,
        });
        let body = bodies.next().expect("a function");
        assert!(bodies.next().is_none(), "one function");
        let operators = body.get_operators_reader().expect("operators");
        operators.into_iter().map(|operator| format!("{:?}", operator.expect("an operator"))).collect()
    }

    #[test]
    fn every_way_out_passes_one_leave() {
        let text = "(module (func (param i32) (result i32)
            (if (local.get 0) (then (return (i32.const 1))))
            (br_if 0 (i32.const 2) (local.get 0))))";
        let expected = [
            "I32Const { value: 0 }",
            "Call { function_index: 0 }",
            "Block { blockty: Type(I32) }",
            "LocalGet { local_index: 0 }",
            "If { blockty: Empty }",
            "I32Const { value: 1 }",
            "Call { function_index: 1 }",
            "Return",
            "End",
            "I32Const { value: 2 }",
            "LocalGet { local_index: 0 }",
            "BrIf { relative_depth: 0 }",
            "End",
            "Call { function_index: 1 }",
            "End",
        ];
        assert_eq!(body(&rewritten(text).bytes), expected);
    }

    #[test]
    fn references_to_functions_follow_them() {
        // Imported functions keep their places; defined ones move behind the probes.
        rewritten(
            "(module (import \"a\" \"b\" (func $imported (param f64)))
               (table 4 funcref) (elem (i32.const 0) $imported $start)
               (global funcref (ref.func $own)) (export \"own\" (func $own)) (start $start)
               (func $start (call $own (f32.const 1)) (call $imported (f64.const 1)))
               (func $own (param f32) (call_indirect (i32.const 1))))",
        );
    }

    #[test]
    fn functions_of_any_number_of_results_are_wrapped() {
        rewritten(
            "(module (func) (func (result i64) (i64.const 1))
               (func (result i32 f32) (i32.const 1) (f32.const 2))
               (func (param i32) (result f32 i32)
                 (if (local.get 0) (then (return (f32.const 1) (i32.const 2))))
                 (br 0 (f32.const 1) (i32.const 2)))
               (func unreachable))",
        );
    }

    #[test]
    fn functions_have_the_names_that_are_known() {
        let program = rewritten(
            "(module (import \"a\" \"b\" (func)) (func $plain) (func (@name \"_ZN4core3fmt5write17h0123456789abcdefE\"))
               (func (export \"solve\")) (func))",
        );
        assert_eq!(program.functions, ["plain", "core::fmt::write", "solve", "func[4]"]);
    }
}
