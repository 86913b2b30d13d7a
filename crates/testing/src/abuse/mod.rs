//! Use counted in memory, and a world of made-up organisations that use the service well or badly: what the rules of abnormal
//! use find there, and how soon.

mod counts;
mod world;

pub use counts::{Counts, Event};
pub use world::{Behaviour, Noticed, World};
