//! The program: a core module whose functions call the probes.

use std::collections::BTreeSet;

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, Instruction, Module, SectionId, TypeSection,
};
use wasm_encoder_parser::{
    self as wasmparser, CompositeInnerType, ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef,
    ValType,
};

use crate::names::Names;
use crate::{InstrumentError, PROBES, SILENT};

/// Functions that are imported anew.
pub(crate) const PROBE_FUNCTIONS: u32 = 2;

/// A module with probes.
pub(crate) struct Program {
    pub(crate) bytes: Vec<u8>,
    pub(crate) functions: Vec<String>,
}

/// Adds probes to a module; `silent` are exports during which the host may not be called.
pub(crate) fn instrument(module: &[u8], silent: &BTreeSet<&str>) -> Result<Program, InstrumentError> {
    let layout = Layout::read(module, silent)?;
    let functions = layout.names.of_defined(layout.imported, layout.defined.len() as u32);
    let mut rewriter = Rewriter { layout, imports_written: false, globals_written: false, next: 0 };
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
    globals: u32,
    /// Silent exports, and the functions that they are.
    silent: Vec<(&'a str, u32)>,
    names: Names<'a>,
}

/// Globals that are added, in this order.
#[derive(Clone, Copy)]
enum Global {
    /// Whether the host may not be called.
    Silence,
    /// How many probes ran in silence.
    Probes,
    /// How many wrappers ran.
    Wrappers,
}

impl<'a> Layout<'a> {
    fn read(module: &'a [u8], silent: &BTreeSet<&str>) -> Result<Self, InstrumentError> {
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
                        match import?.ty {
                            TypeRef::Func(_) | TypeRef::FuncExact(_) => layout.imported += 1,
                            TypeRef::Global(_) => layout.globals += 1,
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    layout.defined = section.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::GlobalSection(section) => layout.globals += section.count(),
                Payload::ExportSection(section) => {
                    for export in section.clone() {
                        let export = export?;
                        if export.kind == ExternalKind::Func && silent.contains(export.name) {
                            layout.silent.push((export.name, export.index));
                        }
                    }
                    layout.names.exports(section)?;
                }
                Payload::CustomSection(section) => layout.names.custom(&section),
                _ => {}
            }
        }
        // An import that is exported again has no probes.
        let imported = layout.imported;
        layout.silent.retain(|(_, function)| *function >= imported);
        Ok(layout)
    }

    fn results(&self, function: usize) -> &[ValType] {
        let ty = self.defined.get(function).and_then(|index| self.types.get(*index as usize));
        ty.and_then(Option::as_ref).map_or(&[], |ty| ty.results())
    }

    /// The wrapper of a silent export, by its place among them. Its type is that of the function behind it, which is the
    /// module's own.
    fn wrapped(&self, wrapper: usize) -> Option<(u32, &FuncType)> {
        let (_, function) = self.silent.get(wrapper)?;
        let index = *self.defined.get(function.checked_sub(self.imported)? as usize)?;
        Some((index, self.types.get(index as usize)?.as_ref()?))
    }

    /// Where the functions begin that are added behind the module's own: wrappers, then the one that tells the counts.
    fn added(&self) -> u32 {
        self.imported + PROBE_FUNCTIONS + self.defined.len() as u32
    }

    fn global(&self, global: Global) -> u32 {
        self.globals + global as u32
    }

    /// Types of the probes, which follow the module's own.
    fn enter_type(&self) -> u32 {
        self.types.len() as u32
    }

    fn leave_type(&self) -> u32 {
        self.enter_type() + 1
    }

    fn counts_type(&self) -> u32 {
        self.enter_type() + 2
    }
}

struct Rewriter<'a> {
    layout: Layout<'a>,
    imports_written: bool,
    globals_written: bool,
    /// The number of the next body.
    next: usize,
}

impl Rewriter<'_> {
    fn add_probes(&mut self, imports: &mut ImportSection) {
        imports.import(PROBES, "enter", EntityType::Function(self.layout.enter_type()));
        imports.import(PROBES, "leave", EntityType::Function(self.layout.leave_type()));
        self.imports_written = true;
    }

    fn add_globals(&mut self, globals: &mut GlobalSection) {
        let ty = GlobalType { val_type: wasm_encoder::ValType::I32, mutable: true, shared: false };
        for _ in [Global::Silence, Global::Probes, Global::Wrappers] {
            globals.global(ty, &ConstExpr::i32_const(0));
        }
        self.globals_written = true;
    }

    fn get(&self, global: Global) -> Instruction<'static> {
        Instruction::GlobalGet(self.layout.global(global))
    }

    fn set(&self, global: Global) -> Instruction<'static> {
        Instruction::GlobalSet(self.layout.global(global))
    }

    fn count(&self, body: &mut Function, counter: Global) {
        body.instruction(&self.get(counter)).instruction(&Instruction::I32Const(1));
        body.instruction(&Instruction::I32Add).instruction(&self.set(counter));
    }

    /// `enter` of a function, or `leave`.
    fn probe(&self, body: &mut Function, enters: Option<usize>) {
        body.instruction(&self.get(Global::Silence)).instruction(&Instruction::If(BlockType::Empty));
        self.count(body, Global::Probes);
        body.instruction(&Instruction::Else);
        if let Some(function) = enters {
            body.instruction(&Instruction::I32Const(function as i32));
        }
        body.instruction(&self.get(Global::Probes)).instruction(&self.get(Global::Wrappers));
        body.instruction(&Instruction::Call(self.layout.imported + u32::from(enters.is_none())));
        body.instruction(&Instruction::End);
    }

    /// A function that calls `inner` in silence.
    fn wrapper(&self, inner: u32, ty: &FuncType) -> Function {
        let mut body = Function::new([]);
        body.instruction(&Instruction::I32Const(1)).instruction(&self.set(Global::Silence));
        self.count(&mut body, Global::Wrappers);
        for parameter in 0..ty.params().len() as u32 {
            body.instruction(&Instruction::LocalGet(parameter));
        }
        body.instruction(&Instruction::Call(inner));
        body.instruction(&Instruction::I32Const(0)).instruction(&self.set(Global::Silence));
        body.instruction(&Instruction::End);
        body
    }

    /// The function that tells both counts.
    fn counts(&self) -> Function {
        let mut body = Function::new([]);
        body.instruction(&self.get(Global::Wrappers)).instruction(&Instruction::I64ExtendI32U);
        body.instruction(&Instruction::I64Const(32)).instruction(&Instruction::I64Shl);
        body.instruction(&self.get(Global::Probes)).instruction(&Instruction::I64ExtendI32U);
        body.instruction(&Instruction::I64Or).instruction(&Instruction::End);
        body
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
                Ok(BlockType::FunctionType(self.layout.counts_type() + 1 + before))
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
        let number = wasm_encoder::ValType::I32;
        types.ty().function([number; 3], []);
        types.ty().function([number; 2], []);
        types.ty().function([], [wasm_encoder::ValType::I64]);
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

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_function_section(self, functions, section)?;
        for wrapper in 0..self.layout.silent.len() {
            let (ty, _) = self.layout.wrapped(wrapper).ok_or(Error::UnexpectedNonCoreModuleSection)?;
            functions.function(ty);
        }
        functions.function(self.layout.counts_type());
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_global_section(self, globals, section)?;
        self.add_globals(globals);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(SILENT, ExportKind::Func, self.layout.added() + self.layout.silent.len() as u32);
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: wasmparser::Export<'_>) -> Result<(), Error> {
        let silent = self.layout.silent.iter().position(|(name, _)| *name == export.name);
        match silent {
            Some(wrapper) => {
                exports.export(export.name, ExportKind::Func, self.layout.added() + wrapper as u32);
                Ok(())
            }
            None => {
                utils::parse_export(self, exports, export)?;
                Ok(())
            }
        }
    }

    /// For a module without imports or globals.
    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error> {
        use SectionId::{Function, Global, Import, Memory, Table, Tag, Type};
        if !self.imports_written && !matches!(before, Some(Type | Import)) {
            let mut imports = ImportSection::new();
            self.add_probes(&mut imports);
            module.section(&imports);
        }
        if !self.globals_written && !matches!(before, Some(Type | Import | Function | Table | Memory | Tag | Global)) {
            let mut globals = GlobalSection::new();
            self.add_globals(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        for wrapper in 0..self.layout.silent.len() {
            let (_, inner) = self.layout.silent[wrapper];
            let (_, ty) = self.layout.wrapped(wrapper).ok_or(Error::UnexpectedNonCoreModuleSection)?;
            code.function(&self.wrapper(inner + PROBE_FUNCTIONS, ty));
        }
        code.function(&self.counts());
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error> {
        let number = self.next;
        self.next += 1;
        let mut function = self.new_function_with_parsed_locals(&body)?;
        self.probe(&mut function, Some(number));
        function.instruction(&Instruction::Block(self.block_type(number)?));
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            if matches!(operator, Operator::Return) {
                self.probe(&mut function, None);
            }
            function.instruction(&self.instruction(operator)?);
        }
        // The last `end` of the body has closed the block.
        self.probe(&mut function, None);
        function.instruction(&Instruction::End);
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
    use crate::{ENTER, LEAVE, SILENT_PROBE, WRAPPER};

    fn rewritten(text: &str) -> Program {
        let module = wat::parse_str(text).expect("the module's text is right");
        let program = instrument(&module, &BTreeSet::from(["realloc"])).expect("it can be rewritten");
        wasmparser::Validator::new().validate_all(&program.bytes).expect("what was rewritten is valid");
        program
    }

    /// The operators of each function.
    fn bodies(module: &[u8]) -> Vec<Vec<String>> {
        let bodies = Parser::new(0).parse_all(module).filter_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => Some(body.get_operators_reader().expect("operators")),
            _ => None,
        });
        bodies.map(|body| body.into_iter().map(|op| spelling(&op.expect("an operator"))).collect()).collect()
    }

    fn spelling(operator: &Operator<'_>) -> String {
        let text = format!("{operator:?}");
        text.split([' ', '{']).next().expect("a name").to_owned()
    }

    fn words(parts: &[&[&str]]) -> Vec<String> {
        parts.concat().iter().map(|word| (*word).to_owned()).collect()
    }

    /// A probe, of which `loud` are the operators that run where the host may be called.
    fn probe<'a>(loud: &'a [&'a str]) -> Vec<&'a str> {
        let (test, silent) = SILENT_PROBE.split_at(2);
        assert_eq!(test, &loud[..2]);
        [test, silent, &["Else"], &loud[2..], &["End"]].concat()
    }

    #[test]
    fn every_way_out_passes_one_leave() {
        let text = "(module (func (param i32) (result i32)
            (if (local.get 0) (then (return (i32.const 1))))
            (br_if 0 (i32.const 2) (local.get 0))))";
        let (enter, leave) = (probe(ENTER), probe(LEAVE));
        let expected = words(&[
            &enter,
            &["Block", "LocalGet", "If", "I32Const"],
            &leave,
            &["Return", "End", "I32Const", "LocalGet", "BrIf", "End"],
            &leave,
            &["End"],
        ]);
        assert_eq!(bodies(&rewritten(text).bytes)[0], expected);
    }

    #[test]
    fn a_silent_export_is_called_through_a_wrapper() {
        let text =
            "(module (func (export \"realloc\") (param i32 i32) (result i32) (call 0 (i32.const 1) (i32.const 2))))";
        let program = rewritten(text);
        let bodies = bodies(&program.bytes);
        assert_eq!(bodies.len(), 3, "the function, its wrapper, and the counts");
        let without: Vec<_> = bodies[1].iter().filter(|op| !["LocalGet", "End"].contains(&op.as_str())).collect();
        assert_eq!(without, WRAPPER.iter().collect::<Vec<_>>());
        assert_eq!(program.functions, ["realloc"]);
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
