//! One function body: what it costs the compiler, and whether it is a shim's.

use wasmparser::{BlockType, FunctionBody, Operator};

/// Numbers of parameters and results of a core function type.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signature {
    pub(crate) params: u32,
    pub(crate) results: u32,
}

/// What a function body holds.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Locals, parameters included.
    pub(crate) locals: u64,
    /// Deepest nesting of blocks, loops and ifs; 0 without any.
    pub(crate) nesting: u64,
    /// Σ over control operators of locals and values carried, see [`crate::StaticLimits::function_complexity`].
    pub(crate) complexity: u64,
    /// Operators at which the compiler ends a basic block, see [`crate::StaticLimits::function_control`].
    pub(crate) control: u64,
    /// Parameters of blocks, loops and ifs.
    pub(crate) block_params: u64,
    /// `call`s; indirect ones count as control.
    pub(crate) calls: u64,
    /// Targets of all `br_table`s.
    pub(crate) br_table_targets: u64,
    /// Whether it is what wit-component's shim module consists of: pass the parameters on to a table entry.
    pub(crate) is_shim: bool,
}

impl Body {
    /// What the function adds to [`crate::StaticLimits::complexity_total`].
    pub(crate) fn cost(&self) -> u64 {
        self.complexity.saturating_add(self.control.saturating_mul(self.control) / 64)
    }
}

/// Steps through `local.get* i32.const call_indirect end`.
#[derive(PartialEq)]
enum Shim {
    Arguments,
    Index,
    Call,
    End,
    Other,
}

impl Shim {
    fn next(&self, operator: &Operator<'_>) -> Self {
        match (self, operator) {
            (Self::Arguments, Operator::LocalGet { .. }) => Self::Arguments,
            (Self::Arguments, Operator::I32Const { .. }) => Self::Index,
            (Self::Index, Operator::CallIndirect { .. }) => Self::Call,
            (Self::Call, Operator::End) => Self::End,
            _ => Self::Other,
        }
    }
}

/// Reads a body once. Its length bounds the work; whether it is valid is decided later, by validation.
pub(crate) fn scan(
    body: &FunctionBody<'_>,
    signature: Signature,
    types: &[Signature],
) -> Result<Body, wasmparser::Error> {
    let mut found = Body { locals: u64::from(signature.params), ..Body::default() };
    for group in body.get_locals_reader()? {
        found.locals += u64::from(group?.0);
    }

    let mut shim = Shim::Arguments;
    // How many values a branch to each open label carries; the function itself is the first label.
    let mut labels: Vec<u32> = vec![signature.results];
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let operator = operators.read()?;
        shim = shim.next(&operator);
        let carried = match &operator {
            Operator::Block { blockty } | Operator::If { blockty } => {
                let block = block_signature(*blockty, types);
                labels.push(block.results);
                found.block_params += u64::from(block.params);
                Some(u64::from(block.params) + u64::from(block.results))
            }
            Operator::Loop { blockty } => {
                let block = block_signature(*blockty, types);
                labels.push(block.params);
                found.block_params += u64::from(block.params);
                Some(u64::from(block.params) + u64::from(block.results))
            }
            Operator::Else | Operator::Return => Some(0),
            // Expanded to branches around a call of the engine, which carry nothing from block to block.
            Operator::CallIndirect { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::MemoryGrow { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. } => {
                found.control += 1;
                None
            }
            Operator::Call { .. } => {
                found.calls += 1;
                None
            }
            Operator::End => {
                labels.pop();
                None
            }
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                Some(label_arity(&labels, *relative_depth))
            }
            Operator::BrTable { targets } => {
                let count = u64::from(targets.len()) + 1;
                found.br_table_targets += count;
                found.control += 1;
                // Every target of a valid table carries as many values as the default one.
                let one = found.locals.saturating_add(label_arity(&labels, targets.default()));
                found.complexity = found.complexity.saturating_add(one.saturating_mul(count));
                None
            }
            _ => None,
        };
        if let Some(carried) = carried {
            found.control += 1;
            found.complexity = found.complexity.saturating_add(found.locals).saturating_add(carried);
            found.nesting = found.nesting.max(labels.len().saturating_sub(1) as u64);
        }
    }
    found.is_shim = shim == Shim::End;
    Ok(found)
}

fn block_signature(block: BlockType, types: &[Signature]) -> Signature {
    match block {
        BlockType::Empty => Signature::default(),
        BlockType::Type(_) => Signature { params: 0, results: 1 },
        BlockType::FuncType(index) => types.get(index as usize).copied().unwrap_or_default(),
    }
}

fn label_arity(labels: &[u32], depth: u32) -> u64 {
    labels.iter().nth_back(depth as usize).copied().unwrap_or_default().into()
}
