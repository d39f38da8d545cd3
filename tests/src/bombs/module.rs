//! A core module with the contract's exports, and whatever is added to it.

use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType,
    Module, RefType, TableSection, TableType, TypeSection, ValType,
};

use crate::component::{CONTRACT, encode};

/// Type of a function that takes an address.
pub(super) const TAKES_I32: u32 = 4;
/// Type of a function that takes nothing.
pub(super) const TAKES_NOTHING: u32 = 0;
/// Type of 32 parameters, as many as are admitted.
pub(super) const TAKES_32: u32 = 5;
/// Type of four parameters and four results.
pub(super) const FOUR: u32 = 6;
/// An empty function of type [`TAKES_NOTHING`].
pub(super) const EMPTY: u32 = 1;
/// An empty function of type [`TAKES_32`].
pub(super) const EMPTY_32: u32 = 2;
/// Globals that every program has: all that are admitted.
pub(super) const GLOBALS: u32 = 1_000;

/// The imported function, and the functions of the contract's exports and the empty ones.
const FIXED_FUNCTIONS: u32 = 7;

#[derive(Debug, Default)]
pub(super) struct Program {
    functions: Vec<(u32, Function)>,
    /// Functions in the table, by index.
    elements: Vec<u32>,
    data_segments: u32,
    /// Fields at the end of the outermost component, as text.
    outer: String,
}

impl Program {
    pub(super) fn function(&mut self, ty: u32, function: Function) {
        self.functions.push((ty, function));
    }

    /// A function that also stands in the table, so that the engine must be able to enter it from anywhere.
    pub(super) fn escaping_function(&mut self, ty: u32, function: Function) {
        self.elements.push(FIXED_FUNCTIONS + self.functions.len() as u32);
        self.function(ty, function);
    }

    pub(super) fn element(&mut self) {
        self.elements.push(EMPTY);
    }

    pub(super) fn data_segment(&mut self) {
        self.data_segments += 1;
    }

    pub(super) fn outer(&mut self, text: &str) {
        self.outer.push_str(text);
    }

    pub(super) fn component(&self) -> Vec<u8> {
        let component = encode(self.module(), CONTRACT).expect("the program has the contract's exports");
        if self.outer.is_empty() {
            return component;
        }
        let text = wasmprinter::print_bytes(&component).expect("the component prints");
        let (head, _) = text.trim_end().rsplit_once(')').expect("a component ends with a parenthesis");
        wat::parse_str(format!("{head}{})", self.outer)).expect("the fields fit the component")
    }

    fn module(&self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&types());
        let mut imports = ImportSection::new();
        imports.import("thimble:solution/journal@0.1.0", "fuel-left", EntityType::Function(7));
        module.section(&imports);
        let mut declared = FunctionSection::new();
        let mut code = CodeSection::new();
        for (ty, function) in fixed_functions().iter().chain(&self.functions) {
            declared.function(*ty);
            code.function(function);
        }
        module.section(&declared).section(&self.table());
        let mut memories = MemorySection::new();
        memories.memory(MemoryType { minimum: 2, maximum: None, memory64: false, shared: false, page_size_log2: None });
        let mut globals = GlobalSection::new();
        for _ in 0..GLOBALS {
            let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
            globals.global(ty, &ConstExpr::i64_const(0));
        }
        module.section(&memories).section(&globals).section(&exports());
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(self.elements.as_slice().into()));
        let mut data = DataSection::new();
        for _ in 0..self.data_segments {
            data.passive([0; 4_000]);
        }
        let count = DataCountSection { count: self.data_segments };
        module.section(&elements).section(&count).section(&code).section(&data);
        module.finish()
    }

    fn table(&self) -> TableSection {
        let size = (self.elements.len() as u64).max(8);
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            minimum: size,
            maximum: Some(size),
            table64: false,
            shared: false,
        });
        tables
    }
}

fn types() -> TypeSection {
    let i32s = |count| std::iter::repeat_n(ValType::I32, count);
    let mut types = TypeSection::new();
    for (params, results) in [(0, 0), (1, 1), (3, 1), (4, 1), (1, 0), (32, 0), (4, 4)] {
        types.ty().function(i32s(params), i32s(results));
    }
    types.ty().function([], [ValType::I64]);
    types
}

/// In the order of their indices, from 1: the empty ones, `solve`, `load`, `predict` and `cabi_realloc`.
fn fixed_functions() -> [(u32, Function); 6] {
    let ends = || {
        let mut function = Function::new([]);
        function.instructions().end();
        function
    };
    let traps = || {
        let mut function = Function::new([]);
        function.instructions().unreachable().end();
        function
    };
    [(TAKES_NOTHING, ends()), (TAKES_32, ends()), (1, traps()), (1, traps()), (2, traps()), (3, traps())]
}

fn exports() -> ExportSection {
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let functions = [
        "thimble:solution/learner@0.1.0#solve",
        "thimble:solution/predictor@0.1.0#[static]model.load",
        "thimble:solution/predictor@0.1.0#[method]model.predict",
        "cabi_realloc",
    ];
    for (index, name) in (3..).zip(functions) {
        exports.export(name, ExportKind::Func, index);
    }
    exports
}
