//! Opening files of CSV.

use std::{fs::File, path::Path};

/// Why a file can't be used, in words for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FileProblem(pub(crate) String);

impl FileProblem {
    pub(crate) fn folder(what: &str, path: &Path) -> Self {
        Self(format!("{what} {}: it is a folder; name the file in it", path.display()))
    }

    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self(format!("{what} {}: {error}", path.display()))
    }
}

/// Opens a CSV file.
///
/// # Errors
/// There is none, or it is a folder.
pub fn open_csv(path: &Path, what: &str) -> Result<csv::Reader<File>, FileProblem> {
    if path.is_dir() {
        return Err(FileProblem::folder(what, path));
    }
    let file = File::open(path).map_err(|error| FileProblem::io(what, path, &error))?;
    Ok(csv::ReaderBuilder::new().flexible(true).from_reader(file))
}

/// The names of the first line.
///
/// # Errors
/// The line is not UTF-8, with how to convert the file.
pub fn header(reader: &mut csv::Reader<File>, path: &Path) -> Result<csv::StringRecord, FileProblem> {
    let header = reader.byte_headers();
    let header = header.map_err(|error| FileProblem(format!("the first line is not CSV: {error}")))?.clone();
    let Ok(header) = csv::StringRecord::from_byte_record(header) else {
        return Err(FileProblem(not_utf8(path)));
    };
    Ok(header.iter().map(|name| name.trim_start_matches('\u{FEFF}').trim()).collect())
}

/// What to do with a file that is not UTF-8.
pub fn not_utf8(path: &Path) -> String {
    format!(
        "the file is not UTF-8; if it is Big5, convert it first: `iconv -f BIG5-HKSCS -t UTF-8 {} > converted.csv`",
        path.display()
    )
}
