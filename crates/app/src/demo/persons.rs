//! Synthetic persons: numbers with right check digits and data drawn from a fixed seed. None is a real person.

use std::collections::HashSet;

use chrono::{Days, NaiveDate};
use idcheck_domain::{
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::{CardData, CardStatus},
};
use idcheck_usecases::ports::RegisterRow;

/// A small generator (`SplitMix64`): the same persons on every machine. Nothing secret comes from it.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// One person in fifty is out of use, one in fifty has reported the card lost.
const ONE_IN: usize = 50;

/// `count` different persons, always the same ones. Every person applied in the years 2006 to 2024.
pub(crate) fn persons(count: usize) -> Vec<RegisterRow> {
    let mut draw = Draw(20_190_617);
    let mut seen = HashSet::with_capacity(count);
    let mut rows = Vec::with_capacity(count);
    while rows.len() < count {
        let (Some(person_id), Some(data)) = (person_id(&mut draw), card(&mut draw)) else { continue };
        if !seen.insert(person_id) {
            continue;
        }
        let status = match rows.len() % ONE_IN {
            7 => CardStatus::OutOfUse,
            11 => CardStatus::ReportedLost,
            _ => CardStatus::Normal,
        };
        rows.push(RegisterRow { person_id, data, status });
    }
    rows
}

fn person_id(draw: &mut Draw) -> Option<PersonId> {
    let letter = char::from(b'A' + u8::try_from(draw.below(26)).ok()?);
    let stem = format!("{letter}{}{:07}", 1 + draw.below(2), draw.below(10_000_000));
    // One of the ten check digits is right.
    (0..10).find_map(|digit| PersonId::parse(&format!("{stem}{digit}")).ok())
}

fn card(draw: &mut Draw) -> Option<CardData> {
    let applied_on =
        NaiveDate::from_ymd_opt(2006, 1, 1)?.checked_add_days(Days::new(draw.below(19 * 365)))?;
    let codes = [ApplyCode::First, ApplyCode::Replacement, ApplyCode::Exchange];
    Some(CardData {
        apply_code: codes[usize::try_from(draw.below(3)).ok()?],
        applied_on: RocDate::from_date(applied_on).ok()?,
        issue_site: IssueSite::all().nth(usize::try_from(draw.below(27)).ok()?)?,
    })
}

/// The word of a status in files.
pub(crate) const fn status_word(status: CardStatus) -> &'static str {
    match status {
        CardStatus::Normal => "normal",
        CardStatus::OutOfUse => "outOfUse",
        CardStatus::ReportedLost => "reportedLost",
    }
}
