//! Four values side by side, for kernels that the compiler does not make vector code of by itself.

/// Four f32, in a register where there are such: in wasm with SIMD, which the functions that use it must turn on.
#[cfg(target_family = "wasm")]
#[derive(Clone, Copy)]
pub(super) struct Vector(std::arch::wasm32::v128);

#[cfg(target_family = "wasm")]
mod imp {
    use std::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul};

    use super::Vector;

    impl Vector {
        #[target_feature(enable = "simd128")]
        #[inline]
        pub(in super::super) fn new([a, b, c, d]: [f32; 4]) -> Self {
            Self(f32x4(a, b, c, d))
        }

        /// `self` + x · y, rounded twice.
        #[target_feature(enable = "simd128")]
        #[inline]
        pub(in super::super) fn plus_product(self, x: Self, y: Self) -> Self {
            Self(f32x4_add(self.0, f32x4_mul(x.0, y.0)))
        }

        #[target_feature(enable = "simd128")]
        #[inline]
        pub(in super::super) fn values(self) -> [f32; 4] {
            [
                f32x4_extract_lane::<0>(self.0),
                f32x4_extract_lane::<1>(self.0),
                f32x4_extract_lane::<2>(self.0),
                f32x4_extract_lane::<3>(self.0),
            ]
        }
    }
}

/// Four f32.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy)]
pub(super) struct Vector([f32; 4]);

#[cfg(not(target_family = "wasm"))]
impl Vector {
    pub(super) fn new(values: [f32; 4]) -> Self {
        Self(values)
    }

    /// `self` + x · y, rounded twice.
    pub(super) fn plus_product(self, x: Self, y: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] + x.0[lane] * y.0[lane]))
    }

    pub(super) fn values(self) -> [f32; 4] {
        self.0
    }
}
