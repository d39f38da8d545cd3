//! An engine and the imports it offers.

use thimble_challenge::result::Mode;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, OperatorCost};

use crate::engine::{engine, engine_for, engine_with_prices, engine_without_compiler};
use crate::instance::Program;
use crate::state::HostState;
use crate::stop::Stop;
use crate::{journal_import, kernels_import, loader, profile, wasi};

/// An engine and the imports it offers.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    linker: Linker<HostState>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl Machine {
    pub(crate) fn new(mode: Mode) -> wasmtime::Result<Self> {
        Self::of(engine(mode)?)
    }

    /// For another target than this machine.
    pub(crate) fn with_target(mode: Mode, target: &str) -> wasmtime::Result<Self> {
        Self::of(engine_for(mode, target)?)
    }

    /// For components that were compiled elsewhere.
    pub(crate) fn without_compiler(mode: Mode) -> wasmtime::Result<Self> {
        Self::of(engine_without_compiler(mode)?)
    }

    /// For guests that are given what they would have if they had escaped.
    pub(crate) fn with_escape(mode: Mode, escape: fn(&str) -> String) -> wasmtime::Result<Self> {
        let mut machine = Self::without_compiler(mode)?;
        journal_import::escape_by_log(&mut machine.linker, escape)?;
        Ok(machine)
    }

    /// For components with probes.
    pub(crate) fn with_probes(prices: OperatorCost) -> wasmtime::Result<Self> {
        let mut machine = Self::of(engine_with_prices(prices)?)?;
        profile::add_to_linker(&mut machine.linker)?;
        Ok(machine)
    }

    fn of(engine: Engine) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(&engine);
        loader::add_to_linker(&mut linker)?;
        journal_import::add_to_linker(&mut linker)?;
        kernels_import::add_to_linker(&mut linker)?;
        wasi::add_to_linker(&mut linker)?;
        Ok(Self { engine, linker })
    }

    pub(crate) fn link(&self, component: &Component) -> Result<Program, Stop> {
        Program::link(&self.engine, &self.linker, component)
    }
}
