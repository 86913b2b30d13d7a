//! What API and console share of the audit log: reading a question, turning pages, CSV.

use chrono::NaiveDate;
use idcheck_domain::taipei;
use idcheck_usecases::{
    audit::{AuditPage, AuditQuestion},
    ports::AuditFilter,
};

/// Entries of a page.
pub(crate) const PAGE: u32 = 100;
/// Entries of an export.
pub(crate) const EXPORTED: u32 = 10_000;

/// A question of its parts: who, what, about, from, until, cursor. What is empty or no day is not asked.
pub(crate) fn question(parts: [&str; 6], limit: u32) -> AuditQuestion {
    let [who, what, about, from, until, cursor] = parts.map(str::trim);
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let day = |text: &str| text.parse::<NaiveDate>().ok();
    let filter = AuditFilter {
        action: given(what),
        from: day(from).map(taipei::start_of),
        until: day(until).map(taipei::end_of),
        before: cursor.parse().ok(),
        limit,
        ..AuditFilter::default()
    };
    AuditQuestion { who: given(who), about: given(about), filter }
}

/// Where the next page begins.
pub(crate) fn next_cursor(page: &AuditPage, limit: u32) -> Option<String> {
    let full = page.lines.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    page.lines.last().filter(|_| full).map(|line| line.seq.to_string())
}

/// The entries as CSV (RFC 4180). Every cell is in quotes.
pub(crate) fn csv(page: &AuditPage) -> String {
    let mut text = "\u{FEFF}seq,at,actor,officer,action,subject,detail\r\n".to_owned();
    for line in &page.lines {
        let (entry, at) = (&line.entry, taipei::local(line.at).to_rfc3339());
        let seq = line.seq.to_string();
        let officer = page.officers.get(&entry.actor).map_or("", String::as_str);
        let cells = [&seq, &at, &entry.actor, officer, &entry.action, &entry.subject, &entry.detail];
        let cells = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}
