//! What the rules of abnormal use find in a made-up world: soon who abuses the service, and never who uses it honestly.

use idcheck_domain::abuse::{AbuseRule, Thresholds};
use idcheck_testing::abuse::{Behaviour, World};

const CLERKS: Behaviour = Behaviour::Honest { a_day: 100, wrong: 30, regional: true };

/// Threat 10 (one company within 200 wrong answers, twenty that collude within 2,000), with any seed.
#[test]
fn whoever_guesses_is_noticed_soon() {
    for seed in 0..3 {
        let alone = [
            (Behaviour::OneNumber { which: 7 }, AbuseRule::GuessedNumber),
            (Behaviour::Neighbours { which: 30 }, AbuseRule::GuessedNeighbours),
            (Behaviour::Scattered, AbuseRule::MismatchRatio),
            (Behaviour::Slow, AbuseRule::MismatchRatio),
            (Behaviour::Paced, AbuseRule::MachinePaced),
            (Behaviour::MadeUp, AbuseRule::MadeUpNumbers),
        ];
        let colluding = (0..20).map(|share| Behaviour::Colluding { group: 4, share });
        let mut world = World::new(seed, alone.map(|(behaviour, _)| behaviour).into_iter().chain(colluding));
        world.live(30, &Thresholds::default());
        for (noticed, (_, rule)) in world.noticed().zip(alone) {
            let (_, rules) = noticed.first.as_ref().unwrap_or_else(|| panic!("{seed}: {noticed:?}"));
            assert!(rules.contains(&rule) && noticed.wrong <= 200, "{seed}: {noticed:?}");
        }
        let colluding: Vec<_> = world.noticed().skip(alone.len()).collect();
        let first = colluding.iter().filter_map(|noticed| noticed.first.as_ref()).map(|(day, _)| *day).min();
        // All of them together until the day on which the first is noticed.
        let wrong = first.map(|day| day * 20 * 5);
        assert!(wrong.is_some_and(|wrong| wrong <= 2000), "{seed}: {colluding:?}");
        assert!(colluding.iter().all(|noticed| noticed.first.is_some()), "{seed}: {colluding:?}");
    }
}

#[test]
fn three_mistakes_in_a_hundred_are_nothing_in_a_year() {
    let mut world = World::new(1, [CLERKS, Behaviour::Honest { a_day: 300, wrong: 30, regional: false }]);
    world.live(365, &Thresholds::default());
    let noticed: Vec<_> = world.noticed().filter(|noticed| noticed.first.is_some()).collect();
    assert!(noticed.is_empty(), "{noticed:?}");
}
