//! 注意事項 十一: how an organisation compares with the company register, and what may follow.

use idcheck_domain::{
    company::{CompanyRecord, Finding, same_name},
    officer::OfficerId,
    reason::RecordedReason,
    ruling::RefusedRuling,
    sweep::{Outcome, Sweep, SweepId, SweepItem},
    value::{CompanyName, Reason, UnifiedBusinessNumber},
};
use rstest::rstest;
use uuid::Uuid;

use crate::support::at;

fn ubn() -> UnifiedBusinessNumber {
    UnifiedBusinessNumber::parse("04595257").unwrap()
}

fn name(text: &str) -> CompanyName {
    CompanyName::parse(text).unwrap()
}

#[rstest]
#[case::full_width("ＡＢＣ股份有限公司", "abc股份有限公司", true)]
#[case::variant("台灣甲公司", "臺灣 甲公司", true)]
#[case::ideographic_space("甲　公司", "甲公司", true)]
#[case::another("甲公司", "乙公司", false)]
#[case::part("甲公司", "甲公司台北分公司", false)]
#[case::nothing(" ", "", false)]
fn spelling_does_not_count(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
    assert_eq!(same_name(one, other), same);
    assert_eq!(same_name(other, one), same);
}

#[rstest]
#[case::current(Some(("甲公司", Some("核准設立"))), "matches", false)]
#[case::a_register_of_current_ones(Some(("甲 公司", None)), "matches", false)]
#[case::renamed(Some(("乙公司", Some("核准設立"))), "nameDiffers", false)]
#[case::absent(None, "notFound", true)]
#[case::dissolved(Some(("甲公司", Some("解散"))), "dissolved", true)]
#[case::ordered_to_dissolve(Some(("甲公司", Some("核准設立，但已命令解散"))), "dissolved", true)]
#[case::merged(Some(("甲公司", Some("合併解散"))), "dissolved", true)]
#[case::annulled(Some(("乙公司", Some("廢止"))), "dissolved", true)]
#[case::withdrawn(Some(("甲公司", Some("撤銷"))), "dissolved", true)]
fn findings(#[case] record: Option<(&str, Option<&str>)>, #[case] word: &str, #[case] ends: bool) {
    let record = record.map(|(name, status)| CompanyRecord {
        ubn: ubn(),
        name: name.to_owned(),
        status: status.map(str::to_owned),
    });
    let finding = Finding::of(&name("甲公司"), record.as_ref());
    assert_eq!((finding.as_str(), finding.reason().is_some()), (word, ends));
    assert_eq!(Finding::parse(word, finding.detail()), Some(finding));
}

#[test]
fn two_persons_and_a_ground_are_needed_to_revoke() {
    let (beginner, second) = (OfficerId(Uuid::from_u128(1)), OfficerId(Uuid::from_u128(2)));
    let now = at("2026-11-23T10:00:00+08:00");
    let sweep =
        |begun_by| Sweep { id: SweepId(Uuid::from_u128(9)), begun_by, begun_at: now, register_of: None };
    let item = |finding| SweepItem { finding, ..SweepItem::unread(ubn(), name("甲公司")) };
    let of_beginner = sweep(Some(beginner));
    let confirm =
        |finding, by| item(finding).confirm(&of_beginner, by, now).map(|(item, _)| item.outcome.as_str());
    assert_eq!(confirm(Some(Finding::NotFound), beginner), Err(RefusedRuling::SamePerson));
    assert_eq!(confirm(None, second), Err(RefusedRuling::NoGround), "no answer is not \"not registered\"");
    let differs = Finding::NameDiffers { registered: "乙公司".to_owned() };
    assert_eq!(confirm(Some(differs), second), Err(RefusedRuling::NoGround));
    assert_eq!(confirm(Some(Finding::Matches), second), Err(RefusedRuling::NoGround));
    assert_eq!(confirm(Some(Finding::NotFound), second), Ok("revoked"));
    let (confirmed, reason) = item(Some(Finding::NotFound)).confirm(&sweep(None), beginner, now).unwrap();
    assert_eq!(reason, RecordedReason::NotRegistered, "the operator began it");
    assert_eq!(confirmed.clone().confirm(&of_beginner, second, now), Err(RefusedRuling::Decided));
    let note = || Reason::parse("查明").unwrap();
    assert_eq!(confirmed.keep(second, note(), now), Err(RefusedRuling::Decided));
    assert_eq!(item(None).keep(second, note(), now), Err(RefusedRuling::NoGround));
    let kept = item(Some(Finding::NotFound)).keep(beginner, note(), now).unwrap();
    assert!(matches!(kept.outcome, Outcome::Kept(_)) && !kept.waits());
}
