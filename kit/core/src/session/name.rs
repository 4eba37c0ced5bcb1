use alloc::string::{String, ToString};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a thing, a kind of thing or an action is called: 1 to 64 printable characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or too long.
    #[error("a name has 1 to {max} characters, this one {0}", max = Name::MAX_CHARS)]
    Length(usize),
    /// A line break or the like, which would spoil a log or a screen.
    #[error("a name may not hold the control character {0:?}")]
    Control(char),
}

impl Name {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        // Counting stops early, so that a huge text costs nothing.
        let chars = text.chars().take(Self::MAX_CHARS + 1).count();
        if chars == 0 || chars > Self::MAX_CHARS {
            return Err(NameError::Length(chars));
        }
        match text.chars().find(|c| c.is_control()) {
            Some(control) => Err(NameError::Control(control)),
            None => Ok(Self(text)),
        }
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_string())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_empty_nor_endless_nor_two_lines() {
        assert_eq!("".parse::<Name>(), Err(NameError::Length(0)));
        assert_eq!("x".repeat(65).parse::<Name>(), Err(NameError::Length(65)));
        assert_eq!("a\nb".parse::<Name>(), Err(NameError::Control('\n')));
        assert_eq!("lamp by the door".parse::<Name>().unwrap().as_str(), "lamp by the door");
    }
}
