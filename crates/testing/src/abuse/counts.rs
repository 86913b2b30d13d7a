//! The model of [`UsageTally`](idcheck_usecases::ports::UsageTally): every query is kept as it is told, and counted when asked.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use idcheck_domain::{
    abuse::{
        Activity, Answered, Burst, MONTH, NUMBER_DAYS, NeighbourActivity, Neighbourhood, NumberActivity,
        Pace, UserActivity, WEEK,
    },
    outcome::{QueryRefusal, RecordedOutcome},
    taipei,
    value::{PersonId, UnifiedBusinessNumber},
};

/// A query in production, and what became of it.
#[derive(Clone, Copy)]
pub struct Event<'e> {
    pub ubn: UnifiedBusinessNumber,
    pub user_id: &'e str,
    pub at: DateTime<Utc>,
    pub number: Option<PersonId>,
    pub outcome: RecordedOutcome,
}

#[derive(Default)]
struct Day {
    answered: Answered,
    replays: u64,
    refused_addresses: u64,
    locked: HashSet<PersonId>,
    tried: HashSet<PersonId>,
    users: Vec<(UserActivity, Burst, Pace)>,
}

/// Attempts on a number: by whom, on which day.
type Attempts = HashMap<(UnifiedBusinessNumber, NaiveDate), u64>;
/// Which numbers of a neighbourhood were tried: by whom, on which day.
type Tried = HashSet<(UnifiedBusinessNumber, NaiveDate, PersonId)>;

/// Everything that was counted.
#[derive(Default)]
pub struct Counts {
    days: HashMap<(UnifiedBusinessNumber, NaiveDate), Day>,
    numbers: HashMap<PersonId, Attempts>,
    neighbourhoods: HashMap<String, Tried>,
}

fn first_of(day: NaiveDate, days: u32) -> NaiveDate {
    day - Days::new(u64::from(days) - 1)
}

impl Counts {
    /// Takes a query in.
    pub fn add(&mut self, event: Event<'_>) {
        let Event { ubn, user_id, at, number, outcome } = event;
        let date = taipei::day(at);
        let day = self.days.entry((ubn, date)).or_default();
        day.answered.answers += u64::from(outcome.was_compared());
        day.answered.wrong += u64::from(outcome.is_wrong());
        day.replays += u64::from(outcome == RecordedOutcome::Replayed);
        let elsewhere = RecordedOutcome::Refused(QueryRefusal::AddressNotRegistered);
        day.refused_addresses += u64::from(outcome == elsewhere);
        if !user_id.is_empty() {
            let micros = at.timestamp_micros();
            let index =
                day.users.iter().position(|(user, ..)| user.user_id == user_id).unwrap_or_else(|| {
                    let user = UserActivity { user_id: user_id.to_owned(), ..UserActivity::default() };
                    day.users.push((user, Burst::default(), Pace::default()));
                    day.users.len() - 1
                });
            let (user, burst, pace) = &mut day.users[index];
            (*burst, *pace) = (burst.next(micros), pace.next(micros));
            user.queries += 1;
            user.wrong += u64::from(outcome.is_wrong());
            (user.peak_per_minute, user.gaps, user.even) = (burst.peak, pace.gaps, pace.even);
        }
        let Some(number) = number.filter(|_| outcome.is_attempt()) else { return };
        day.tried.insert(number);
        if outcome.locks() {
            day.locked.insert(number);
        }
        *self.numbers.entry(number).or_default().entry((ubn, date)).or_default() += 1;
        if let Neighbourhood::Beginning(beginning) = Neighbourhood::of(&number) {
            let tried = if let Some(tried) = self.neighbourhoods.get_mut(beginning) {
                tried
            } else {
                self.neighbourhoods.entry(beginning.to_owned()).or_default()
            };
            tried.insert((ubn, date, number));
        }
    }

    fn stretch(&self, ubn: UnifiedBusinessNumber, last: NaiveDate, days: u32) -> Answered {
        let dates = first_of(last, days).iter_days().take_while(|date| *date <= last);
        dates.filter_map(|date| self.days.get(&(ubn, date))).fold(Answered::default(), |sum, day| Answered {
            answers: sum.answers + day.answered.answers,
            wrong: sum.wrong + day.answered.wrong,
        })
    }

    fn number(&self, ubn: UnifiedBusinessNumber, number: &PersonId, last: NaiveDate) -> NumberActivity {
        let first = first_of(last, NUMBER_DAYS);
        let within = self.numbers[number].iter().filter(|((_, date), _)| *date >= first && *date <= last);
        let (mut who, mut tried) = (HashSet::new(), NumberActivity { own: 0, attempts: 0, organisations: 0 });
        for ((organisation, _), attempts) in within {
            who.insert(*organisation);
            tried.attempts += attempts;
            tried.own += if *organisation == ubn { *attempts } else { 0 };
        }
        NumberActivity { organisations: who.len() as u64, ..tried }
    }

    fn neighbours(&self, ubn: UnifiedBusinessNumber, beginning: &str, last: NaiveDate) -> NeighbourActivity {
        let first = first_of(last, MONTH);
        let tried =
            || self.neighbourhoods[beginning].iter().filter(|(_, date, _)| *date >= first && *date <= last);
        let different =
            |numbers: &mut dyn Iterator<Item = PersonId>| numbers.collect::<HashSet<_>>().len() as u64;
        NeighbourActivity {
            own: different(&mut tried().filter(|(who, ..)| *who == ubn).map(|(.., number)| *number)),
            numbers: different(&mut tried().map(|(.., number)| *number)),
            organisations: tried().map(|(who, ..)| *who).collect::<HashSet<_>>().len() as u64,
        }
    }

    fn made_up(&self, ubn: UnifiedBusinessNumber, last: NaiveDate) -> u64 {
        let made_up =
            self.numbers.iter().filter(|(number, _)| Neighbourhood::of(number) == Neighbourhood::MadeUp);
        made_up.map(|(number, _)| self.number(ubn, number, last).own).sum()
    }

    /// What an organisation did on a day; none where it did nothing.
    pub fn activity(&self, ubn: UnifiedBusinessNumber, date: NaiveDate) -> Option<Activity> {
        let day = self.days.get(&(ubn, date))?;
        let mut beginnings = HashSet::new();
        let (mut made_up, mut numbers) = (false, Vec::new());
        for number in &day.tried {
            match Neighbourhood::of(number) {
                Neighbourhood::Beginning(beginning) => {
                    beginnings.insert(beginning);
                    numbers.push(self.number(ubn, number, date));
                }
                Neighbourhood::MadeUp => made_up = true,
            }
        }
        Some(Activity {
            ubn,
            day: date,
            answered: day.answered,
            week: self.stretch(ubn, date, WEEK),
            month: self.stretch(ubn, date, MONTH),
            locked_numbers: day.locked.len() as u64,
            replays: day.replays,
            refused_addresses: day.refused_addresses,
            users: day.users.iter().map(|(user, ..)| user.clone()).collect(),
            numbers,
            neighbours: beginnings.into_iter().map(|begin| self.neighbours(ubn, begin, date)).collect(),
            made_up: if made_up { self.made_up(ubn, date) } else { 0 },
        })
    }
}
