//! The handwritten digits that every row is made from (`datasets/digits/NOTICE.md`).

use crate::metadataset::Split;
use crate::stream::Stream;

use super::CLASSES;

/// Pixels along an edge.
pub(crate) const EDGE: usize = 8;

/// A digit, then 64 pixels of 0 to 16, 1,797 times.
const DIGITS: &[u8] = include_bytes!("../../digits/digits.bin");
const RECORD: usize = 1 + EDGE * EDGE;

/// Pixels of an image, row after row, 0 to 16.
pub(crate) type Image = &'static [u8];

/// Images of each class in a split. Together the 174 of the rarest digit.
pub(crate) const fn per_class(split: Split) -> usize {
    match split {
        Split::Train => 100,
        Split::Validation => 24,
        Split::Test => 50,
    }
}

/// The images of each class, in an order of its own.
#[derive(Debug)]
pub(crate) struct Images(Vec<Vec<Image>>);

impl Images {
    /// Shuffles the images of every class.
    pub(crate) fn draw(stream: &mut Stream) -> Self {
        let shuffled = |class: usize| {
            let images: Vec<Image> = DIGITS
                .chunks_exact(RECORD)
                .filter(|record| record[0] as usize == class)
                .map(|record| &record[1..])
                .collect();
            stream.permutation(images.len()).into_iter().map(|index| images[index]).collect()
        };
        Self((0..CLASSES as usize).map(shuffled).collect())
    }

    /// The images of one class in a split: no other split has them.
    pub(crate) fn of(&self, class: usize, split: Split) -> &[Image] {
        let before: usize = Split::ALL.into_iter().take_while(|other| *other != split).map(per_class).sum();
        &self.0[class][before..][..per_class(split)]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::digest::Digest;

    #[test]
    fn the_images_are_those_of_scikit_learn() {
        // What `datasets/digits/convert.py` made of scikit-learn 1.9.1.
        let expected = "sha256:d8121ca7764eccfaef1df6bc4589c6527c58fcbab0cb1b079e79f97f8cb8219a";
        assert_eq!(Digest::of(DIGITS).to_string(), expected);
        assert_eq!(DIGITS.len(), 1797 * RECORD);
        // `load_digits().images[0]`, of class 0: its second row.
        assert_eq!((DIGITS[0], &DIGITS[9..17]), (0, &[0, 0, 13, 15, 10, 15, 5, 0][..]));
        assert!(
            DIGITS.chunks_exact(RECORD).all(|record| record[0] < 10 && record[1..].iter().all(|&pixel| pixel <= 16))
        );
    }

    #[test]
    fn no_image_is_in_two_splits() {
        let images = Images::draw(&mut Stream::new([4; 32]));
        let mut seen = BTreeSet::new();
        for class in 0..CLASSES as usize {
            for split in Split::ALL {
                for image in images.of(class, split) {
                    // Images are told apart by where they stand in the file: two people may have drawn the same.
                    assert!(seen.insert(image.as_ptr()), "{split} {class}");
                }
            }
        }
        assert_eq!(seen.len(), 10 * 174);
    }
}
