//! What API and console share of the audit log: reading a question, turning pages, CSV.

pub(crate) mod api;
pub(crate) mod page;

use chrono::NaiveDate;
use idcheck_domain::{Violation, taipei};
use idcheck_usecases::{
    FieldViolation,
    audit::{AuditPage, AuditQuestion},
    ports::AuditFilter,
};

use crate::kernel::csv::table;

/// Entries of a page.
pub(crate) const PAGE: u32 = 100;
/// Entries of an export.
pub(crate) const EXPORTED: u32 = 10_000;

/// A question of its parts: who, what, about, from, until, cursor. What is empty is not asked.
///
/// # Errors
/// A day or a cursor that is none.
pub(crate) fn question(parts: [&str; 6], limit: u32) -> Result<AuditQuestion, Vec<FieldViolation>> {
    let [who, what, about, from, until, cursor] = parts.map(str::trim);
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut wrong = Vec::new();
    let mut read = |pointer: &str, text: &str| match text {
        "" => None,
        text => {
            let day = taipei::parse_day(text).or_else(|| of_the_republic(text));
            let violation = Violation::IsoDateFormat;
            wrong.extend(day.is_none().then(|| FieldViolation { pointer: pointer.to_owned(), violation }));
            day
        }
    };
    let (from, until) = (read("/from", from), read("/until", until));
    // U+0000 stands in no entry, and PostgreSQL has no such text.
    for (pointer, text) in [("/who", who), ("/what", what), ("/about", about)] {
        if text.contains('\0') {
            let violation = Violation::ControlCharacter;
            wrong.push(FieldViolation { pointer: pointer.to_owned(), violation });
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let filter = AuditFilter {
        action: given(what),
        from: from.map(taipei::start_of),
        until: until.map(taipei::end_of),
        before: cursor.parse().ok(),
        limit,
        ..AuditFilter::default()
    };
    Ok(AuditQuestion { who: given(who), about: given(about), filter })
}

/// A day as people write it: 115/11/29.
fn of_the_republic(text: &str) -> Option<NaiveDate> {
    let numbers: Vec<u32> = text.split('/').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [year, month, day] = numbers.as_slice() else { return None };
    let year = i32::try_from(*year).ok().filter(|year| (1..=1000).contains(year))?;
    NaiveDate::from_ymd_opt(year + 1911, *month, *day)
}

/// Where the next page begins.
pub(crate) fn next_cursor(page: &AuditPage, limit: u32) -> Option<String> {
    let full = page.lines.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    page.lines.last().filter(|_| full).map(|line| line.seq.to_string())
}

/// The entries as CSV.
pub(crate) fn csv(page: &AuditPage) -> String {
    let rows = page.lines.iter().map(|line| {
        let (entry, at) = (&line.entry, taipei::local(line.at).to_rfc3339());
        let officer = page.officers.get(&entry.actor).map_or("", String::as_str);
        let cells =
            [&line.seq.to_string(), &at, &entry.actor, officer, &entry.action, &entry.subject, &entry.detail];
        cells.map(str::to_owned).to_vec()
    });
    table(["seq", "at", "actor", "officer", "action", "subject", "detail"], rows)
}

#[cfg(test)]
mod tests {
    use idcheck_domain::usage::Period;

    use super::*;

    #[test]
    fn a_day_that_is_none_is_told_and_never_passed_over() {
        let asked = |from, until| question(["", "", "", from, until, ""], PAGE);
        assert!(asked(" 2026-11-23 ", "").is_ok());
        assert_eq!(asked("115/11/23", "").ok(), asked("2026-11-23", "").ok(), "as the pages write it");
        for day in [
            "0/11/28",
            "115/13/28",
            "115/11",
            "2026-13-01",
            "-262143-01-01",
            "+262142-12-31",
            "1911-12-31",
            "2912-01-01",
        ] {
            for (from, until, pointer) in [(day, "", "/from"), ("", day, "/until")] {
                let wrong = asked(from, until).err().unwrap_or_default();
                let told: Vec<_> = wrong.iter().map(|one| (one.pointer.as_str(), one.violation)).collect();
                assert_eq!(told, [(pointer, Violation::IsoDateFormat)], "{day}");
            }
        }
        let wrong = question(["a\0", "", "", "", "", ""], PAGE).err().unwrap_or_default();
        assert_eq!(wrong[0].violation, Violation::ControlCharacter);
        assert!(
            crate::usage::period("-262143-01-01", "", Period::latest(chrono::NaiveDate::default())).is_none()
        );
    }
}
