//! Bodies read by hand: as whole JSON, documented by another type, so that every broken rule of every field is told
//! at once instead of the first one that a derived reader meets.

use std::{borrow::Cow, marker::PhantomData};

use idcheck_domain::Violation;
use idcheck_usecases::{Content, FieldViolation, Leaf};
use poem_openapi::{
    registry::{MetaSchemaRef, Registry},
    types::{ParseFromJSON, ParseResult, Type},
};
use serde_json::Value;

/// A JSON body that the document describes as `D`.
pub(crate) struct Described<D>(pub(crate) Value, PhantomData<fn() -> D>);

impl<D: Type> Type for Described<D> {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        D::name()
    }

    fn schema_ref() -> MetaSchemaRef {
        D::schema_ref()
    }

    fn register(registry: &mut Registry) {
        D::register(registry);
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl<D: Type> ParseFromJSON for Described<D> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        Ok(Self(value.unwrap_or(Value::Null), PhantomData))
    }
}

/// Deepest nesting and greatest number of values taken.
const MAX_DEPTH: usize = 4;
const MAX_LEAVES: usize = 200;

/// A JSON object as leaves by pointer (RFC 6901). What is neither text nor a whole number nor nothing is refused at its place.
pub(crate) fn flatten(value: &Value) -> Result<Content, Vec<FieldViolation>> {
    let mut leaves = Vec::new();
    let mut violations = Vec::new();
    if value.is_object() {
        walk(value, &mut String::new(), 0, &mut leaves, &mut violations);
    } else {
        violations.push(refused("", Violation::WrongType));
    }
    if leaves.len() > MAX_LEAVES {
        violations.push(refused("", Violation::TooMany { max: MAX_LEAVES }));
    }
    if violations.is_empty() { Ok(leaves.into_iter().collect()) } else { Err(violations) }
}

pub(crate) fn refused(pointer: &str, violation: Violation) -> FieldViolation {
    FieldViolation { pointer: pointer.to_owned(), violation }
}

fn walk(
    value: &Value,
    pointer: &mut String,
    depth: usize,
    leaves: &mut Vec<(String, Leaf)>,
    violations: &mut Vec<FieldViolation>,
) {
    let mut below = |name: &str, value: &Value, pointer: &mut String| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        walk(value, pointer, depth + 1, leaves, violations);
        pointer.truncate(length);
    };
    match value {
        Value::Null if depth > 0 => leaves.push((pointer.clone(), Leaf::Null)),
        Value::Object(members) if members.is_empty() && depth > 0 => {
            leaves.push((pointer.clone(), Leaf::Empty));
        }
        Value::Array(items) if items.is_empty() && depth > 0 => leaves.push((pointer.clone(), Leaf::Empty)),
        Value::Object(members) if depth < MAX_DEPTH => {
            for (name, value) in members {
                below(name, value, pointer);
            }
        }
        Value::Array(items) if depth < MAX_DEPTH => {
            for (index, value) in items.iter().enumerate() {
                below(&index.to_string(), value, pointer);
            }
        }
        Value::String(text) => leaves.push((pointer.clone(), Leaf::Text(text.clone()))),
        Value::Number(number) if number.is_i64() => {
            leaves.push((pointer.clone(), Leaf::Integer(number.as_i64().unwrap_or_default())));
        }
        _ => violations.push(refused(pointer, Violation::WrongType)),
    }
}

/// The content below one member of a body, with pointers that start there.
pub(crate) fn below(content: &Content, member: &str) -> Content {
    let prefix = format!("/{member}");
    content
        .iter()
        .filter_map(|(pointer, leaf)| {
            let rest = pointer.strip_prefix(&prefix).filter(|rest| rest.starts_with('/'))?;
            Some((rest.to_owned(), leaf.clone()))
        })
        .collect()
}
