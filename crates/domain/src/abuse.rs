//! Abnormal use (注意事項 九, 管理規範 一): what an organisation did on a day, and which rules that touches.
//!
//! The rules look at counts, never at an ID number or card data; what they find is the evidence of a notice. Which numbers are
//! neighbours, or made up, is told by [`Neighbourhood`] while the number is still in hand. Every threshold is a value of the
//! configuration (**decided**).

use chrono::NaiveDate;

use crate::sandbox;
use crate::value::{PersonId, UnifiedBusinessNumber};
use crate::words::words;

words! {
    /// The rules.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum AbuseRule(as_str) {
        /// Too many of the answers are wrong ones.
        MismatchRatio = "mismatchRatio",
        /// Too many ID numbers were locked by this organisation's wrong answers.
        LockedNumbers = "lockedNumbers",
        /// One user asks too much within a minute.
        UserBurst = "userBurst",
        /// Tokens are sent again and again.
        Replays = "replays",
        /// Queries come from addresses that are not registered.
        RefusedAddresses = "refusedAddresses",
        /// One ID number is tried again and again, over several days or organisations.
        GuessedNumber = "guessedNumber",
        /// ID numbers that differ in their last digits only are tried one after the other, by one organisation or by several.
        GuessedNeighbours = "guessedNeighbours",
        /// Made-up ID numbers are tried: tests belong in the sandbox (管理規範 一).
        MadeUpNumbers = "madeUpNumbers",
        /// Queries come as steadily as only a machine sends them (管理規範 一: batch testing).
        MachinePaced = "machinePaced",
        /// Too many of one user's answers on a day are wrong ones: the user is suspended (result 8).
        UserMistakes = "userMistakes",
    }
}

impl AbuseRule {
    /// What an officer is advised to do.
    pub const fn suggestion(self) -> Suggestion {
        match self {
            Self::MismatchRatio
            | Self::LockedNumbers
            | Self::Replays
            | Self::RefusedAddresses
            | Self::MadeUpNumbers => Suggestion::AskForExplanation,
            Self::UserBurst | Self::MachinePaced | Self::UserMistakes => Suggestion::LookAtUser,
            Self::GuessedNumber | Self::GuessedNeighbours => Suggestion::ConsiderRevoking,
        }
    }
}

words! {
    /// What an officer is advised to do about a notice.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Suggestion(as_str) {
        /// Send the notice and have it explained.
        AskForExplanation = "askForExplanation",
        /// Find out with the organisation which user it is, and have that user stopped.
        LookAtUser = "lookAtUser",
        /// Have it explained at short notice, and think of revoking.
        ConsiderRevoking = "considerRevoking",
    }
}

/// From where on a rule is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Answers below which the ratio says nothing: of a day, of [`WEEK`] and of [`MONTH`] days.
    pub answers: u64,
    /// Wrong answers in a hundred.
    pub mismatch_percent: u64,
    /// ID numbers locked on a day.
    pub locked_numbers: u64,
    /// Queries of one user in a minute.
    pub user_per_minute: u64,
    /// Tokens sent again on a day.
    pub replays: u64,
    /// Queries from addresses not registered on a day.
    pub refused_addresses: u64,
    /// Wrong or locked answers about one ID number over [`NUMBER_DAYS`], whoever asked.
    pub number_attempts: u64,
    /// Organisations with wrong answers about one ID number over [`NUMBER_DAYS`].
    pub number_organisations: u64,
    /// ID numbers of one [`Neighbourhood`] that one organisation tried in vain over [`MONTH`].
    pub neighbours: u64,
    /// The same of all organisations together; told of those that tried [`OWN_NEIGHBOURS`] of them.
    pub shared_neighbours: u64,
    /// Wrong or locked answers about made-up ID numbers over [`NUMBER_DAYS`].
    pub made_up: u64,
    /// Queries of one user on a day below which their pace says nothing.
    pub paced_run: u64,
    /// Of a hundred of them, how many come at an even distance.
    pub paced_percent: u64,
    /// Wrong answers of one user on a day, from which on the user is suspended (result 8).
    pub user_wrong: u64,
}

impl Thresholds {
    /// Whether one is 0, which everything would touch.
    pub const fn any_zero(&self) -> bool {
        self.answers == 0
            || self.mismatch_percent == 0
            || self.locked_numbers == 0
            || self.user_per_minute == 0
            || self.replays == 0
            || self.refused_addresses == 0
            || self.number_attempts == 0
            || self.number_organisations == 0
            || self.neighbours == 0
            || self.shared_neighbours == 0
            || self.made_up == 0
            || self.paced_run == 0
            || self.paced_percent == 0
            || self.user_wrong == 0
    }
}

/// Days over which attempts on one ID number are counted.
pub const NUMBER_DAYS: u32 = 7;
/// Days over which the ratio of wrong answers is judged in addition to the day: who stays below its threshold every day is noticed too.
pub const WEEK: u32 = 7;
/// The same; and the days over which neighbouring numbers are counted.
pub const MONTH: u32 = 30;
/// Neighbouring numbers that an organisation must have tried itself before what others tried is laid to it as well.
pub const OWN_NEIGHBOURS: u64 = 3;

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            answers: 50,
            mismatch_percent: 30,
            locked_numbers: 10,
            user_per_minute: 300,
            replays: 20,
            refused_addresses: 50,
            number_attempts: 10,
            number_organisations: 5,
            neighbours: 12,
            shared_neighbours: 40,
            made_up: 10,
            paced_run: 100,
            paced_percent: 80,
            user_wrong: 100,
        }
    }
}

/// What one user of an organisation did on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserActivity {
    /// The organisation's name for the user.
    pub user_id: String,
    /// Queries.
    pub queries: u64,
    /// Wrong answers: results 2 to 4.
    pub wrong: u64,
    /// The most within one minute.
    pub peak_per_minute: u64,
    /// Distances between queries.
    pub gaps: u64,
    /// Those that were even ([`Pace`]).
    pub even: u64,
}

/// Answers of a stretch of days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered {
    /// Queries that were compared: results 1 to 4, 6 and 7.
    pub answers: u64,
    /// Wrong ones among them: results 2 to 4.
    pub wrong: u64,
}

impl Answered {
    /// Whether there are enough of them, and too many are wrong.
    const fn touches(self, thresholds: &Thresholds) -> bool {
        self.answers >= thresholds.answers && self.wrong * 100 >= self.answers * thresholds.mismatch_percent
    }
}

/// An ID number that this organisation tried in vain on the day, as it was tried over [`NUMBER_DAYS`]; made-up numbers have a rule of
/// their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberActivity {
    /// Wrong or locked answers of this organisation.
    pub own: u64,
    /// Those of all organisations.
    pub attempts: u64,
    /// Organisations.
    pub organisations: u64,
}

impl NumberActivity {
    /// Whether it touches the rule: it was tried often, or by many, and by this organisation no less than by the others on average.
    /// Who mistyped the number of a person on whom others try their luck is not one of them.
    pub const fn touches(self, thresholds: &Thresholds) -> bool {
        (self.attempts >= thresholds.number_attempts || self.organisations >= thresholds.number_organisations)
            && self.own.saturating_mul(self.organisations) >= self.attempts
    }
}

/// A [`Neighbourhood`] in which this organisation tried numbers in vain on the day, as it was tried over [`MONTH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighbourActivity {
    /// Different numbers that this organisation tried.
    pub own: u64,
    /// Different numbers that anybody tried.
    pub numbers: u64,
    /// Organisations.
    pub organisations: u64,
}

impl NeighbourActivity {
    /// Whether it touches the rule.
    pub const fn touches(self, thresholds: &Thresholds) -> bool {
        self.own >= thresholds.neighbours
            || (self.numbers >= thresholds.shared_neighbours && self.own >= OWN_NEIGHBOURS)
    }
}

/// With which other ID numbers one is counted where guessing is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Neighbourhood<'n> {
    /// Those that begin as it does: the number without its last three digits, of which one is the check digit. A hundred
    /// numbers have it in common.
    Beginning(&'n str),
    /// Numbers of tests: those of the sandbox, and those whose seven digits before the check digit are all the same or count up
    /// or down, such as `A123456789`. Of ten million numbers thirty look so.
    MadeUp,
}

impl<'n> Neighbourhood<'n> {
    /// The neighbourhood of a number.
    pub fn of(number: &'n PersonId) -> Self {
        let text = number.expose();
        let steps = text.as_bytes()[2..9].windows(2).map(|pair| (10 + pair[1] - pair[0]) % 10);
        let first = steps.clone().next();
        let counts = matches!(first, Some(0 | 1 | 9)) && steps.clone().all(|step| Some(step) == first);
        if counts || sandbox::is_reserved(number) {
            return Self::MadeUp;
        }
        Self::Beginning(&text[..7])
    }
}

/// What an organisation did on a day, in production.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// The Taipei day.
    pub day: NaiveDate,
    /// Answers of the day.
    pub answered: Answered,
    /// Answers of the [`WEEK`] that ends with the day.
    pub week: Answered,
    /// Answers of the [`MONTH`] that ends with the day.
    pub month: Answered,
    /// ID numbers that its wrong answers locked.
    pub locked_numbers: u64,
    /// Tokens sent again.
    pub replays: u64,
    /// Queries from addresses that are not registered.
    pub refused_addresses: u64,
    /// Its users; those below every threshold may be left out.
    pub users: Vec<UserActivity>,
    /// ID numbers; those below every threshold may be left out.
    pub numbers: Vec<NumberActivity>,
    /// Neighbourhoods of ID numbers; those below every threshold may be left out.
    pub neighbours: Vec<NeighbourActivity>,
    /// Wrong or locked answers about made-up ID numbers over [`NUMBER_DAYS`], where one was tried on the day.
    pub made_up: u64,
}

words! {
    /// What is counted in a piece of evidence.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Measure(as_str) {
        /// Answers.
        Answers = "answers",
        /// Wrong answers.
        Wrong = "wrong",
        /// ID numbers locked.
        LockedNumbers = "lockedNumbers",
        /// Queries of a user.
        Queries = "queries",
        /// Queries within one minute.
        PerMinute = "perMinute",
        /// Tokens sent again.
        Replays = "replays",
        /// Queries from addresses that are not registered.
        RefusedAddresses = "refusedAddresses",
        /// ID numbers tried in vain.
        Numbers = "numbers",
        /// The most attempts on one of them.
        Attempts = "attempts",
        /// The most organisations that tried one of them.
        Organisations = "organisations",
        /// Queries that followed each other at the same distance; in evidence from before distances were counted.
        Run = "run",
        /// Days that the counts are of, where that is more than one.
        Days = "days",
        /// Distances between queries.
        Gaps = "gaps",
        /// Even ones among them.
        Even = "even",
        /// The most neighbouring ID numbers that the organisation tried in vain.
        Neighbours = "neighbours",
        /// The most neighbouring ID numbers that were tried in vain by anybody.
        SharedNeighbours = "sharedNeighbours",
        /// Attempts on made-up ID numbers.
        MadeUp = "madeUp",
    }
}

/// What a rule found: counts, never an ID number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The Taipei day.
    pub day: NaiveDate,
    /// The user it is about, where it is about one.
    pub user_id: Option<String>,
    /// What was counted.
    pub counts: Vec<(Measure, u64)>,
}

/// A rule that was touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: AbuseRule,
    /// Why.
    pub evidence: Evidence,
}

/// Every rule that the day's activity touches.
pub fn judge(activity: &Activity, thresholds: &Thresholds) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |rule, user_id, counts| {
        findings.push(Finding { rule, evidence: Evidence { day: activity.day, user_id, counts } });
    };
    let Activity { answered, week, month, locked_numbers, replays, refused_addresses, .. } = *activity;
    let wrong = answered.wrong;
    let stretches = [(1, answered), (u64::from(WEEK), week), (u64::from(MONTH), month)];
    if let Some((days, found)) = stretches.into_iter().find(|(_, stretch)| stretch.touches(thresholds)) {
        let mut counts = vec![(Measure::Answers, found.answers), (Measure::Wrong, found.wrong)];
        counts.extend((days > 1).then_some((Measure::Days, days)));
        find(AbuseRule::MismatchRatio, None, counts);
    }
    if locked_numbers >= thresholds.locked_numbers {
        let counts = vec![(Measure::LockedNumbers, locked_numbers), (Measure::Wrong, wrong)];
        find(AbuseRule::LockedNumbers, None, counts);
    }
    if replays >= thresholds.replays {
        find(AbuseRule::Replays, None, vec![(Measure::Replays, replays)]);
    }
    if refused_addresses >= thresholds.refused_addresses {
        find(AbuseRule::RefusedAddresses, None, vec![(Measure::RefusedAddresses, refused_addresses)]);
    }
    for user in &activity.users {
        let of = || Some(user.user_id.clone());
        if user.peak_per_minute >= thresholds.user_per_minute {
            let counts = vec![(Measure::PerMinute, user.peak_per_minute), (Measure::Queries, user.queries)];
            find(AbuseRule::UserBurst, of(), counts);
        }
        if user.gaps >= thresholds.paced_run && user.even * 100 >= user.gaps * thresholds.paced_percent {
            let counts = vec![
                (Measure::Gaps, user.gaps),
                (Measure::Even, user.even),
                (Measure::Queries, user.queries),
            ];
            find(AbuseRule::MachinePaced, of(), counts);
        }
        if user.wrong >= thresholds.user_wrong {
            let counts = vec![(Measure::Wrong, user.wrong), (Measure::Queries, user.queries)];
            find(AbuseRule::UserMistakes, of(), counts);
        }
    }
    let guessed: Vec<_> = activity.numbers.iter().filter(|number| number.touches(thresholds)).collect();
    let most = |count: fn(&NumberActivity) -> u64| guessed.iter().map(|number| count(number)).max();
    if let (Some(attempts), Some(organisations)) = (most(|n| n.attempts), most(|n| n.organisations)) {
        let numbers = u64::try_from(guessed.len()).unwrap_or(u64::MAX);
        let counts = vec![
            (Measure::Numbers, numbers),
            (Measure::Attempts, attempts),
            (Measure::Organisations, organisations),
        ];
        find(AbuseRule::GuessedNumber, None, counts);
    }
    let touched = activity.neighbours.iter().filter(|tried| tried.touches(thresholds));
    if let Some(worst) = touched.max_by_key(|tried| (tried.own, tried.numbers)) {
        let counts = vec![
            (Measure::Neighbours, worst.own),
            (Measure::SharedNeighbours, worst.numbers),
            (Measure::Organisations, worst.organisations),
            (Measure::Days, u64::from(MONTH)),
        ];
        find(AbuseRule::GuessedNeighbours, None, counts);
    }
    if activity.made_up >= thresholds.made_up {
        find(
            AbuseRule::MadeUpNumbers,
            None,
            vec![(Measure::MadeUp, activity.made_up), (Measure::Days, u64::from(NUMBER_DAYS))],
        );
    }
    findings
}

/// A distance of less moves as one of this many microseconds would.
const LEAST_STEP: i64 = 8_000;

/// How steadily one user's queries come: how many distances between them are even, which is a fifth more or less than the ones
/// before. One that is not counts as such and ends nothing: a loop is distinguished from people by the share of even distances. Times are
/// microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// When the last query came; none before the first.
    pub last_at: Option<i64>,
    /// The usual distance: each new one moves it by an eighth of the difference, and by no more than an eighth of itself.
    pub distance: i64,
    /// Distances so far; queries sent side by side have none.
    pub gaps: u64,
    /// Even ones among them.
    pub even: u64,
}

impl Pace {
    /// Takes the next query in.
    pub fn next(self, at: i64) -> Self {
        let Some(last_at) = self.last_at else { return Self { last_at: Some(at), ..self } };
        // Those of one batch may be some microseconds out of order.
        let gap = at.saturating_sub(last_at).max(0);
        if gap == 0 {
            return Self { last_at: Some(at), ..self };
        }
        if self.gaps == 0 {
            return Self { last_at: Some(at), distance: gap, gaps: 1, even: 0 };
        }
        let off = gap.saturating_sub(self.distance);
        let even = off.saturating_abs().saturating_mul(5) <= self.distance;
        // One pause of a minute is no other pace: it counts as a distance twice as long.
        let step = self.distance.max(LEAST_STEP);
        let distance = (self.distance + off.clamp(-step, step) / 8).max(1);
        Self { last_at: Some(at), distance, gaps: self.gaps + 1, even: self.even + u64::from(even) }
    }
}

/// How many queries of one user come within a minute. Times are microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Burst {
    /// The minute of the last query.
    pub minute: i64,
    /// Queries in it.
    pub count: u64,
    /// The most in any minute so far.
    pub peak: u64,
}

impl Burst {
    /// Takes the next query in.
    pub fn next(self, at: i64) -> Self {
        let minute = at.div_euclid(60_000_000);
        let count = if minute == self.minute { self.count + 1 } else { 1 };
        Self { minute, count, peak: self.peak.max(count) }
    }
}
