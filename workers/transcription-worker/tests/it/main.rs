//! The recogniser through its seam: samples go in, segments come out. The model is the real one.

#![cfg(test)]

mod accuracy;
mod cancel;
mod languages;
mod refusals;
mod repeatable;
mod sound;
mod times;
mod wordless;
