//! Reading the open data of businesses (全國營業(稅籍)登記資料集, `BGMOPEN1`): CSV in UTF-8, columns by name.

use std::{collections::HashSet, fs::File, path::Path};

use anyhow::{Context, bail};
use idcheck_domain::{Violation, company::CompanyRecord, value::UnifiedBusinessNumber};

use crate::import::{header, open_csv};

/// The columns of the data set, in its order; two of them are read.
pub(crate) const COLUMNS: [&str; 8] =
    ["營業地址", NUMBER, "總機構統一編號", NAME, "資本額", "設立日期", "組織別名稱", "使用統一發票"];
const NUMBER: &str = "統一編號";
const NAME: &str = "營業人名稱";
/// Characters that a name may have.
const MAX_NAME: usize = 200;

/// Why a row was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The number breaks a rule.
    Number(Violation),
    /// There is no name, or one that is too long.
    Name,
    /// The number stands in a line before.
    Duplicate,
    /// The line is not UTF-8.
    Encoding,
}

impl Refusal {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Number(violation) => format!("{NUMBER}: {}", violation.code()),
            Self::Name => format!("{NAME}: missing or longer than {MAX_NAME} characters"),
            Self::Duplicate => format!("{NUMBER}: stands in a line before"),
            Self::Encoding => "not UTF-8".to_owned(),
        }
    }
}

/// A file of the data set.
pub(crate) struct Companies {
    reader: csv::Reader<File>,
    record: csv::ByteRecord,
    number: usize,
    name: usize,
    seen: HashSet<UnifiedBusinessNumber>,
    first: bool,
}

/// One row: its line, from 1, and the company or why it was refused.
pub(crate) type Row = (u64, Result<CompanyRecord, Refusal>);

impl Companies {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// The file can't be read, is not UTF-8, or lacks a column.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut reader = open_csv(path, "company register file")?;
        let header = header(&mut reader, path)?;
        let header: Vec<&str> = header.iter().collect();
        let missing: Vec<&str> = [NUMBER, NAME].into_iter().filter(|name| !header.contains(name)).collect();
        if !missing.is_empty() {
            bail!("the first line lacks {}; it has: {}", missing.join(", "), header.join(","));
        }
        let place = |name: &str| header.iter().position(|column| *column == name).unwrap_or_default();
        let (number, name) = (place(NUMBER), place(NAME));
        let record = csv::ByteRecord::new();
        Ok(Self { reader, record, number, name, seen: HashSet::new(), first: true })
    }

    /// Octets read so far.
    pub(crate) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row; none at the end. The line below the header that tells only the data's date is passed over.
    ///
    /// # Errors
    /// The file is not CSV.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        loop {
            if !self.reader.read_byte_record(&mut self.record).context("the file is not CSV")? {
                return Ok(None);
            }
            let dated = std::mem::take(&mut self.first) && self.is_date();
            if !dated {
                let line = self.record.position().map_or(0, csv::Position::line);
                return Ok(Some((line, self.row())));
            }
        }
    }

    fn is_date(&self) -> bool {
        let empty = |index| self.record.get(index).is_none_or(<[u8]>::is_empty);
        empty(self.number) && empty(self.name)
    }

    fn row(&mut self) -> Result<CompanyRecord, Refusal> {
        let text =
            |index: usize| std::str::from_utf8(self.record.get(index).unwrap_or_default()).map(str::trim);
        let (Ok(number), Ok(name)) = (text(self.number), text(self.name)) else {
            return Err(Refusal::Encoding);
        };
        let ubn = UnifiedBusinessNumber::parse(number).map_err(Refusal::Number)?;
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(Refusal::Name);
        }
        if !self.seen.insert(ubn) {
            return Err(Refusal::Duplicate);
        }
        Ok(CompanyRecord { ubn, name: name.to_owned(), status: None })
    }
}
