//! Organisations that ask about the cards of a made-up population, day after day.
//!
//! A person's number is one of a hundred neighbours, every other of which is somebody's. An honest organisation asks about people of
//! one region, or of the whole country, and mistypes a share of its queries; most are corrected by a second try. Every draw follows
//! from the seed, so a world is the same each time.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use idcheck_domain::{
    abuse::{AbuseRule, Thresholds, judge},
    lockout::{self, Strikes},
    outcome::RecordedOutcome,
    taipei,
    value::{PersonId, UnifiedBusinessNumber},
    verification::{CardStatus, Comparison},
};

use super::{Counts, Event};
use crate::builders;

/// Persons of the population; two of them are neighbours' distance apart.
const PERSONS: u64 = 1_000_000;
/// Persons of a region.
const REGION: u64 = 50_000;

/// How an organisation uses the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// So many queries a day, of which so many in a thousand are wrong at the first try; of its region or of the country.
    Honest { a_day: u64, wrong: u64, regional: bool },
    /// Tries the dates of one person's card, beside 40 honest queries a day.
    OneNumber { which: u64 },
    /// Tries numbers one after the other, two dates each, beside 40 honest queries a day.
    Neighbours { which: u64 },
    /// Tries numbers of people all over the country, a third of 120 queries a day.
    Scattered,
    /// One of twenty that divide the numbers of ten neighbourhoods among them: five tries among 40 honest queries a day.
    Colluding { group: u64, share: u64 },
    /// Asks four times a day, and one or two of them in vain, for a month.
    Slow,
    /// A loop that asks about honest data every three seconds, thirty minutes a day.
    Paced,
    /// Tests its program in production with numbers such as `A123456789`, twice a day beside 40 honest queries and six times on
    /// every third.
    MadeUp,
}

/// What became of an organisation.
#[derive(Debug, Clone)]
pub struct Noticed {
    pub behaviour: Behaviour,
    /// Wrong answers so far, of all that do the same together where they collude.
    pub wrong: u64,
    /// Queries of its own so far.
    pub queries: u64,
    /// The day of the first notice, from 1, with its rules; none if there was none.
    pub first: Option<(u64, Vec<AbuseRule>)>,
}

/// A world under way.
pub struct World {
    seed: u64,
    day: NaiveDate,
    counts: Counts,
    strikes: HashMap<PersonId, Strikes>,
    organisations: Vec<(UnifiedBusinessNumber, Noticed)>,
}

/// The `number`th number of the population: in each hundred neighbours every second.
fn person(number: u64) -> PersonId {
    builders::person(usize::try_from(number * 2).unwrap())
}

impl World {
    /// A world of organisations that behave so, on its first day.
    pub fn new(seed: u64, behaviours: impl IntoIterator<Item = Behaviour>) -> Self {
        let noticed = |behaviour| Noticed { behaviour, wrong: 0, queries: 0, first: None };
        let ubns = (20_000_000..).filter_map(|n: u32| UnifiedBusinessNumber::parse(&n.to_string()).ok());
        let organisations = ubns.zip(behaviours).map(|(ubn, behaviour)| (ubn, noticed(behaviour)));
        Self {
            seed,
            day: NaiveDate::from_ymd_opt(2027, 3, 1).unwrap(),
            counts: Counts::default(),
            strikes: HashMap::new(),
            organisations: organisations.collect(),
        }
    }

    fn draw(&mut self, bound: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Lives so many days; after each query of an organisation that does not behave its day is judged, of the others once a day.
    pub fn live(&mut self, days: u64, thresholds: &Thresholds) {
        for day in 1..=days {
            self.strikes.clear();
            for index in 0..self.organisations.len() {
                self.a_day(index, day, thresholds);
            }
            self.day = self.day + Days::new(1);
        }
    }

    /// What became of them, by their number.
    pub fn noticed(&self) -> impl Iterator<Item = &Noticed> {
        self.organisations.iter().map(|(_, noticed)| noticed)
    }

    /// Notices of honest organisations by their rule.
    pub fn false_notices(&self) -> BTreeMap<&'static str, u64> {
        let mut by_rule = BTreeMap::new();
        let honest = self.noticed().filter(|noticed| matches!(noticed.behaviour, Behaviour::Honest { .. }));
        for rule in honest.filter_map(|noticed| noticed.first.as_ref()).flat_map(|(_, rules)| rules) {
            *by_rule.entry(rule.as_str()).or_default() += 1;
        }
        by_rule
    }

    fn a_day(&mut self, index: usize, day: u64, thresholds: &Thresholds) {
        let behaviour = self.organisations[index].1.behaviour;
        match behaviour {
            Behaviour::Honest { a_day, wrong, regional } => {
                // Half as many to half as many again.
                let queries = a_day / 2 + self.draw(a_day + 1);
                let region = regional.then(|| (index as u64 * REGION) % PERSONS);
                self.honest(index, queries, wrong, region);
            }
            Behaviour::OneNumber { which } => {
                self.honest(index, 40, 10, None);
                for _ in 0..4 {
                    self.guess(index, day, person(which), thresholds);
                }
            }
            Behaviour::Neighbours { which } => {
                self.honest(index, 40, 10, None);
                for number in (day - 1) * 6..day * 6 {
                    for _date in 0..2 {
                        self.guess(
                            index,
                            day,
                            builders::person(usize::try_from(which * 1_000 + number).unwrap()),
                            thresholds,
                        );
                    }
                }
            }
            Behaviour::Scattered => {
                self.honest(index, 80, 10, None);
                for _ in 0..40 {
                    let number = person(self.draw(PERSONS));
                    self.guess(index, day, number, thresholds);
                }
            }
            Behaviour::Colluding { group, share } => {
                self.honest(index, 40, 10, None);
                for number in (day - 1) * 5..day * 5 {
                    let (hundred, place) = (number % 10, (number / 10 * 20 + share) % 100);
                    let number = usize::try_from((group * 10 + hundred) * 100 + place).unwrap();
                    self.guess(index, day, builders::person(number), thresholds);
                }
            }
            Behaviour::Slow => {
                self.honest(index, 3 - day % 2, 0, None);
                for _ in 0..=day % 2 {
                    let number = person(self.draw(PERSONS));
                    self.guess(index, day, number, thresholds);
                }
            }
            Behaviour::Paced => {
                for step in 0..600 {
                    let number = person(self.draw(PERSONS));
                    let at =
                        self.at(TimeDelta::hours(10) + TimeDelta::milliseconds(step * 3_000 + step % 7 * 20));
                    self.ask(index, "batch", at, number, true);
                    self.judge(index, day, thresholds);
                }
            }
            Behaviour::MadeUp => {
                self.honest(index, 40, 10, None);
                let digits =
                    ["A123456789", "A111111113", "B234567894", "A123456789", "A122222225", "A123456789"];
                for text in digits.into_iter().take(if day.is_multiple_of(3) { 6 } else { 2 }) {
                    if let Ok(number) = PersonId::parse(text) {
                        self.guess(index, day, number, thresholds);
                    }
                }
            }
        }
        self.judge(index, day, thresholds);
    }

    fn at(&self, since_midnight: TimeDelta) -> DateTime<Utc> {
        taipei::end_of(self.day - Days::new(1)) + since_midnight
    }

    /// Queries of people at counters, over nine hours; who mistypes tries again.
    fn honest(&mut self, index: usize, queries: u64, wrong: u64, region: Option<u64>) {
        let mut at = self.at(TimeDelta::hours(9));
        let mean = 9 * 3_600_000 / queries.max(1);
        for query in 0..queries {
            let (first, many) = region.map_or((0, PERSONS), |first| (first, REGION));
            let number = person(first + self.draw(many));
            let user = ["counter1", "counter2", "counter3", "counter4"][usize::try_from(query % 4).unwrap()];
            for _try in 0..3 {
                at += TimeDelta::milliseconds(i64::try_from(1 + self.draw(2 * mean)).unwrap());
                let right = self.draw(1000) >= wrong;
                self.ask(index, user, at, number, right);
                // One in five gives up at once.
                if right || self.draw(5) == 0 {
                    break;
                }
            }
        }
    }

    /// One try at a number, whose data are not right; then the day is judged.
    fn guess(&mut self, index: usize, day: u64, number: PersonId, thresholds: &Thresholds) {
        let at = self.at(TimeDelta::hours(9)) + TimeDelta::seconds(i64::try_from(self.draw(30_000)).unwrap());
        let user = ["counter1", "counter2", "counter3"][usize::try_from(self.draw(3)).unwrap()];
        self.ask(index, user, at, number, false);
        self.judge(index, day, thresholds);
    }

    fn ask(&mut self, index: usize, user_id: &str, at: DateTime<Utc>, number: PersonId, right: bool) {
        let before = self.strikes.get(&number).copied().unwrap_or_default();
        let same = if right { Comparison::Same(CardStatus::Normal) } else { Comparison::Different };
        let (result, after) = lockout::answer(before, || same);
        if after != before {
            self.strikes.insert(number, after);
        }
        let outcome = RecordedOutcome::Result(result);
        let (ubn, noticed) = &mut self.organisations[index];
        let ubn = *ubn;
        if noticed.first.is_none() {
            noticed.queries += 1;
            noticed.wrong += u64::from(outcome.is_attempt());
        }
        self.counts.add(Event { ubn, user_id, at, number: Some(number), outcome });
    }

    fn judge(&mut self, index: usize, day: u64, thresholds: &Thresholds) {
        let (ubn, noticed) = &mut self.organisations[index];
        if noticed.first.is_some() {
            return;
        }
        let Some(activity) = self.counts.activity(*ubn, self.day) else { return };
        let found = judge(&activity, thresholds);
        if !found.is_empty() {
            noticed.first = Some((day, found.into_iter().map(|finding| finding.rule).collect()));
        }
    }
}
