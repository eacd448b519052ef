//! What a user types to start this program, for the help and the errors that say what to type next.

use std::{fmt, sync::OnceLock};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Installed by itself.
    Slipway,
    /// As one of a workspace's tasks.
    CargoXtask,
}

static TYPED: OnceLock<Name> = OnceLock::new();

impl Name {
    pub(crate) const ALL: [Name; 2] = [Name::Slipway, Name::CargoXtask];

    /// How this process was started.
    pub(crate) fn typed() -> Name {
        TYPED.get().copied().unwrap_or(Name::Slipway)
    }

    /// To be called once, before anything is said.
    pub(crate) fn was_typed(self) {
        TYPED.get_or_init(|| self);
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Name::Slipway => "slipway",
            Name::CargoXtask => "cargo xtask",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.as_str())
    }
}

/// A text in which every command to type begins with `slipway`, with the name that was typed in its place.
pub(crate) fn as_typed(text: &str) -> String {
    text.replace("slipway ", &format!("{} ", Name::typed()))
}
