//! Ten thousand organisations over a month: who is noticed, when, and wrongly. Prints the table of `docs/abuse.md`.
#![allow(clippy::print_stdout, reason = "a report")]

use std::collections::BTreeMap;

use idcheck_domain::abuse::Thresholds;
use idcheck_testing::abuse::{Behaviour, Noticed, World};

const HONEST: u64 = 10_000;
const DAYS: u64 = 30;
/// Of each kind; of those that collude a group of twenty.
const EACH: u64 = 20;

/// A kind of abuse, and how the one with a number behaves.
type Kind = (&'static str, fn(u64) -> Behaviour);

fn main() {
    let sizes = [5, 10, 20, 20, 40, 60];
    let honest = (0..HONEST).map(|n| Behaviour::Honest {
        a_day: sizes[usize::try_from(n).unwrap_or(0) % sizes.len()],
        wrong: 10 + n % 41,
        regional: n % 2 == 0,
    });
    let kinds: [Kind; 7] = [
        ("one number, many dates", |which| Behaviour::OneNumber { which }),
        ("neighbouring numbers, two dates each", |which| Behaviour::Neighbours { which: 500 + which }),
        ("numbers from all over the country", |_| Behaviour::Scattered),
        ("twenty that share ten hundreds of numbers", |share| Behaviour::Colluding { group: 70, share }),
        ("a few each day", |_| Behaviour::Slow),
        ("a loop", |_| Behaviour::Paced),
        ("tests in production", |_| Behaviour::MadeUp),
    ];
    let abuse = kinds.iter().flat_map(|(_, kind)| (0..EACH).map(kind));
    let mut world = World::new(1, honest.chain(abuse));
    world.live(DAYS, &Thresholds::default());

    println!("| use | noticed | by | wrong answers until then | days |\n|---|---|---|---|---|");
    let noticed: Vec<&Noticed> = world.noticed().skip(usize::try_from(HONEST).unwrap_or(0)).collect();
    for ((name, _), group) in kinds.iter().zip(noticed.chunks(usize::try_from(EACH).unwrap_or(1))) {
        let first: Vec<_> =
            group.iter().filter_map(|noticed| Some((*noticed, noticed.first.as_ref()?))).collect();
        let mut rules = BTreeMap::<_, usize>::new();
        for rule in first.iter().flat_map(|(_, (_, rules))| rules) {
            *rules.entry(rule.as_str()).or_default() += 1;
        }
        let rules: Vec<_> = rules.into_iter().map(|(rule, times)| format!("`{rule}` {times}")).collect();
        let range = |mut values: Vec<u64>| {
            values.sort_unstable();
            match (values.first(), values.get(values.len() / 2), values.last()) {
                (Some(least), Some(middle), Some(most)) => format!("{least} … {middle} … {most}"),
                _ => "–".to_owned(),
            }
        };
        let wrong = range(first.iter().map(|(noticed, _)| noticed.wrong).collect());
        let days = range(first.iter().map(|(_, (day, _))| *day).collect());
        println!("| {name} | {} of {EACH} | {} | {wrong} | {days} |", first.len(), rules.join(", "));
    }
    let wrongly = world.false_notices();
    let told: Vec<_> = wrongly.iter().map(|(rule, times)| format!("`{rule}` {times}")).collect();
    let told = if told.is_empty() { "none".to_owned() } else { told.join(", ") };
    println!("\nFalse notices about {HONEST} honest organisations in {DAYS} days: {told}.");
}
