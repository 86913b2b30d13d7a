//! Abnormal use (注意事項 九, 管理規範 一): what an organisation did on a day, and which rules that touches.
//!
//! The rules look at counts, never at an ID number or card data; what they find is the evidence of a notice. Every
//! threshold is a value of the configuration (**decided**).

use chrono::NaiveDate;

use crate::value::UnifiedBusinessNumber;

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AbuseRule {
    /// Too many of the answers are wrong ones.
    MismatchRatio,
    /// Too many ID numbers were locked by this organisation's wrong answers.
    LockedNumbers,
    /// One user asks too much within a minute.
    UserBurst,
    /// Tokens are sent again and again.
    Replays,
    /// Queries come from addresses that are not registered.
    RefusedAddresses,
    /// One ID number is tried again and again, over several days or organisations.
    GuessedNumber,
    /// Queries come as steadily as only a machine sends them (管理規範 一: batch testing).
    MachinePaced,
}

impl AbuseRule {
    /// All rules.
    pub const ALL: [Self; 7] = [
        Self::MismatchRatio,
        Self::LockedNumbers,
        Self::UserBurst,
        Self::Replays,
        Self::RefusedAddresses,
        Self::GuessedNumber,
        Self::MachinePaced,
    ];

    /// The word used in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MismatchRatio => "mismatchRatio",
            Self::LockedNumbers => "lockedNumbers",
            Self::UserBurst => "userBurst",
            Self::Replays => "replays",
            Self::RefusedAddresses => "refusedAddresses",
            Self::GuessedNumber => "guessedNumber",
            Self::MachinePaced => "machinePaced",
        }
    }

    /// The rule of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }

    /// What an officer is advised to do.
    pub const fn suggestion(self) -> Suggestion {
        match self {
            Self::MismatchRatio | Self::LockedNumbers | Self::Replays | Self::RefusedAddresses => {
                Suggestion::AskForExplanation
            }
            Self::UserBurst | Self::MachinePaced => Suggestion::LookAtUser,
            Self::GuessedNumber => Suggestion::ConsiderRevoking,
        }
    }
}

/// What an officer is advised to do about a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suggestion {
    /// Send the notice and have it explained.
    AskForExplanation,
    /// Find out with the organisation which user it is, and have that user stopped.
    LookAtUser,
    /// Have it explained at short notice, and think of revoking.
    ConsiderRevoking,
}

impl Suggestion {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AskForExplanation => "askForExplanation",
            Self::LookAtUser => "lookAtUser",
            Self::ConsiderRevoking => "considerRevoking",
        }
    }
}

/// From where on a rule is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Answers of a day below which the ratio says nothing.
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
    /// Queries of one user that follow each other at the same distance, one tenth of it more or less.
    pub paced_run: u64,
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
    }
}

/// Days over which attempts on one ID number are counted.
pub const NUMBER_DAYS: u32 = 7;

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
    /// The most within one minute.
    pub peak_per_minute: u64,
    /// The most that followed each other at the same distance.
    pub longest_run: u64,
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
    /// Queries that were compared: results 1 to 4, 6 and 7.
    pub answers: u64,
    /// Wrong ones among them: results 2 to 4.
    pub wrong: u64,
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

/// What is counted in a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Answers.
    Answers,
    /// Wrong answers.
    Wrong,
    /// ID numbers locked.
    LockedNumbers,
    /// Queries of a user.
    Queries,
    /// Queries within one minute.
    PerMinute,
    /// Tokens sent again.
    Replays,
    /// Queries from addresses that are not registered.
    RefusedAddresses,
    /// ID numbers tried in vain.
    Numbers,
    /// The most attempts on one of them.
    Attempts,
    /// The most organisations that tried one of them.
    Organisations,
    /// Queries that followed each other at the same distance.
    Run,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 11] = [
        Self::Answers,
        Self::Wrong,
        Self::LockedNumbers,
        Self::Queries,
        Self::PerMinute,
        Self::Replays,
        Self::RefusedAddresses,
        Self::Numbers,
        Self::Attempts,
        Self::Organisations,
        Self::Run,
    ];

    /// The word used in the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Wrong => "wrong",
            Self::LockedNumbers => "lockedNumbers",
            Self::Queries => "queries",
            Self::PerMinute => "perMinute",
            Self::Replays => "replays",
            Self::RefusedAddresses => "refusedAddresses",
            Self::Numbers => "numbers",
            Self::Attempts => "attempts",
            Self::Organisations => "organisations",
            Self::Run => "run",
        }
    }

    /// The measure of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.as_str() == text)
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
    let Activity { answers, wrong, locked_numbers, replays, refused_addresses, .. } = *activity;
    if answers >= thresholds.answers && wrong * 100 >= answers * thresholds.mismatch_percent {
        let counts = vec![(Measure::Answers, answers), (Measure::Wrong, wrong)];
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
        if user.longest_run >= thresholds.paced_run {
            let counts = vec![(Measure::Run, user.longest_run), (Measure::Queries, user.queries)];
            find(AbuseRule::MachinePaced, of(), counts);
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

/// How steadily one user's queries come: how many in a row kept the same distance, one tenth more or less. Times are
/// microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// When the last query came; none before the first.
    pub last_at: Option<i64>,
    /// The mean distance of the run.
    pub distance: i64,
    /// Queries of the run that goes on.
    pub run: u64,
    /// The longest run so far.
    pub longest: u64,
}

impl Pace {
    /// Takes the next query in.
    pub fn next(self, at: i64) -> Self {
        let Some(last_at) = self.last_at else { return Self { last_at: Some(at), ..self } };
        // Those of one batch may be some microseconds out of order.
        let gap = at.saturating_sub(last_at).max(0);
        let steady = self.run > 0 && (gap - self.distance).abs() * 10 <= self.distance;
        let (run, distance) = if steady {
            let run = self.run + 1;
            (run, self.distance + (gap - self.distance) / i64::try_from(run).unwrap_or(i64::MAX))
        } else {
            (1, gap)
        };
        // Queries sent side by side have no distance; they are a burst, not a pace.
        let run = if distance == 0 { 0 } else { run };
        Self { last_at: Some(at), distance, run, longest: self.longest.max(run) }
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
