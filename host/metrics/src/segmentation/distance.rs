//! Exact distances of all pixels of a window to the nearest of a set.

/// Farther than any pixel, and its square with any other's still fits.
const FAR: i64 = 1 << 20;

/// The squared Euclidean distance of each pixel to the nearest of a set, in whole pixels: Meijster, Roerdink and
/// Hesselink 2000, in time proportional to the pixels.
#[derive(Debug, Default)]
pub(super) struct Squared {
    /// Along the column, then the result.
    distances: Vec<i64>,
    /// Where the lower envelope of a row is made of another pixel's parabola, and from where on.
    segments: Vec<(usize, i64)>,
    column: Vec<i64>,
}

impl Squared {
    /// The distances in a window of rows of `width` pixels; those of an empty set are at least 2⁴⁰.
    pub(super) fn compute(&mut self, set: &[bool], width: usize) -> &[i64] {
        self.along_columns(set, width);
        for start in (0..set.len()).step_by(width.max(1)) {
            self.along_row(start, width);
        }
        &self.distances
    }

    fn along_columns(&mut self, set: &[bool], width: usize) {
        self.distances.clear();
        self.distances.resize(set.len(), FAR);
        for (place, &inside) in set.iter().enumerate() {
            let above = if place < width { FAR } else { self.distances[place - width] + 1 };
            self.distances[place] = if inside { 0 } else { above.min(FAR) };
        }
        for place in (0..set.len().saturating_sub(width)).rev() {
            self.distances[place] = self.distances[place].min(self.distances[place + width] + 1);
        }
    }

    fn along_row(&mut self, start: usize, width: usize) {
        self.column.clear();
        self.column.extend(self.distances[start..start + width].iter().map(|&distance| distance * distance));
        let column = &self.column;
        let from = |place: usize, seen: i64| (seen - place as i64).pow(2) + column[place];
        self.segments.clear();
        for place in 0..width {
            while let Some(&(last, begin)) = self.segments.last() {
                if from(last, begin) <= from(place, begin) {
                    break;
                }
                self.segments.pop();
            }
            match self.segments.last() {
                None => self.segments.push((place, 0)),
                Some(&(last, _)) => {
                    let (one, other) = (last as i64, place as i64);
                    let begin =
                        1 + (other * other - one * one + column[place] - column[last]).div_euclid(2 * (other - one));
                    if begin < width as i64 {
                        self.segments.push((place, begin));
                    }
                }
            }
        }
        let mut segments = self.segments.iter().rev().peekable();
        for (seen, distance) in self.distances[start..start + width].iter_mut().enumerate().rev() {
            while segments.next_if(|segment| segment.1 > seen as i64).is_some() {}
            if let Some(&&(place, _)) = segments.peek() {
                *distance = (seen as i64 - place as i64).pow(2) + column[place];
            }
        }
    }
}

/// The chessboard distance of each pixel of a window to the nearest outside of a set; beyond the window all is outside.
/// Pixels of the set on the window's rim are at 1, those outside of it at 0.
pub(super) fn depths<'a>(set: &[bool], width: usize, depths: &'a mut Vec<u32>) -> &'a [u32] {
    depths.clear();
    depths.resize(set.len(), 0);
    for place in 0..set.len() {
        let column = place % width;
        depths[place] = match set[place] {
            true if place >= width && column > 0 && column + 1 < width => {
                let above = depths[place - width - 1].min(depths[place - width]).min(depths[place - width + 1]);
                1 + above.min(depths[place - 1])
            }
            inside => u32::from(inside),
        };
    }
    for place in (0..set.len()).rev() {
        let column = place % width;
        if depths[place] > 1 {
            // A pixel deeper than 1 is in no rim but the lowest row's.
            let below = match place + width < set.len() && column > 0 && column + 1 < width {
                true => depths[place + width - 1].min(depths[place + width]).min(depths[place + width + 1]),
                false => 0,
            };
            depths[place] = depths[place].min(1 + below.min(depths[place + 1]));
        }
    }
    depths
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A set with a few of its pixels at places that a generator of whole numbers gives.
    fn some_set(height: usize, width: usize, one_of: u64, mut seed: u64) -> Vec<bool> {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33).is_multiple_of(one_of)
        };
        (0..height * width).map(|_| next()).collect()
    }

    fn places(set: &[bool], width: usize) -> Vec<(i64, i64)> {
        let inside = (0..set.len()).filter(|&place| set[place]);
        inside.map(|place| ((place / width) as i64, (place % width) as i64)).collect()
    }

    #[test]
    fn distances_are_those_of_trying_every_pair() {
        let mut squared = Squared::default();
        for (height, width) in [(1, 1), (1, 9), (9, 1), (7, 13), (16, 16)] {
            for seed in 0..20 {
                let set = some_set(height, width, 2 + seed * 3, seed);
                let members = places(&set, width);
                for (place, &distance) in squared.compute(&set, width).iter().enumerate() {
                    let (row, column) = ((place / width) as i64, (place % width) as i64);
                    let nearest = members.iter().map(|(y, x)| (row - y).pow(2) + (column - x).pow(2)).min();
                    assert!(nearest.map_or(distance >= 1 << 40, |nearest| nearest == distance), "{set:?}");
                }
            }
        }
    }

    #[test]
    fn depths_are_those_of_trying_every_square() {
        let mut buffer = Vec::new();
        for (height, width) in [(1, 5), (5, 1), (7, 9), (12, 12)] {
            for seed in 0..20 {
                let set: Vec<_> = some_set(height, width, 4 + 7 * seed, seed).iter().map(|outside| !outside).collect();
                let inside = |row: i64, column: i64| {
                    let within = (0..height as i64).contains(&row) && (0..width as i64).contains(&column);
                    within && set[row as usize * width + column as usize]
                };
                for (place, &depth) in depths(&set, width, &mut buffer).iter().enumerate() {
                    let (row, column) = ((place / width) as i64, (place % width) as i64);
                    let all_inside = |reach: i64| {
                        (-reach..=reach).all(|dy| (-reach..=reach).all(|dx| inside(row + dy, column + dx)))
                    };
                    let expected = (0..).take_while(|&reach| all_inside(reach)).count();
                    assert_eq!(depth as usize, expected, "{set:?}");
                }
            }
        }
    }
}
