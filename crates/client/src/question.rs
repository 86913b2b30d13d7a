//! A question about one card. Personal data: never shown, never logged.

use std::fmt;

use chrono::NaiveDate;
use idcheck_domain::{
    Violation,
    value::{ApplyCode, IssueSite, PersonId, RocDate},
    verification::CardData,
};

/// Longest user name on the wire.
const MAX_USER: usize = 12;

/// The company's own name for who asks: 1 to 12 ASCII letters and digits. Abnormal use suspends a user (answer 8), so
/// give each clerk or program one of its own; it should not name a person.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserId(String);

impl UserId {
    /// Reads a user name.
    ///
    /// # Errors
    /// [`Violation::ValueUnknown`] when it is not 1 to 12 ASCII letters and digits.
    pub fn parse(text: &str) -> Result<Self, QuestionError> {
        if (1..=MAX_USER).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(QuestionError { field: Field::User, violation: Violation::ValueUnknown })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `api`, for programs that ask as one user.
impl Default for UserId {
    fn default() -> Self {
        Self("api".to_owned())
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserId(…)")
    }
}

/// What a question consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// The national ID number.
    PersonId,
    /// Why the card was issued, 0 to 3.
    ApplyCode,
    /// The day it was issued.
    ApplyDate,
    /// Where it was issued.
    IssueSite,
    /// Who asks.
    User,
}

impl Field {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PersonId => "personId",
            Self::ApplyCode => "applyCode",
            Self::ApplyDate => "applyDate",
            Self::IssueSite => "issueSiteId",
            Self::User => "userId",
        }
    }
}

/// Why a question was not sent: the field and the rule that it breaks, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {violation}", field.as_str())]
pub struct QuestionError {
    /// The field.
    pub field: Field,
    /// The rule.
    pub violation: Violation,
}

/// A question whose values are well formed.
#[derive(Clone)]
pub struct Question {
    pub(crate) person_id: PersonId,
    pub(crate) data: CardData,
    pub(crate) user: Option<UserId>,
}

impl Question {
    /// A question from values that were parsed before.
    pub fn new(person_id: PersonId, data: CardData) -> Self {
        Self { person_id, data, user: None }
    }

    /// A question from text: `A123456789`, `1`, `1080617` (ROC calendar) or `2019-06-17`, `63000`.
    ///
    /// # Errors
    /// The first field that is not well formed. That a date is not in the future is looked at when the question is
    /// sent.
    pub fn parse(
        person_id: &str,
        apply_code: &str,
        applied_on: &str,
        issue_site: &str,
    ) -> Result<Self, QuestionError> {
        let broken = |field| move |violation| QuestionError { field, violation };
        let person_id = PersonId::parse(person_id).map_err(broken(Field::PersonId))?;
        let data = CardData {
            apply_code: ApplyCode::parse(apply_code).map_err(broken(Field::ApplyCode))?,
            applied_on: date(applied_on).map_err(broken(Field::ApplyDate))?,
            issue_site: IssueSite::parse(issue_site).map_err(broken(Field::IssueSite))?,
        };
        Ok(Self::new(person_id, data))
    }

    /// The same question asked by this user instead of the client's.
    pub fn asked_by(self, user: UserId) -> Self {
        Self { user: Some(user), ..self }
    }

    /// Refuses a card that was issued after `today`, the day in Taipei.
    pub(crate) fn not_after(&self, today: NaiveDate) -> Result<(), QuestionError> {
        match self.data.applied_on.not_after(today) {
            Ok(_) => Ok(()),
            Err(violation) => Err(QuestionError { field: Field::ApplyDate, violation }),
        }
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(…)")
    }
}

/// `yyyMMdd` of the ROC calendar, or `yyyy-MM-dd`.
fn date(text: &str) -> Result<RocDate, Violation> {
    if text.contains('-') {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| Violation::RocDateImpossible)?;
        // chrono takes `2019-6-17` too; one day has one spelling here.
        return if day.to_string() == text { RocDate::from_date(day) } else { Err(Violation::RocDateFormat) };
    }
    RocDate::parse(text)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rstest::rstest;

    use super::{Field, Question, QuestionError, UserId, Violation};

    #[rstest]
    #[case(["A123456780", "1", "1080617", "63000"], Field::PersonId, Violation::PersonIdChecksum)]
    #[case(["a123456789", "1", "1080617", "63000"], Field::PersonId, Violation::PersonIdFormat)]
    #[case(["A123456789", "4", "1080617", "63000"], Field::ApplyCode, Violation::ApplyCodeUnknown)]
    #[case(["A123456789", "1", "1080230", "63000"], Field::ApplyDate, Violation::RocDateImpossible)]
    #[case(["A123456789", "1", "108617", "63000"], Field::ApplyDate, Violation::RocDateFormat)]
    #[case(["A123456789", "1", "2019-02-30", "63000"], Field::ApplyDate, Violation::RocDateImpossible)]
    #[case(["A123456789", "1", "2019-6-17", "63000"], Field::ApplyDate, Violation::RocDateFormat)]
    #[case(["A123456789", "1", "1911-12-31", "63000"], Field::ApplyDate, Violation::RocDateImpossible)]
    #[case(["A123456789", "1", "1080617", "10019"], Field::IssueSite, Violation::IssueSiteUnknown)]
    fn what_is_malformed_is_named_without_its_value(
        #[case] text: [&str; 4],
        #[case] field: Field,
        #[case] violation: Violation,
    ) {
        let error = Question::parse(text[0], text[1], text[2], text[3]).unwrap_err();
        assert_eq!(error, QuestionError { field, violation });
        let shown = format!("{error} {error:?}");
        assert!(!text.iter().any(|value| value.len() > 1 && shown.contains(value)), "{shown}");
    }

    #[test]
    fn both_calendars_name_the_same_day() {
        let roc = Question::parse("A123456789", "1", "1080617", "63000").unwrap();
        let iso = Question::parse("A123456789", "1", "2019-06-17", "63000").unwrap();
        assert_eq!(roc.data, iso.data);
        assert!(roc.not_after(NaiveDate::from_ymd_opt(2019, 6, 17).unwrap()).is_ok());
        let early = roc.not_after(NaiveDate::from_ymd_opt(2019, 6, 16).unwrap()).unwrap_err();
        assert_eq!((early.field, early.violation), (Field::ApplyDate, Violation::DateInFuture));
    }

    #[test]
    fn a_user_is_short_and_plain() {
        for text in ["a", "clerk01", "000000000042"] {
            assert_eq!(UserId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "0000000000042", "a b", "職員", "a-b"] {
            assert_eq!(UserId::parse(text).unwrap_err().field, Field::User, "{text:?}");
        }
    }

    #[test]
    fn nothing_of_a_question_is_shown() {
        let user = UserId::parse("clerk01").unwrap();
        let question = Question::parse("A123456789", "1", "1080617", "63000").unwrap().asked_by(user);
        assert_eq!(format!("{question:?} {:?}", question.user), "Question(…) Some(UserId(…))");
    }
}
