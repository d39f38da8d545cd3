//! Memory and table limits over everything in a store together.

use wasmtime::ResourceLimiter;

use crate::stop::PlatformFault;

/// Table elements of all tables together; Rust guests use a few hundred for indirect calls.
pub const TABLE_ELEMENTS: usize = 100_000;

/// A growth past the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitExceeded {
    #[error("the guest asked for {value} bytes of memory, the limit is {limit}")]
    Memory { limit: usize, value: usize },
    #[error("the guest asked for {value} table elements, the limit is {limit}")]
    Table { limit: usize, value: usize },
}

impl LimitExceeded {
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::Memory { .. } => "memory_bytes",
            Self::Table { .. } => "table_elements",
        }
    }
}

/// Sums over every memory and table of one store and what the host holds for its guest; each may use the whole limit.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_limit: usize,
    /// Memories of the guest, which never shrink, and matrices that the host holds for it, which come and go.
    memory: usize,
    peak: usize,
    table_elements: usize,
    /// Whether the growth under way fits the limits, so that its failure is the host's.
    granted: bool,
}

impl Limiter {
    pub(crate) fn new(memory_limit: usize) -> Self {
        Self { memory_limit, memory: 0, peak: 0, table_elements: 0, granted: false }
    }

    /// The most bytes that memories and matrices had together.
    pub(crate) fn peak_memory(&self) -> usize {
        self.peak
    }

    /// Counts `bytes` that the host is about to hold for the guest.
    pub(crate) fn hold(&mut self, bytes: u64) -> Result<(), LimitExceeded> {
        self.grow(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Counts `bytes` no longer, which were held before.
    pub(crate) fn release(&mut self, bytes: u64) {
        self.memory = self.memory.saturating_sub(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// An error, never a refusal the guest could see: it would behave otherwise under another limit.
    fn grow(&mut self, bytes: usize) -> Result<(), LimitExceeded> {
        let value = self.memory.saturating_add(bytes);
        if value > self.memory_limit {
            return Err(LimitExceeded::Memory { limit: self.memory_limit, value });
        }
        self.memory = value;
        self.peak = self.peak.max(value);
        Ok(())
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.granted = false;
        // The guest's own maximum: -1 on every machine.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(desired.saturating_sub(current))?;
        self.granted = true;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if self.granted { Err(PlatformFault::HostMemory(error.to_string()).into()) } else { Ok(()) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.granted = false;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let value = self.table_elements.saturating_add(desired.saturating_sub(current));
        if value > TABLE_ELEMENTS {
            return Err(LimitExceeded::Table { limit: TABLE_ELEMENTS, value }.into());
        }
        self.table_elements = value;
        self.granted = true;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if self.granted { Err(PlatformFault::HostMemory(error.to_string()).into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_at_the_limit_together_ok() -> wasmtime::Result<()> {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 600, None)?);
        assert!(limiter.memory_growing(0, 400, None)?);
        assert_eq!(limiter.peak_memory(), 1000);
        Ok(())
    }

    #[test]
    fn matrices_count_beside_memories_until_released() -> wasmtime::Result<()> {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 600, None)?);
        assert_eq!(limiter.hold(400), Ok(()));
        assert_eq!(limiter.hold(1), Err(LimitExceeded::Memory { limit: 1000, value: 1001 }));
        limiter.release(400);
        assert_eq!(limiter.hold(399), Ok(()));
        assert_eq!(limiter.peak_memory(), 1000);
        assert_eq!(limiter.hold(u64::MAX), Err(LimitExceeded::Memory { limit: 1000, value: usize::MAX }));
        Ok(())
    }

    #[test]
    fn memories_one_byte_over_together_err() -> wasmtime::Result<()> {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 600, None)?);
        let error = limiter.memory_growing(0, 401, None).expect_err("over the limit");
        assert_eq!(error.downcast_ref(), Some(&LimitExceeded::Memory { limit: 1000, value: 1001 }));
        Ok(())
    }

    #[test]
    fn the_guests_own_maximum_is_not_an_error() -> wasmtime::Result<()> {
        let mut limiter = Limiter::new(1000);
        assert!(!limiter.memory_growing(0, 600, Some(500))?);
        assert!(limiter.memory_grow_failed(wasmtime::Error::msg("maximum")).is_ok());
        Ok(())
    }

    #[test]
    fn a_granted_growth_that_fails_is_the_hosts_fault() -> wasmtime::Result<()> {
        let mut limiter = Limiter::new(1000);
        assert!(limiter.memory_growing(0, 600, None)?);
        let error = limiter.memory_grow_failed(wasmtime::Error::msg("mmap")).expect_err("ours");
        assert!(error.is::<PlatformFault>());
        Ok(())
    }

    #[test]
    fn table_elements_at_the_limit_ok_and_one_over_err() -> wasmtime::Result<()> {
        let mut limiter = Limiter::new(0);
        assert!(limiter.table_growing(0, TABLE_ELEMENTS, None)?);
        assert!(limiter.table_growing(0, 1, None).is_err());
        Ok(())
    }
}
