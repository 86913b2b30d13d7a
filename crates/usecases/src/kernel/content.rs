//! The content of an act as it was typed: JSON pointers (RFC 6901) with their text.
//!
//! Pages name their fields by the same pointers as the API, so that one reading serves both, a violation points at
//! the field in either, and the signed digest is the same.

use std::collections::{BTreeMap, BTreeSet};

use idcheck_domain::Violation;
use sha2::{Digest, Sha256};

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `null`: as if it were not there.
    Null,
    /// An object or a list without members.
    Empty,
}

/// A field and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// Where: a JSON pointer into the content.
    pub pointer: String,
    /// What.
    pub violation: Violation,
}

/// What was typed, by JSON pointer. Holds personal data: `Debug` shows the pointers only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content(BTreeMap<String, Leaf>);

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, Leaf)> for Content {
    fn from_iter<I: IntoIterator<Item = (String, Leaf)>>(leaves: I) -> Self {
        Self(leaves.into_iter().collect())
    }
}

impl Content {
    /// The leaves in the order of their pointers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Leaf)> {
        self.0.iter().map(|(pointer, leaf)| (pointer.as_str(), leaf))
    }

    /// The text at `pointer`.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        match self.0.get(pointer) {
            Some(Leaf::Text(text)) => Some(text),
            Some(Leaf::Integer(_) | Leaf::Null | Leaf::Empty) | None => None,
        }
    }

    /// The leaves that hold a value, in the order of their pointers: what is signed and kept.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Leaf)> {
        self.iter().filter(|(_, leaf)| !matches!(leaf, Leaf::Null | Leaf::Empty))
    }

    /// SHA-256 over every pointer and value, each preceded by its kind and length, so that no two contents share a
    /// digest by moving text between fields.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (pointer, leaf) in self.values() {
            let (kind, value) = match leaf {
                Leaf::Text(text) => ('t', text.clone()),
                Leaf::Integer(number) => ('i', number.to_string()),
                Leaf::Null | Leaf::Empty => continue,
            };
            hash.update(format!("{}:{pointer}{kind}{}:{value}", pointer.len(), value.len()));
        }
        hash.finalize().into()
    }

    fn has_below(&self, pointer: &str) -> bool {
        let prefix = format!("{pointer}/");
        self.0.keys().any(|key| key.starts_with(&prefix))
    }
}

/// Reads a content field by field and collects every violation, so that all are reported at once.
pub struct Fields<'c> {
    content: &'c Content,
    seen: BTreeSet<String>,
    violations: Vec<FieldViolation>,
}

impl<'c> Fields<'c> {
    /// Reads this content.
    pub fn of(content: &'c Content) -> Self {
        Self { content, seen: BTreeSet::new(), violations: Vec::new() }
    }

    /// Notes a broken rule.
    pub fn refuse(&mut self, pointer: &str, violation: Violation) {
        self.violations.push(FieldViolation { pointer: pointer.to_owned(), violation });
    }

    /// Notes the broken rule of a result.
    pub fn check<T>(&mut self, pointer: &str, result: Result<T, Violation>) -> Option<T> {
        result.map_err(|violation| self.refuse(pointer, violation)).ok()
    }

    fn leaf(&mut self, pointer: &str) -> Option<&'c Leaf> {
        self.seen.insert(pointer.to_owned());
        self.content.0.get(pointer)
    }

    /// Takes a member for known that was not given.
    pub(crate) fn pass(&mut self, pointer: &str) {
        self.seen.insert(pointer.to_owned());
    }

    /// A text that may be absent; blank counts as absent.
    pub fn optional<T>(
        &mut self,
        pointer: &str,
        parse: impl FnOnce(&str) -> Result<T, Violation>,
    ) -> Option<T> {
        match self.leaf(pointer) {
            None | Some(Leaf::Null) => None,
            Some(Leaf::Text(text)) if text.trim().is_empty() => None,
            Some(Leaf::Text(text)) => self.check(pointer, parse(text.trim())),
            Some(Leaf::Integer(_) | Leaf::Empty) => self.check(pointer, Err(Violation::WrongType)),
        }
    }

    /// A text that must be there.
    pub fn required<T>(
        &mut self,
        pointer: &str,
        parse: impl FnOnce(&str) -> Result<T, Violation>,
    ) -> Option<T> {
        match self.leaf(pointer) {
            Some(Leaf::Text(text)) if !text.trim().is_empty() => self.check(pointer, parse(text.trim())),
            Some(Leaf::Integer(_) | Leaf::Empty) => self.check(pointer, Err(Violation::WrongType)),
            None | Some(Leaf::Text(_) | Leaf::Null) => self.check(pointer, Err(Violation::Required)),
        }
    }

    /// A text with the blanks at its beginning and end: a password is read after [`Self::required`] has looked at it.
    pub fn verbatim(&mut self, pointer: &str) -> Option<&'c str> {
        match self.leaf(pointer) {
            Some(Leaf::Text(text)) => Some(text),
            Some(Leaf::Integer(_) | Leaf::Null | Leaf::Empty) | None => None,
        }
    }

    /// A whole number that may be absent; a page sends it as text.
    pub fn integer(&mut self, pointer: &str) -> Option<i64> {
        match self.leaf(pointer) {
            None | Some(Leaf::Null) => None,
            Some(Leaf::Integer(number)) => Some(*number),
            Some(Leaf::Empty) => self.check(pointer, Err(Violation::WrongType)),
            Some(Leaf::Text(text)) if text.trim().is_empty() => None,
            Some(Leaf::Text(text)) => {
                self.check(pointer, text.trim().parse().map_err(|_| Violation::WrongType))
            }
        }
    }

    /// The texts of a list, in order, each with its pointer; blank ones are passed over.
    pub fn list(&mut self, pointer: &str) -> Vec<(String, String)> {
        let mut items = Vec::new();
        for index in 0.. {
            let at = format!("{pointer}/{index}");
            match self.leaf(&at) {
                None => break,
                Some(Leaf::Text(text)) if text.trim().is_empty() => {}
                Some(Leaf::Text(text)) => items.push((at, text.trim().to_owned())),
                Some(Leaf::Integer(_) | Leaf::Null | Leaf::Empty) => self.refuse(&at, Violation::WrongType),
            }
        }
        items
    }

    /// Whether something other than blank text is at `pointer`.
    pub fn given(&self, pointer: &str) -> bool {
        match self.content.0.get(pointer) {
            Some(Leaf::Text(text)) => !text.trim().is_empty(),
            Some(Leaf::Integer(_) | Leaf::Empty) => true,
            Some(Leaf::Null) | None => false,
        }
    }

    /// Whether anything is given below `pointer`.
    pub fn has(&self, pointer: &str) -> bool {
        self.content.has_below(pointer)
    }

    /// Whether somebody asked for what is at a pointer; for an object or a list without members, for one in it.
    fn is_known(&self, pointer: &str, leaf: &Leaf) -> bool {
        let below = || {
            self.seen.iter().any(|seen| seen.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/')))
        };
        self.seen.contains(pointer) || (matches!(leaf, Leaf::Null | Leaf::Empty) && below())
    }

    /// Ends the reading: members that nobody asked for are refused too.
    ///
    /// # Errors
    /// Every violation, in the order of the pointers.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<FieldViolation>> {
        let unknown = self.content.0.iter().filter(|(pointer, leaf)| !self.is_known(pointer, leaf));
        let unknown: Vec<_> = unknown.map(|(pointer, _)| pointer.clone()).collect();
        for pointer in unknown {
            self.refuse(&pointer, Violation::UnknownMember);
        }
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            Some(_) | None => Err(self.violations),
        }
    }
}
