//! Whether a JSON body says one thing: the readers behind would take the last of two members of one name, and whoever
//! looked at the request before may have read the first.

use std::{collections::HashSet, fmt};

use idcheck_domain::Violation;
use idcheck_usecases::FieldViolation;
use poem::http::StatusCode;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::kernel::problem::Problem;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The body without a byte order mark (RFC 8259 §8.1 lets a reader pass over it).
///
/// # Errors
/// 400 for an empty body, 422 with its place for a member that stands twice. What is no JSON is refused where it is read.
pub(crate) fn sound(mut body: Vec<u8>) -> Result<Vec<u8>, Problem> {
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len());
    }
    if body.trim_ascii().is_empty() {
        return Err(Problem::simple(StatusCode::BAD_REQUEST, "problem-body-missing"));
    }
    let mut twice = None;
    let mut reader = serde_json::Deserializer::from_slice(&body);
    let place = Place { pointer: &mut String::new(), twice: &mut twice };
    // An error is that of a member that stands twice, or one that the next reader meets too.
    let _ = place.deserialize(&mut reader);
    match twice {
        None => Ok(body),
        Some(pointer) => {
            Err(Problem::content(vec![FieldViolation { pointer, violation: Violation::Duplicate }]))
        }
    }
}

/// A value at a place; the first member that stands twice is noted.
struct Place<'p> {
    pointer: &'p mut String,
    twice: &'p mut Option<String>,
}

impl Place<'_> {
    fn below<T>(&mut self, name: &str, read: impl FnOnce(Place<'_>) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let value = read(Place { pointer: self.pointer, twice: self.twice });
        self.pointer.truncate(length);
        value
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// What is neither object nor list holds no member.
macro_rules! no_members {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E: Error>(self, _: $kind) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    no_members!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            if self.below(&index.to_string(), |place| items.next_element_seed(place))?.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let new = names.insert(name.clone());
            self.below(&name, |place| {
                if new {
                    return members.next_value_seed(place);
                }
                place.twice.get_or_insert_with(|| place.pointer.clone());
                members.next_value::<IgnoredAny>().map(drop)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_told_with_its_place() {
        for (body, pointer) in [
            (r#"{"a":1,"b":[{"c":null}]}"#, None),
            (r#"{"a":1,"a":2}"#, Some("/a")),
            (r#"{"a":{"b":1,"c":2,"b":3}}"#, Some("/a/b")),
            (r#"{"a":[{},{"b":[],"b":{}}]}"#, Some("/a/1/b")),
            (r#"{"a/~b":1,"a\u002f~b":1}"#, Some("/a~1~0b")),
            ("[1,2,2]", None),
            (r#"{"a":"#, None),
        ] {
            let told = sound(body.as_bytes().to_vec());
            let told = told.err().map(|problem| problem.told(crate::kernel::i18n::Lang::En));
            let told = told.map(|told| (told.errors[0].pointer.clone(), told.errors[0].code));
            assert_eq!(told, pointer.map(|pointer| (pointer.to_owned(), "duplicate")), "{body}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_and_nothing_is_told() {
        assert_eq!(sound("\u{feff}{}".into()).unwrap(), b"{}");
        for nothing in ["", " \r\n", "\u{feff}"] {
            assert_eq!(sound(nothing.into()).unwrap_err().status(), StatusCode::BAD_REQUEST, "{nothing:?}");
        }
    }
}
