//! Masks of one bit a pixel.

/// The pixels of a mask, 64 a word, and how many are inside.
#[derive(Debug)]
pub(super) struct Packed {
    words: Vec<u64>,
    area: u64,
}

impl Packed {
    /// From a byte a pixel, 0 or 1.
    pub(super) fn new(mask: &[u8]) -> Self {
        let word = |pixels: &[u8]| pixels.iter().rev().fold(0_u64, |word, &pixel| word << 1 | u64::from(pixel & 1));
        let words: Vec<_> = mask.chunks(64).map(word).collect();
        let area = words.iter().map(|word| u64::from(word.count_ones())).sum();
        Self { words, area }
    }

    /// Intersection over union of two masks of one size, of which one at least has a pixel inside.
    pub(super) fn iou(&self, other: &Self) -> f64 {
        let both = self.words.iter().zip(&other.words).map(|(one, other)| u64::from((one & other).count_ones()));
        let shared: u64 = both.sum();
        shared as f64 / (self.area + other.area - shared) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_counts_once_across_words() {
        let mut one = vec![0; 130];
        let mut other = vec![0; 130];
        one[60..70].fill(1);
        other[66..129].fill(1);
        let (one, other) = (Packed::new(&one), Packed::new(&other));
        assert_eq!((one.area, other.area), (10, 63));
        assert_eq!(one.iou(&other), 4.0 / 69.0);
        assert_eq!(one.iou(&one), 1.0);
    }
}
