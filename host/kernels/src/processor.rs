//! Which code this processor runs.

/// A set of instructions that the tiles are compiled for. All give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processor {
    /// x86-64 with AVX-512F: 512-bit vectors, 32 registers.
    Avx512,
    /// x86-64 with AVX2 and FMA: 256-bit vectors, 16 registers.
    Avx2,
    /// Whatever the build targets: NEON on arm64. Without fused multiply-add it is right, and fifty times slower.
    Portable,
}

impl Processor {
    /// The fastest that this machine can run.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// All that this machine can run, the fastest first.
    pub fn available() -> Vec<Self> {
        let mut available = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
            if avx2 && std::arch::is_x86_feature_detected!("avx512f") {
                available.push(Self::Avx512);
            }
            if avx2 {
                available.push(Self::Avx2);
            }
        }
        available.push(Self::Portable);
        available
    }
}
