//! Abnormal use (注意事項 九, 管理規範 一): what an organisation did on a day, and which rules that touches.
//!
//! The rules look at counts, never at an ID number or card data; what they find is the evidence of a notice. Every
//! threshold is a value of the configuration (**decided**).

use chrono::NaiveDate;

use crate::value::UnifiedBusinessNumber;
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
            Self::MismatchRatio | Self::LockedNumbers | Self::Replays | Self::RefusedAddresses => {
                Suggestion::AskForExplanation
            }
            Self::UserBurst | Self::MachinePaced | Self::UserMistakes => Suggestion::LookAtUser,
            Self::GuessedNumber => Suggestion::ConsiderRevoking,
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
            || self.paced_run == 0
            || self.paced_percent == 0
            || self.user_wrong == 0
    }
}

/// Days over which attempts on one ID number are counted.
pub const NUMBER_DAYS: u32 = 7;
/// Days over which the ratio of wrong answers is judged in addition to the day: who stays below its threshold every day is noticed too.
pub const WEEK: u32 = 7;
/// The same.
pub const MONTH: u32 = 30;

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

/// An ID number that this organisation tried in vain on the day, as all organisations tried it over [`NUMBER_DAYS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberActivity {
    /// Wrong or locked answers.
    pub attempts: u64,
    /// Organisations.
    pub organisations: u64,
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
    let guessed = activity.numbers.iter().filter(|number| {
        number.attempts >= thresholds.number_attempts
            || number.organisations >= thresholds.number_organisations
    });
    let guessed: Vec<_> = guessed.collect();
    if let (Some(attempts), Some(organisations)) = (
        guessed.iter().map(|number| number.attempts).max(),
        guessed.iter().map(|number| number.organisations).max(),
    ) {
        let numbers = u64::try_from(guessed.len()).unwrap_or(u64::MAX);
        let counts = vec![
            (Measure::Numbers, numbers),
            (Measure::Attempts, attempts),
            (Measure::Organisations, organisations),
        ];
        find(AbuseRule::GuessedNumber, None, counts);
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
