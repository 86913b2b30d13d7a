//! Where a notice stands.

use idcheck_domain::{calendar::DueDate, notice::NoticeState, ruling::Ruling};

use crate::support::{OFFICER, at, day};

/// What is looked up by the identifiers of open states is what is open.
#[test]
fn open_states_are_those_that_wait() {
    let time = at("2026-01-05T09:00:00+08:00");
    let ruling = Ruling { by: OFFICER, at: time, note: None };
    for state in [
        NoticeState::Raised,
        NoticeState::Sent { due: DueDate { date: day("2026-01-12"), provisional: false } },
        NoticeState::Explained,
        NoticeState::Accepted(ruling.clone()),
        NoticeState::Dismissed(ruling),
        NoticeState::Ended { at: time },
    ] {
        assert_eq!(NoticeState::OPEN.contains(&state.as_str()), state.is_open(), "{state:?}");
    }
}
