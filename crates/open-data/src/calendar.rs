//! Reading the government's working calendar (行政機關辦公日曆表): one file a year, CSV or JSON, with a line for every
//! day of it. A file is taken whole or refused with the line that is wrong.

use std::{collections::BTreeMap, path::Path};

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use crate::FileProblem;

/// A year as a file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarYear {
    pub year: i32,
    /// Its days off, weekends included, make-up Saturdays not.
    pub days_off: Vec<NaiveDate>,
}

/// Names of the column with the day, and of the one that says whether it is off.
const DATE_COLUMNS: [&str; 3] = ["西元日期", "date", "Date"];
const OFF_COLUMNS: [&str; 3] = ["是否放假", "isHoliday", "isholiday"];

/// Reads a file; what it is, is told by its first character.
///
/// # Errors
/// What is wrong, with its line, in words for the operator.
pub fn read(path: &Path) -> Result<CalendarYear, FileProblem> {
    if path.is_dir() {
        return Err(FileProblem::folder("calendar file", path));
    }
    let bytes = std::fs::read(path).map_err(|error| FileProblem::io("calendar file", path, &error))?;
    let text = decode(&bytes)?;
    let days = if text.trim_start().starts_with('[') { from_json(text)? } else { from_csv(text)? };
    year_of(&days)
}

/// The text of a file; the government's older files are Big5, which is told apart from UTF-8 by its bytes.
fn decode(bytes: &[u8]) -> Result<&str, FileProblem> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.trim_start_matches('\u{FEFF}')),
        Err(error) => {
            let line = 1 + bytes.iter().take(error.valid_up_to()).filter(|b| **b == b'\n').count();
            Err(FileProblem(format!(
                "line {line} is not UTF-8: the file may be Big5; convert it with `iconv -f big5 -t utf-8`"
            )))
        }
    }
}

/// A day, whether it is off, and where it stands.
type Day = (NaiveDate, bool, String);

fn date(text: &str) -> Option<NaiveDate> {
    ["%Y%m%d", "%Y-%m-%d", "%Y/%m/%d"]
        .into_iter()
        .find_map(|form| NaiveDate::parse_from_str(text.trim(), form).ok())
}

/// `2`, `true`, 是: off. `0`, `false`, 否: a working day.
fn off(text: &str) -> Option<bool> {
    match text.trim() {
        "2" | "true" | "TRUE" | "是" => Some(true),
        "0" | "false" | "FALSE" | "否" => Some(false),
        _ => None,
    }
}

fn from_csv(text: &str) -> Result<Vec<Day>, FileProblem> {
    // The reader sees the feed of a CR LF only with the next record, and would count one line short.
    let text = text.replace("\r\n", "\n");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header =
        reader.headers().map_err(|error| FileProblem(format!("the first line is not CSV: {error}")))?.clone();
    let column = |names: [&str; 3]| {
        let found = header.iter().position(|name| names.contains(&name.trim()));
        found.ok_or_else(|| FileProblem(format!("the first line lacks a column {}", names.join(" or "))))
    };
    let (date_column, off_column) = (column(DATE_COLUMNS)?, column(OFF_COLUMNS)?);
    let mut days = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| FileProblem(format!("the file is not CSV: {error}")))?;
        let line = record.position().map_or(0, csv::Position::line);
        let day = record.get(date_column).and_then(date);
        let day = day.ok_or_else(|| FileProblem(format!("line {line}: no day such as 20260101")))?;
        let off = record.get(off_column).and_then(off);
        let off =
            off.ok_or_else(|| FileProblem(format!("line {line}: neither 0 (working day) nor 2 (day off)")))?;
        days.push((day, off, format!("line {line}")));
    }
    Ok(days)
}

/// One entry of the JSON form. Other members are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(deserialize_with = "json_date")]
    date: NaiveDate,
    is_holiday: bool,
}

/// Refuses inside the reader, so that its error names the line.
fn json_date<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(reader)?;
    date(&text).ok_or_else(|| serde::de::Error::custom("no day such as 20260101"))
}

fn from_json(text: &str) -> Result<Vec<Day>, FileProblem> {
    let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| {
        FileProblem(format!("the file is not the calendar's JSON: line {}: {error}", error.line()))
    })?;
    let place = |number: u32| format!("entry {number}");
    Ok((1..).zip(entries).map(|(number, entry)| (entry.date, entry.is_holiday, place(number))).collect())
}

/// A calendar that leaves out a day would make a working day of it in silence, so every day must be there once.
fn year_of(days: &[Day]) -> Result<CalendarYear, FileProblem> {
    let Some((first, ..)) = days.first() else { return Err(FileProblem("the file holds no day".to_owned())) };
    let year = first.year();
    let mut seen: BTreeMap<NaiveDate, bool> = BTreeMap::new();
    for (day, off, place) in days {
        if day.year() != year {
            return Err(FileProblem(format!("{place}: {day} is not of {year}; a file holds one year")));
        }
        if seen.insert(*day, *off).is_some() {
            return Err(FileProblem(format!("{place}: {day} stands there twice")));
        }
    }
    let january = first.with_ordinal(1).unwrap_or(*first);
    let mut all = january.iter_days().take_while(|day| day.year() == year);
    if let Some(day) = all.find(|day| !seen.contains_key(day)) {
        return Err(FileProblem(format!("{day} is missing: the file must hold every day of {year}")));
    }
    Ok(CalendarYear {
        year,
        days_off: seen.into_iter().filter(|(_, off)| *off).map(|(day, _)| day).collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fmt::Write as _;

    use chrono::Weekday;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The CSV of 2026 with weekends off and New Year's Day, one line changed.
    fn csv_of_2026(change: impl Fn(NaiveDate) -> Option<String>) -> String {
        let mut text = "\u{FEFF}西元日期,星期,是否放假,備註\r\n".to_owned();
        for date in day("2026-01-01").iter_days().take_while(|d| d.year() == 2026) {
            let off = matches!(date.weekday(), Weekday::Sat | Weekday::Sun) || date == day("2026-01-01");
            let line = change(date);
            let usual = format!("{},x,{},", date.format("%Y%m%d"), if off { 2 } else { 0 });
            let _ = write!(text, "{}\r\n", line.unwrap_or(usual));
        }
        text
    }

    fn parse(text: &str) -> Result<CalendarYear, FileProblem> {
        let text = decode(text.as_bytes())?;
        year_of(&if text.starts_with('[') { from_json(text)? } else { from_csv(text)? })
    }

    #[test]
    fn a_make_up_saturday_is_a_working_day() {
        let make_up = day("2026-03-07");
        let text = csv_of_2026(|d| (d == make_up).then(|| "20260307,六,0,補行上班".to_owned()));
        let read = parse(&text).unwrap();
        assert_eq!(read.year, 2026);
        assert!(!read.days_off.contains(&make_up));
        // 104 weekend days of 2026 and New Year's Day, less the Saturday.
        assert_eq!(read.days_off.len(), 104);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let told = |date: &'static str, line: &'static str| {
            let date = day(date);
            format!("{:#}", parse(&csv_of_2026(|d| (d == date).then(|| line.to_owned()))).unwrap_err())
        };
        assert!(told("2026-01-10", "20260132,六,2,").starts_with("line 11: no day"));
        assert!(told("2026-01-10", "20260110,六,1,").starts_with("line 11: neither"));
        assert!(told("2026-01-10", "20260110").starts_with("line 11: neither"));
        assert!(told("2026-01-10", "20260109,五,0,").contains("line 11: 2026-01-09 stands there twice"));
        assert!(told("2026-01-10", "20270110,日,2,").contains("line 11: 2027-01-10 is not of 2026"));
    }

    #[test]
    fn a_missing_day_or_column_is_refused() {
        let text = csv_of_2026(|_| None).replace("20261231,x,0,\r\n", "");
        assert!(parse(&text).unwrap_err().to_string().contains("2026-12-31 is missing"));
        let text = csv_of_2026(|_| None).replace("是否放假", "放假");
        assert!(parse(&text).unwrap_err().to_string().contains("是否放假"));
        assert!(parse("西元日期,星期,是否放假,備註\n").unwrap_err().to_string().contains("no day"));
        assert!(parse("[]").unwrap_err().to_string().contains("no day"));
    }

    #[test]
    fn big5_is_told_with_its_line_and_the_way_out() {
        let mut bytes = b"date,week,isHoliday,description\n20260101,".to_vec();
        bytes.extend([0xA4, 0xD1, b',', b'2', b'\n']);
        let told = decode(&bytes).unwrap_err().to_string();
        assert!(told.contains("line 2") && told.contains("Big5"), "{told}");
    }

    #[test]
    fn json_is_refused_with_its_line() {
        let text =
            "[\n{\"date\": \"20260101\", \"isHoliday\": true},\n{\"date\": \"2026\", \"isHoliday\": true}]";
        assert!(format!("{:#}", parse(text).unwrap_err()).contains("line 3"));
    }

    #[test]
    fn the_published_files_are_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/calendar");
        for (year, days_off) in [(2023, 116), (2024, 115), (2025, 115), (2026, 120)] {
            let calendar = read(&folder.join(format!("{year}.json"))).unwrap();
            assert_eq!((calendar.year, calendar.days_off.len()), (year, days_off));
        }
    }
}
