//! `thimble:solution/journal`.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

use crate::state::{HostState, charge_call, charge_transfer};
use crate::stop::ImportMisuse;

type Store<'a> = StoreContextMut<'a, HostState>;

/// Defines `journal.log` anew: what a guest would do that had escaped from the engine is done to its text, and the outcome is
/// logged. For tests of what is around the engine.
pub(crate) fn escape_by_log(linker: &mut Linker<HostState>, escape: fn(&str) -> String) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut journal = linker.instance("thimble:solution/journal@0.1.0")?;
    journal.func_wrap("log", move |mut store: Store<'_>, (message,): (WasmStr,)| {
        let outcome = escape(&message.to_str(&store)?);
        store.data_mut().journal.log(outcome.as_bytes());
        Ok(())
    })
}

/// Defines `thimble:solution/journal`.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut journal = linker.instance("thimble:solution/journal@0.1.0")?;
    // A `WasmStr` is a pointer into guest memory. Looking at its length checks its UTF-8 in place; nothing is copied before
    // it is charged, and nothing at all where nothing is kept.
    journal.func_wrap("log", |mut store: Store<'_>, (message,): (WasmStr,)| {
        charge_call(&mut store, 0)?;
        let bytes = message.to_str(&store)?.len() as u64;
        charge_transfer(&mut store, bytes)?;
        if store.data().journal.keeps() {
            let text = message.to_str(&store)?.into_owned();
            let recorder = &mut store.data_mut().journal;
            recorder.log(text.as_bytes());
            recorder.log(b"\n");
        }
        Ok(())
    })?;
    journal.func_wrap("record", |mut store: Store<'_>, (series, step, value): (WasmStr, u64, f64)| {
        charge_call(&mut store, 16)?;
        let bytes = series.to_str(&store)?.len() as u64;
        charge_transfer(&mut store, bytes)?;
        if store.data().journal.keeps() {
            let series = series.to_str(&store)?.into_owned();
            store.data_mut().journal.record(&series, step, value);
        }
        Ok(())
    })?;
    journal.func_wrap("fuel-left", |mut store: Store<'_>, (): ()| {
        charge_call(&mut store, 8)?;
        // What is left of a prediction budget would tell a predictor what came before it.
        if store.data().training.is_none() {
            return Err(ImportMisuse::FuelLeft.into());
        }
        let left = store.get_fuel()?;
        Ok((store.data_mut().fuel_left.answer(left)?,))
    })
}
