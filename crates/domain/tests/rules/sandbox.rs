//! The sandbox's reserved numbers: valid, each once, and those that the guide lists.

use std::collections::HashSet;

use idcheck_domain::{
    sandbox::{PERSONS, PLAYED, Played, played, registered},
    value::PersonId,
    verification::{CardStatus, VerificationResult},
};

fn number(text: &str) -> PersonId {
    PersonId::parse(text).unwrap_or_else(|violation| panic!("{text}: {violation:?}"))
}

#[test]
fn every_result_and_every_refusal_can_be_had() {
    let distinct: HashSet<_> = PLAYED.iter().map(|(number, _)| *number).collect();
    assert_eq!(distinct.len(), PLAYED.len());
    let results = PLAYED.iter().filter_map(|(text, _)| match played(&number(text)) {
        Some(Played::Result(result)) => Some(result),
        Some(Played::Refusal(_)) | None => None,
    });
    let results: Vec<_> = results.collect();
    assert_eq!(results, VerificationResult::ALL);
    let refusals: HashSet<_> = PLAYED.iter().map(|(_, played)| *played).collect();
    assert_eq!(refusals.len(), PLAYED.len(), "something is played twice");
}

#[test]
fn persons_play_nothing_and_have_each_status() {
    let status = |text: &str| registered(&number(text)).map(|(_, status)| status);
    for person in PERSONS {
        assert_eq!(played(&number(person.number)), None);
    }
    assert_eq!(status("A190001014"), Some(CardStatus::Normal));
    assert_eq!(status("A190001023"), Some(CardStatus::OutOfUse));
    assert_eq!(status("A190001032"), Some(CardStatus::ReportedLost));
    assert_eq!(status("A123456789"), None);
    assert_eq!(played(&number("A123456789")), None);
}

#[test]
fn the_guide_lists_what_there_is() {
    let guide = include_str!("../../../../docs/guides/sandbox.md");
    let listed: HashSet<_> = guide
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| PersonId::parse(word).is_ok())
        .collect();
    let reserved: HashSet<_> =
        PLAYED.iter().map(|(number, _)| *number).chain(PERSONS.iter().map(|person| person.number)).collect();
    assert_eq!(listed, reserved);
    for number in PERSONS.map(|person| person.number) {
        let (data, _) = registered(&self::number(number)).unwrap();
        let row = format!(
            "| `{number}` | `{}` | `{}` | `{}` |",
            data.apply_code.as_str(),
            data.applied_on,
            data.issue_site.code()
        );
        assert!(guide.contains(&row), "{row}");
    }
}
