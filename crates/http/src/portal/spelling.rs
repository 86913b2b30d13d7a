//! Usual spellings of what people type into a form, as the one spelling that the rules know: full width, separators, blanks. What
//! is still wrong then is refused in the words of its rule.

use chrono::NaiveDateTime;
use idcheck_usecases::acts::schema::Shape;
use unicode_normalization::UnicodeNormalization;

/// The text in half width (NFKC), without blanks at its ends.
fn half_width(typed: &str) -> String {
    typed.nfkc().collect::<String>().trim().to_owned()
}

fn without_separators(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '–' | '—' | '−' | '.' | '/'))
        .collect()
}

/// `0912-345-678`, `+886 912 345 678` → `0912345678`.
fn mobile(text: &str) -> String {
    let digits = without_separators(text).replace(['(', ')'], "");
    match digits.strip_prefix("+886").or_else(|| digits.strip_prefix("00886")) {
        Some(rest) => format!("0{}", rest.trim_start_matches('0')),
        None => digits,
    }
}

/// Area codes, the longer before those that they begin with.
const AREA_CODES: [&str; 13] =
    ["0826", "0836", "037", "049", "082", "089", "02", "03", "04", "05", "06", "07", "08"];

/// `02-1234-5678`, `02 12345678 轉 12`, `+886 2 1234 5678 ext. 12` → `(02)12345678#12`. The area code is what stands before the
/// first separator, and where there is none, the longest that it begins with. A mobile number is left for the rule to refuse: cut at its separator it
/// would pass for a landline.
fn landline(text: &str) -> String {
    let lower = text.to_lowercase();
    let parts = ["#", "轉", "分機", "ext.", "ext", "x"];
    let (number, extension) = parts
        .iter()
        .find_map(|sign| lower.split_once(sign))
        .map_or((lower.as_str(), None), |(number, extension)| (number, Some(extension)));
    let number = match number.trim().strip_prefix("+886").map(str::trim_start) {
        Some(rest) if rest.starts_with('0') || rest.starts_with('(') => rest.to_owned(),
        Some(rest) => format!("0{}", rest.trim_start_matches('-').trim_start()),
        None => number.trim().to_owned(),
    };
    let opened = number.trim_start_matches('(');
    let separated = opened.split_once([')', '-', ' ']);
    let area = AREA_CODES.iter().find(|area| opened.starts_with(**area));
    let Some((area, rest)) = separated.or_else(|| opened.split_at_checked(area?.len())) else {
        return text.to_owned();
    };
    if !area.starts_with('0') || area.starts_with("09") {
        return text.to_owned();
    }
    let extension =
        extension.map(|extension| without_separators(extension.trim_start_matches([':', '轉', '#', '.'])));
    let extension = extension.filter(|extension| !extension.is_empty());
    let extension = extension.map(|extension| format!("#{extension}")).unwrap_or_default();
    format!("({}){}{extension}", area.trim(), without_separators(&rest.replace(')', "")))
}

/// One address a line, whatever separates them.
fn host_addresses(text: &str) -> String {
    let addresses = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '、' | '，' | '；'));
    addresses.filter(|address| !address.is_empty()).collect::<Vec<_>>().join("\n")
}

/// `115/12/1 9:00`, `民國115年12月1日 9時0分`, `2026-12-01T09:00` → `115/12/01 09:00`: Taipei's time in the ROC calendar. An instant with
/// an offset is what it is.
fn instant(text: &str) -> String {
    let told = |c: char| c.is_ascii_digit() || c.is_whitespace() || "/-.:T年月日時分民國".contains(c);
    if !text.chars().all(told) {
        return text.to_owned();
    }
    let numbers: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
    let numbers: Option<Vec<i32>> = numbers.iter().map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([year, month, day, hour, minute] | [year, month, day, hour, minute, 0]) => {
            let roc = if *year > ROC { year - ROC } else { *year };
            format!("{roc:03}/{month:02}/{day:02} {hour:02}:{minute:02}")
        }
        _ => text.to_owned(),
    }
}

/// The year before the first one of the ROC calendar.
const ROC: i32 = 1911;

/// What was typed into a field for an instant, as RFC 3339 in Taipei's time; anything else is as typed.
pub(crate) fn instant_as_sent(typed: &str) -> String {
    let understood = instant(&half_width(typed));
    let parsed = understood.split_once('/').and_then(|(year, rest)| {
        let year: i32 = year.parse().ok()?;
        NaiveDateTime::parse_from_str(&format!("{}/{rest}", year.checked_add(ROC)?), "%Y/%m/%d %H:%M").ok()
    });
    match parsed {
        Some(local) => format!("{}+08:00", local.format("%Y-%m-%dT%H:%M:%S")),
        None => understood,
    }
}

/// An instant as it is typed: Taipei's in the ROC calendar; anything else is as it was typed.
pub(crate) fn instant_as_typed(sent: &str) -> String {
    sent.strip_suffix(":00+08:00").map_or_else(|| sent.to_owned(), instant)
}

/// What was typed into a field of this shape, in the spelling that its rule knows.
pub(crate) fn usual(shape: Shape, typed: &str) -> String {
    match shape {
        Shape::BusinessNumber => without_separators(&half_width(typed)),
        Shape::Mobile => mobile(&half_width(typed)),
        Shape::Landline => landline(&half_width(typed)),
        Shape::Email { .. } | Shape::Integer { .. } => half_width(typed),
        Shape::HostAddresses { .. } => host_addresses(&half_width(typed)),
        Shape::Instant => instant(&half_width(typed)),
        Shape::Line { .. }
        | Shape::Text { .. }
        | Shape::Identity
        | Shape::Choice(_)
        | Shape::PublicKey
        | Shape::Files { .. }
        | Shape::Group(_)
        | Shape::Consent(_) => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use idcheck_domain::value::{
        AddressPolicy, EmailAddress, HostAddress, Landline, Mobile, UnifiedBusinessNumber,
    };

    use super::*;

    #[test]
    fn usual_spellings_are_understood() {
        for (shape, typed, expected) in [
            (Shape::BusinessNumber, "０４５９５２５７", "04595257"),
            (Shape::BusinessNumber, " 0459-5257 ", "04595257"),
            (Shape::Mobile, "０９１２３４５６７８", "0912345678"),
            (Shape::Mobile, "0912-345-678", "0912345678"),
            (Shape::Mobile, "0912 345 678", "0912345678"),
            (Shape::Mobile, "+886 912-345-678", "0912345678"),
            (Shape::Mobile, "+886-0912345678", "0912345678"),
            (Shape::Landline, "（０２）１２３４５６７８", "(02)12345678"),
            (Shape::Landline, "02-12345678", "(02)12345678"),
            (Shape::Landline, "02 1234 5678", "(02)12345678"),
            (Shape::Landline, "0212345678", "(02)12345678"),
            (Shape::Landline, "０４９２３１６８８１", "(049)2316881"),
            (Shape::Landline, "083625125#12", "(0836)25125#12"),
            (Shape::Landline, "+886212345678", "(02)12345678"),
            (Shape::Landline, "(02) 1234-5678 #12", "(02)12345678#12"),
            (Shape::Landline, "02-1234-5678 分機 12", "(02)12345678#12"),
            (Shape::Landline, "02-1234-5678轉12", "(02)12345678#12"),
            (Shape::Landline, "+886-2-1234-5678 ext. 12", "(02)12345678#12"),
            (Shape::Landline, "0836-25125", "(0836)25125"),
            (Shape::Landline, "(02)12345678#12", "(02)12345678#12"),
            (Shape::Email { max: 254 }, "ｉｔ＠ｅｘａｍｐｌｅ．ｃｏｍ", "it@example.com"),
            (
                Shape::HostAddresses { max: 10 },
                "８．８．８．８，8.8.4.4；\t2001:db8::1\u{3000}9.9.9.9、1.1.1.1",
                "8.8.8.8\n8.8.4.4\n2001:db8::1\n9.9.9.9\n1.1.1.1",
            ),
            (Shape::Integer { min: 0, max: 7 }, "７", "7"),
            (Shape::Instant, "115/12/1 9:00", "115/12/01 09:00"),
            (Shape::Instant, "民國115年12月1日 9時5分", "115/12/01 09:05"),
            (Shape::Instant, "１１５.１２.０１　０９：００", "115/12/01 09:00"),
            (Shape::Instant, "2026-12-01T09:00", "115/12/01 09:00"),
            (Shape::Instant, "2026/12/01 09:00:00", "115/12/01 09:00"),
            (Shape::Instant, "2026-12-01T01:00:00Z", "2026-12-01T01:00:00Z"),
            (Shape::Instant, "明天 9:00", "明天 9:00"),
        ] {
            let understood = usual(shape, typed);
            assert_eq!(understood, expected, "{typed}");
            assert_eq!(usual(shape, &understood), expected, "a second time it is the same");
            let right = match shape {
                Shape::BusinessNumber => UnifiedBusinessNumber::parse(&understood).is_ok(),
                Shape::Mobile => Mobile::parse(&understood).is_ok(),
                Shape::Landline => Landline::parse(&understood).is_ok(),
                Shape::Email { .. } => EmailAddress::parse(&understood).is_ok(),
                Shape::HostAddresses { .. } => understood.lines().all(|host| {
                    HostAddress::parse(host, AddressPolicy::PublicOrLoopback).is_ok()
                        || host.starts_with("2001:db8")
                }),
                _ => true,
            };
            assert!(right, "{understood}");
        }
    }

    /// What is typed is Taipei's time, in either calendar; what is no time stays for the rule to refuse.
    #[test]
    fn an_instant_is_typed_in_taipeis_time() {
        for (typed, sent) in [
            ("115/12/01 09:00", "2026-12-01T09:00:00+08:00"),
            ("2026-12-01T09:00", "2026-12-01T09:00:00+08:00"),
            ("2026-12-01T01:00:00Z", "2026-12-01T01:00:00Z"),
            ("115/13/01 09:00", "115/13/01 09:00"),
            ("soon", "soon"),
        ] {
            assert_eq!(instant_as_sent(typed), sent);
            assert_eq!(instant_as_sent(&instant_as_typed(sent)), sent);
        }
        assert_eq!(instant_as_typed("2026-12-01T09:00:00+08:00"), "115/12/01 09:00");
        assert_eq!(instant_as_typed("2026-12-01T09:00:00+00:00"), "2026-12-01T09:00:00+00:00");
    }

    /// What nobody can tell is left for the rule to refuse.
    #[test]
    fn what_could_be_two_things_stays() {
        for typed in ["0912-345-678", "0912 345 678", "+886-912-345-678", "1234-5678"] {
            assert!(Landline::parse(&usual(Shape::Landline, typed)).is_err(), "{typed}");
        }
        for typed in ["0212345678", "電話", "", "(02)12345678#"] {
            let understood = usual(Shape::Landline, typed);
            assert!(Landline::parse(&understood).is_err() || understood == "(02)12345678", "{understood}");
        }
        assert_eq!(
            usual(Shape::Line { max: Some(9), autocomplete: "off" }, "ＡＢＣ公司"),
            "ＡＢＣ公司",
            "a name is the name that it is"
        );
    }
}
