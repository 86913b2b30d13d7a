//! `[abuse]`: from where on use is abnormal.

use idcheck_domain::abuse::Thresholds;
use serde::{Deserialize, Serialize};

/// From where on use is abnormal and a notice is raised; counts are of a Taipei day where nothing else is said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Abuse {
    /// Answers below which the ratio says nothing: of a day, of 7 days and of 30.
    pub(crate) answers: u64,
    /// Wrong answers in a hundred.
    pub(crate) mismatch_percent: u64,
    /// ID numbers locked.
    pub(crate) locked_numbers: u64,
    /// Queries of one user in a minute.
    pub(crate) user_per_minute: u64,
    /// Tokens sent again.
    pub(crate) replays: u64,
    /// Queries from addresses that are not registered.
    pub(crate) refused_addresses: u64,
    /// Wrong or locked answers about one ID number in a week, whoever asked.
    pub(crate) number_attempts: u64,
    /// Organisations with such answers about one ID number in a week.
    pub(crate) number_organisations: u64,
    /// ID numbers that differ in their last three digits only, tried in vain by one organisation in 30 days.
    pub(crate) neighbours: u64,
    /// The same by all organisations, of which one tried three or more.
    pub(crate) shared_neighbours: u64,
    /// Wrong or locked answers in a week about made-up ID numbers, such as A123456789 or those of the sandbox.
    pub(crate) made_up: u64,
    /// Queries of one user on a day below which their pace says nothing.
    pub(crate) paced_run: u64,
    /// Of a hundred of them, how many come at an even distance.
    pub(crate) paced_percent: u64,
    /// Wrong answers of one user on a day, from which on the user is suspended and gets result 8.
    pub(crate) user_wrong: u64,
}

impl Abuse {
    /// As the rules take them.
    pub(crate) const fn thresholds(&self) -> Thresholds {
        Thresholds {
            answers: self.answers,
            mismatch_percent: self.mismatch_percent,
            locked_numbers: self.locked_numbers,
            user_per_minute: self.user_per_minute,
            replays: self.replays,
            refused_addresses: self.refused_addresses,
            number_attempts: self.number_attempts,
            number_organisations: self.number_organisations,
            neighbours: self.neighbours,
            shared_neighbours: self.shared_neighbours,
            made_up: self.made_up,
            paced_run: self.paced_run,
            paced_percent: self.paced_percent,
            user_wrong: self.user_wrong,
        }
    }
}

impl Default for Abuse {
    fn default() -> Self {
        let usual = Thresholds::default();
        Self {
            answers: usual.answers,
            mismatch_percent: usual.mismatch_percent,
            locked_numbers: usual.locked_numbers,
            user_per_minute: usual.user_per_minute,
            replays: usual.replays,
            refused_addresses: usual.refused_addresses,
            number_attempts: usual.number_attempts,
            number_organisations: usual.number_organisations,
            neighbours: usual.neighbours,
            shared_neighbours: usual.shared_neighbours,
            made_up: usual.made_up,
            paced_run: usual.paced_run,
            paced_percent: usual.paced_percent,
            user_wrong: usual.user_wrong,
        }
    }
}
