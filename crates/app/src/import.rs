//! Reading CSV files for the imports: row by row, each refused row with its line and rule.

use std::{fs::File, path::Path};

use anyhow::{Context, bail};
use idcheck_domain::{
    Violation,
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::{CardData, CardStatus},
};
use idcheck_usecases::ports::RegisterRow;

/// Columns of the register's CSV, in this order.
pub(crate) const REGISTER_COLUMNS: [&str; 5] =
    ["personId", "applyCode", "applyYyymmdd", "issueSiteId", "status"];

/// A row that was refused. Names no value: a register's rows are personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedRow {
    /// Its line, from 1.
    pub(crate) line: u64,
    pub(crate) column: &'static str,
    pub(crate) violation: Violation,
}

/// Opens a CSV of the register and checks its header.
///
/// # Errors
/// The file can't be read, or its columns are not the expected ones.
pub(crate) fn open_register(path: &Path) -> anyhow::Result<csv::Reader<File>> {
    let mut reader = open_csv(path, "register file")?;
    let header = header(&mut reader, path)?;
    // A file without a header has a person in its first line: it is not shown.
    if !header.iter().eq(REGISTER_COLUMNS) {
        bail!(
            "{}: the first line must be `{}`, and it is something else; nothing was imported",
            path.display(),
            REGISTER_COLUMNS.join(",")
        );
    }
    Ok(reader)
}

/// Opens a CSV file.
///
/// # Errors
/// There is none, or it is a folder.
pub(crate) fn open_csv(path: &Path, what: &str) -> anyhow::Result<csv::Reader<File>> {
    let shown = path.display();
    if path.is_dir() {
        bail!("{what} {shown}: it is a folder; name the file in it");
    }
    let file = File::open(path).with_context(|| format!("{what} {shown}"))?;
    Ok(csv::ReaderBuilder::new().flexible(true).from_reader(file))
}

/// The names of the first line.
///
/// # Errors
/// The line is not UTF-8, with how to convert the file.
pub(crate) fn header(reader: &mut csv::Reader<File>, path: &Path) -> anyhow::Result<csv::StringRecord> {
    let header = reader.byte_headers().context("the first line is not CSV")?.clone();
    let Ok(header) = csv::StringRecord::from_byte_record(header) else { bail!(not_utf8(path)) };
    Ok(header.iter().map(|name| name.trim_start_matches('\u{FEFF}').trim()).collect())
}

/// What to do with a file that is not UTF-8.
pub(crate) fn not_utf8(path: &Path) -> String {
    format!(
        "the file is not UTF-8; if it is Big5, convert it first: `iconv -f BIG5-HKSCS -t UTF-8 {} > converted.csv`",
        path.display()
    )
}

/// Reads one row.
///
/// # Errors
/// The first column that breaks a rule.
pub(crate) fn register_row(record: &csv::ByteRecord, line: u64) -> Result<RegisterRow, RefusedRow> {
    let refuse = |column| move |violation| RefusedRow { line, column, violation };
    let field = |index: usize| -> Result<&str, RefusedRow> {
        let column = REGISTER_COLUMNS[index];
        let bytes = record.get(index).ok_or_else(|| refuse(column)(Violation::Required))?;
        std::str::from_utf8(bytes).map_err(|_| refuse(column)(Violation::ControlCharacter))
    };
    if record.len() > REGISTER_COLUMNS.len() {
        return Err(refuse("status")(Violation::TooMany { max: REGISTER_COLUMNS.len() }));
    }
    let status = match field(4)? {
        "normal" => CardStatus::Normal,
        "outOfUse" => CardStatus::OutOfUse,
        "reportedLost" => CardStatus::ReportedLost,
        _ => return Err(refuse("status")(Violation::ValueUnknown)),
    };
    Ok(RegisterRow {
        person_id: PersonId::parse(field(0)?).map_err(refuse("personId"))?,
        data: CardData {
            apply_code: ApplyCode::parse(field(1)?).map_err(refuse("applyCode"))?,
            applied_on: RocDate::parse(field(2)?).map_err(refuse("applyYyymmdd"))?,
            issue_site: IssueSite::parse(field(3)?).map_err(refuse("issueSiteId"))?,
        },
        status,
    })
}
