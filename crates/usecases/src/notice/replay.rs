//! What thresholds would have found on past days, so that they can be tried before they count.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Days, NaiveDate};
use idcheck_domain::{
    abuse::{AbuseRule, Evidence, Measure, Thresholds, judge},
    taipei,
    value::UnifiedBusinessNumber,
};

use crate::ports::{Clock, Notices, StoreError, UsageTally};

/// What a rule would have found about an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// The rule.
    pub rule: AbuseRule,
    /// The first day on which it would have been touched.
    pub first: NaiveDate,
    /// On how many days, each user counted apart.
    pub days: u64,
    /// What was counted, at its highest.
    pub counts: BTreeMap<Measure, u64>,
    /// Whether there was a notice of this rule about the organisation in these days.
    pub raised: bool,
}

/// Judges past days again, and changes nothing.
#[derive(Clone)]
pub struct ReplayAbuse {
    clock: Arc<dyn Clock>,
    tally: Arc<dyn UsageTally>,
    notices: Arc<dyn Notices>,
}

impl ReplayAbuse {
    /// With these ports.
    pub fn new(clock: Arc<dyn Clock>, tally: Arc<dyn UsageTally>, notices: Arc<dyn Notices>) -> Self {
        Self { clock, tally, notices }
    }

    /// What `thresholds` would have found in the `days` that end with today, by organisation and rule.
    ///
    /// # Errors
    /// The store's.
    pub async fn execute(&self, thresholds: &Thresholds, days: u32) -> Result<Vec<Replayed>, StoreError> {
        let today = taipei::day(self.clock.now());
        let first = today.checked_sub_days(Days::new(u64::from(days.saturating_sub(1)))).unwrap_or(today);
        let mut found: BTreeMap<(String, AbuseRule), Replayed> = BTreeMap::new();
        for day in first.iter_days().take_while(|day| *day <= today) {
            for activity in self.tally.activities(day, thresholds).await? {
                for finding in judge(&activity, thresholds) {
                    let key = (activity.ubn.to_string(), finding.rule);
                    let replayed = found.entry(key).or_insert_with(|| Replayed {
                        ubn: activity.ubn,
                        rule: finding.rule,
                        first: day,
                        days: 0,
                        counts: BTreeMap::new(),
                        raised: false,
                    });
                    replayed.add(&finding.evidence);
                }
            }
        }
        let mut found: Vec<_> = found.into_values().collect();
        for replayed in &mut found {
            let told = self.notices.of_organisation(replayed.ubn).await?;
            let of_rule = told.iter().map(|read| &read.value).filter(|notice| notice.rule == replayed.rule);
            let mut told_of = of_rule.flat_map(|notice| {
                std::iter::once(notice.evidence.day).chain(notice.later.iter().map(|later| later.day))
            });
            replayed.raised = told_of.any(|day| day >= first && day <= today);
        }
        Ok(found)
    }
}

impl Replayed {
    fn add(&mut self, evidence: &Evidence) {
        self.days += 1;
        for (measure, count) in &evidence.counts {
            let most = self.counts.entry(*measure).or_default();
            *most = (*most).max(*count);
        }
    }
}
