//! The contract of [`OwnSessions`].

use chrono::{TimeDelta, Timelike};
use idcheck_usecases::ports::{Clock, OwnSessions};

use crate::{FixedClock, builders::ubn};

/// What one node issues another reads until it is over; nothing else is read.
pub fn suite(here: &dyn OwnSessions, there: &dyn OwnSessions, stranger: &dyn OwnSessions) {
    let now = FixedClock::default().now().with_nanosecond(0).unwrap();
    let end = now + TimeDelta::minutes(15);
    let session = here.issue(ubn(1), end);
    assert_eq!(there.read(session.expose(), now), Some(session.clone()));
    assert_eq!(there.read(session.expose(), end - TimeDelta::seconds(1)), Some(session.clone()));
    assert_eq!(here.read(session.expose(), end), None, "a session that is over");
    assert_eq!(stranger.read(session.expose(), now), None, "a session of another installation");
    assert!(!format!("{session:?}").contains(session.expose()), "told in a log");

    let token = session.expose();
    for place in 0..token.len() {
        let mut changed = token.as_bytes().to_vec();
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(here.read(&changed, now), None, "{changed}");
        assert_eq!(here.read(&token[..place], now), None);
    }
    let longer = here.issue(ubn(1), end + TimeDelta::hours(1));
    let (_, tag) = token.rsplit_once('.').unwrap();
    let (told, _) = longer.expose().rsplit_once('.').unwrap();
    assert_eq!(here.read(&format!("{told}.{tag}"), now), None, "an end of one's own choice");
}
