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
    /// The column.
    pub(crate) column: &'static str,
    /// The rule.
    pub(crate) violation: Violation,
}

/// Opens a CSV of the register and checks its header.
///
/// # Errors
/// The file can't be read, or its columns are not the expected ones.
pub(crate) fn open_register(path: &Path) -> anyhow::Result<csv::Reader<File>> {
    let file = File::open(path).with_context(|| format!("register file {}", path.display()))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = reader.headers().context("the first line is not UTF-8 CSV")?;
    let found: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{FEFF}')).collect();
    if found != REGISTER_COLUMNS {
        bail!("the first line must be `{}`, it is `{}`", REGISTER_COLUMNS.join(","), found.join(","));
    }
    Ok(reader)
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
