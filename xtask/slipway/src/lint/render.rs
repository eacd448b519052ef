//! The report in the forms that it is printed in. They show what is there and decide nothing.

mod json;
mod sarif;
mod text;

pub(crate) use json::json;
pub(crate) use sarif::sarif;
pub(crate) use text::{summary, text};
