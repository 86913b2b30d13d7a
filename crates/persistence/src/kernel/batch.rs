//! Many rows as the parameters of one statement, so that a statement has one text, and is prepared once, whatever the
//! number of rows. PostgreSQL takes an array for each column (`unnest`), SQLite one JSON list (`json_each`).

use std::fmt::Write as _;

use sea_orm::{DbBackend, Value};

/// A column of the rows.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Text(&'static str),
    Integer(&'static str),
    Bytes(&'static str),
}

/// A value of a row; its kind is its column's.
#[derive(Clone, Copy)]
pub(crate) enum Cell<'c> {
    Text(&'c str),
    Integer(i64),
    Bytes(Option<&'c [u8]>),
}

/// The parameters from `$first` on as a table `i` with these columns.
pub(crate) fn table(backend: DbBackend, first: usize, columns: &[Column]) -> String {
    let list = |of: &dyn Fn((usize, &Column)) -> String| {
        columns.iter().enumerate().map(of).collect::<Vec<_>>().join(", ")
    };
    if backend == DbBackend::Postgres {
        let arrays = list(&|(place, column)| {
            let number = first + place;
            match column {
                Column::Text(_) => format!("${number}::text[]"),
                Column::Integer(_) => format!("${number}::bigint[]"),
                Column::Bytes(_) => format!("${number}::bytea[]"),
            }
        });
        let names = list(&|(_, column)| column.name().to_owned());
        return format!("unnest({arrays}) AS i({names})");
    }
    let members = list(&|(place, column)| match column {
        Column::Text(name) | Column::Integer(name) => format!("value ->> {place} AS {name}"),
        Column::Bytes(name) => format!("unhex(value ->> {place}) AS {name}"),
    });
    format!("(SELECT {members} FROM json_each(${first})) AS i")
}

/// How many parameters such a table takes.
pub(crate) const fn parameters(backend: DbBackend, columns: &[Column]) -> usize {
    if matches!(backend, DbBackend::Postgres) { columns.len() } else { 1 }
}

impl Column {
    const fn name(&self) -> &'static str {
        match self {
            Self::Text(name) | Self::Integer(name) | Self::Bytes(name) => name,
        }
    }
}

/// The rows of a table, written as its parameters while they are added.
pub(crate) struct Rows {
    postgres: bool,
    texts: Vec<String>,
    count: usize,
}

impl Rows {
    /// None yet, of a table with these columns.
    pub(crate) fn new(backend: DbBackend, columns: &[Column]) -> Self {
        let postgres = backend == DbBackend::Postgres;
        Self { postgres, texts: vec![String::new(); parameters(backend, columns)], count: 0 }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a row with a cell for each column, in the columns' order.
    pub(crate) fn push(&mut self, cells: &[Cell<'_>]) {
        let first = self.count == 0;
        self.count += 1;
        if self.postgres {
            for (text, cell) in self.texts.iter_mut().zip(cells) {
                text.push(if first { '{' } else { ',' });
                element(text, *cell);
            }
        } else if let Some(text) = self.texts.first_mut() {
            text.push_str(if first { "[[" } else { ",[" });
            for (place, cell) in cells.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                member(text, *cell);
            }
            text.push(']');
        }
    }

    pub(crate) fn values(self) -> Vec<Value> {
        let (none, end) = if self.postgres { ("{}", '}') } else { ("[]", ']') };
        let finished = |mut text: String| {
            if text.is_empty() {
                text.push_str(none);
            } else {
                text.push(end);
            }
            text.into()
        };
        self.texts.into_iter().map(finished).collect()
    }
}

/// An element of an array's text (PostgreSQL 8.15.6).
fn element(text: &mut String, cell: Cell<'_>) {
    match cell {
        Cell::Text(value) => {
            text.push('"');
            for character in value.chars() {
                if matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
            text.push('"');
        }
        Cell::Integer(value) => integer(text, value),
        Cell::Bytes(Some(bytes)) => {
            text.push_str("\"\\\\x");
            hexadecimal(text, bytes);
            text.push('"');
        }
        Cell::Bytes(None) => text.push_str("NULL"),
    }
}

/// A member of a JSON list.
fn member(text: &mut String, cell: Cell<'_>) {
    match cell {
        // A text always has a JSON form.
        Cell::Text(value) => text.push_str(&serde_json::to_string(value).unwrap_or_default()),
        Cell::Integer(value) => integer(text, value),
        Cell::Bytes(Some(bytes)) => {
            text.push('"');
            hexadecimal(text, bytes);
            text.push('"');
        }
        Cell::Bytes(None) => text.push_str("null"),
    }
}

fn integer(text: &mut String, value: i64) {
    // Writing into a text can't fail.
    let _ = write!(text, "{value}");
}

fn hexadecimal(text: &mut String, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [Column::Text("a"), Column::Integer("b"), Column::Bytes("c")];

    fn written(backend: DbBackend, rows: &[[Cell<'_>; 3]]) -> Vec<Value> {
        let mut all = Rows::new(backend, &COLUMNS);
        for row in rows {
            all.push(row);
        }
        all.values()
    }

    #[test]
    fn what_has_a_meaning_to_the_database_is_only_text() {
        let rows = [
            [Cell::Text("\"},{\\"), Cell::Integer(-1), Cell::Bytes(Some(&[0x0a, 0xff]))],
            [Cell::Text("NULL"), Cell::Integer(i64::MAX), Cell::Bytes(None)],
        ];
        assert_eq!(
            written(DbBackend::Postgres, &rows),
            [r#"{"\"},{\\","NULL"}"#, "{-1,9223372036854775807}", r#"{"\\x0aff",NULL}"#].map(Value::from)
        );
        assert_eq!(
            written(DbBackend::Sqlite, &rows),
            [r#"[["\"},{\\",-1,"0aff"],["NULL",9223372036854775807,null]]"#].map(Value::from)
        );
    }

    #[test]
    fn no_rows_are_an_empty_list() {
        assert_eq!(written(DbBackend::Postgres, &[]), ["{}", "{}", "{}"].map(Value::from));
        assert_eq!(written(DbBackend::Sqlite, &[]), ["[]"].map(Value::from));
    }
}
