//! Reading the open data of businesses (全國營業(稅籍)登記資料集, `BGMOPEN1`): CSV in UTF-8, columns by name.

use std::{collections::HashSet, fs::File, path::Path};

use idcheck_domain::{Violation, company::CompanyRecord, value::UnifiedBusinessNumber};

use crate::{
    FileProblem,
    file::{header, open_csv},
};

/// The columns of the data set, in its order; two of them are read.
pub const COLUMNS: [&str; 8] =
    ["營業地址", NUMBER, "總機構統一編號", NAME, "資本額", "設立日期", "組織別名稱", "使用統一發票"];
const NUMBER: &str = "統一編號";
const NAME: &str = "營業人名稱";
/// Characters that a name may have.
const MAX_NAME: usize = 200;

/// Why a row was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
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
    pub fn words(self) -> String {
        match self {
            Self::Number(violation) => format!("{NUMBER}: {}", violation.code()),
            Self::Name => format!("{NAME}: missing or longer than {MAX_NAME} characters"),
            Self::Duplicate => format!("{NUMBER}: stands in a line before"),
            Self::Encoding => "not UTF-8".to_owned(),
        }
    }
}

/// A file of the data set.
pub struct Companies {
    reader: csv::Reader<File>,
    record: csv::ByteRecord,
    number: usize,
    name: usize,
    seen: HashSet<UnifiedBusinessNumber>,
    first: bool,
}

/// One row: its line, from 1, and the company or why it was refused.
pub type Row = (u64, Result<CompanyRecord, Refusal>);

impl Companies {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// The file can't be read, is not UTF-8, or lacks a column.
    pub fn open(path: &Path) -> Result<Self, FileProblem> {
        let mut reader = open_csv(path, "company register file")?;
        let header = header(&mut reader, path)?;
        let header: Vec<&str> = header.iter().collect();
        let missing: Vec<&str> = [NUMBER, NAME].into_iter().filter(|name| !header.contains(name)).collect();
        if !missing.is_empty() {
            let (missing, header) = (missing.join(", "), header.join(","));
            return Err(FileProblem(format!("the first line lacks {missing}; it has: {header}")));
        }
        let place = |name: &str| header.iter().position(|column| *column == name).unwrap_or_default();
        let (number, name) = (place(NUMBER), place(NAME));
        let record = csv::ByteRecord::new();
        Ok(Self { reader, record, number, name, seen: HashSet::new(), first: true })
    }

    /// How many bytes of the file were read.
    pub fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
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

/// The rows; an error where the file is not CSV. The line below the header that tells only the data's date is passed over.
impl Iterator for Companies {
    type Item = Result<Row, FileProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(FileProblem(format!("the file is not CSV: {error}")))),
            }
            let dated = std::mem::take(&mut self.first) && self.is_date();
            if !dated {
                let line = self.record.position().map_or(0, csv::Position::line);
                return Some(Ok((line, self.row())));
            }
        }
    }
}
