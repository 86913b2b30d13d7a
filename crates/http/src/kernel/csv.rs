//! Tables to take away as CSV (RFC 4180).

use csv::{Terminator, WriterBuilder};

/// A table that spreadsheets open as it is: it begins with a byte order mark, and text that would be taken for a formula gets a
/// `'` before it.
pub(crate) fn table<'h>(
    header: impl IntoIterator<Item = &'h str>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer("\u{FEFF}".into());
    let rows = rows.into_iter().map(|row| row.into_iter().map(guarded).collect::<Vec<_>>());
    let written = writer
        .write_record(header)
        .and_then(|()| rows.into_iter().try_for_each(|row| writer.write_record(row)));
    if let Err(error) = written {
        tracing::error!(%error, "a table could not be written as CSV");
    }
    let bytes: Vec<u8> = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn guarded(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a spreadsheet would take for a formula is a text there, in full width too.
    #[test]
    fn no_cell_is_a_formula() {
        for sign in ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'] {
            assert_eq!(guarded(format!("{sign}1")), format!("'{sign}1"));
        }
        assert_eq!(guarded("甲-乙".to_owned()), "甲-乙");
    }

    #[test]
    fn a_cell_is_text_whatever_is_in_it() {
        let cells = ["=1+1", "＝1", "甲,乙", "\"丙\"", "a\r\nb", "2026-11-22"].map(str::to_owned).to_vec();
        let told = table(["a", "b", "c", "d", "e", "f"], [cells]);
        let expected = "\u{FEFF}a,b,c,d,e,f\r\n'=1+1,'＝1,\"甲,乙\",\"\"\"丙\"\"\",\"a\r\nb\",2026-11-22\r\n";
        assert_eq!(told, expected);
    }
}
