//! The variables of a project, and which of them were asked for in vain.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

#[derive(Debug, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, String>,
    unset: RefCell<BTreeSet<String>>,
}

impl Variables {
    pub(super) fn new(values: BTreeMap<String, String>) -> Variables {
        Variables { values, unset: RefCell::default() }
    }

    #[cfg(test)]
    pub(super) fn of<const N: usize>(values: [(&str, &str); N]) -> Variables {
        Variables::new(values.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value, or nothing and a note for [`Variables::take_unset`].
    pub(super) fn get_or_warn(&self, name: &str) -> String {
        self.get(name).map(str::to_owned).unwrap_or_else(|| {
            self.unset.borrow_mut().insert(name.to_owned());
            String::new()
        })
    }

    /// The names that were asked for without a default and have no value.
    pub(super) fn take_unset(&self) -> Vec<String> {
        self.unset.take().into_iter().collect()
    }
}
