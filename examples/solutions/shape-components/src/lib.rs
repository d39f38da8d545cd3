//! Bright shapes in grey images, one by one, and what they look like: what several of the example solutions need.
//!
//! [`shapes`] finds them without training: the light is levelled, what is brighter than the background is cut into
//! pieces that hold together by more than a bridge. [`Classifier`] learns their classes from a few measures that do not
//! change when a shape is moved, turned or scaled.
#![forbid(unsafe_code)]

mod classifier;
mod foreground;
mod shape;

pub use classifier::Classifier;
pub use foreground::{Foreground, foreground};
pub use shape::{Shape, largest, shapes};
