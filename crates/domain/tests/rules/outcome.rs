use idcheck_domain::{outcome::RecordedOutcome, verification::VerificationResult};
use rstest::rstest;

#[test]
fn each_outcome_has_a_word_of_its_own() {
    for outcome in RecordedOutcome::all() {
        assert_eq!(RecordedOutcome::parse(outcome.as_str()), Some(outcome));
    }
    for result in VerificationResult::ALL {
        assert_eq!(RecordedOutcome::Result(result).as_str(), result.code().to_string());
    }
    assert_eq!(RecordedOutcome::parse("9"), None);
}

#[rstest]
#[case::wrong(RecordedOutcome::is_wrong, "2 3 4")]
#[case::compared(RecordedOutcome::was_compared, "1 2 3 4 6 7")]
#[case::attempts(RecordedOutcome::is_attempt, "2 3 4 5")]
#[case::locking(RecordedOutcome::locks, "4")]
fn what_an_outcome_counts_as(#[case] counts: fn(RecordedOutcome) -> bool, #[case] words: &str) {
    let counted: Vec<_> =
        RecordedOutcome::all().filter(|o| counts(*o)).map(RecordedOutcome::as_str).collect();
    assert_eq!(counted.join(" "), words);
}
