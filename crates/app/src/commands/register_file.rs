//! Reading a file of the household register: row by row, each refused row with its line and rule.

use std::{fs::File, path::Path};

use anyhow::bail;
use idcheck_domain::{
    Violation,
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::{CardData, CardStatus},
};
use idcheck_open_data::{header, open_csv};
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
