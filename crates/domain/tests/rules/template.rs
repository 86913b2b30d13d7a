//! Templates of reasons: what stands for the case's own words is filled in, and nothing else is changed.

use idcheck_domain::{
    application::ClarificationId,
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use uuid::Uuid;

use crate::support::{OFFICER, apply, at, calendar, case, narrative};

fn template(text: &str) -> ReasonTemplate {
    ReasonTemplate {
        id: TemplateId(Uuid::from_u128(1)),
        used_for: TemplateUse::Reject,
        title: TemplateTitle::parse("補件逾期").unwrap(),
        text: Reason::parse(text).unwrap(),
        in_use: true,
    }
}

#[test]
fn the_case_s_words_are_filled_in() {
    let received = at("2026-01-05T02:00:00Z");
    let case = case(apply(), received);
    let number = case.case_number.to_string();
    let company = case.company_name.as_str().to_owned();
    let text = template("{company} {caseNumber} {due} {other} {").filled(&case);
    assert_eq!(text, format!("{company} {number} 115/01/12 {{other}} {{"));

    // Asked on the 6th, to be answered until the 13th; that stays the deadline that is told once it was answered.
    let asked = case.claim(OFFICER, received).unwrap().0;
    let id = ClarificationId(Uuid::from_u128(2));
    let asked_at = at("2026-01-06T02:00:00Z");
    let asked = asked.request_clarification(id, narrative("?"), OFFICER, asked_at, calendar()).unwrap().0;
    assert_eq!(template("{due}").filled(&asked), "115/01/13");
    let answered = asked.answer_clarification(id, narrative("!"), asked_at, calendar()).unwrap().0;
    assert_eq!(template("{due}").filled(&answered), "115/01/13");

    let ended = self::case(apply(), received).withdraw(None, received).unwrap().0;
    assert_eq!(template("{due}").filled(&ended), "{due}");
}

#[test]
fn a_title_is_one_short_line() {
    assert!(TemplateTitle::parse(&"題".repeat(60)).is_ok());
    assert!(TemplateTitle::parse(&"題".repeat(61)).is_err());
    assert!(TemplateTitle::parse("一\n二").is_err());
    assert_eq!(
        TemplateUse::ALL.map(|used_for| TemplateUse::parse(used_for.as_str())),
        TemplateUse::ALL.map(Some)
    );
}
