//! A model of the ledger on two nodes: batch, strikes, replay, crash. Every interleaving of a few queries about one ID
//! number, a token that is sent again to the other node, and a node that dies at any moment keeps the rules; the same
//! model with the check moved out of the write does not, so that the model can fail.
//!
//! What is modelled is the order of steps in `ledger/mod.rs`: take what waits, lock the chain's head, read, decide,
//! commit, answer. What is decided is the domain's own [`lockout::answer`].

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use idcheck_domain::{
    lockout::{self, Strikes},
    verification::{Comparison, VerificationResult},
};
use stateright::{Checker, Model, Property};

/// Wrong answers before the first of these queries.
const BEFORE: u8 = 1;
/// Queries, all wrong and about one number: the last one finds it locked.
const QUERIES: u8 = 3;
const NODES: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Answer {
    /// `checkIdCardApply`.
    Code(u8),
    Replayed,
}

/// What is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Database {
    strikes: u8,
    used: Vec<u8>,
    /// Token and answer, in the order of the chain.
    records: Vec<(u8, Answer)>,
}

impl Database {
    /// The batch of tokens decided on what is here, and everything as it is afterwards.
    fn decide(&self, batch: &[u8]) -> Self {
        let mut after = self.clone();
        for token in batch {
            let answer = if after.used.contains(token) {
                Answer::Replayed
            } else {
                after.used.push(*token);
                let (result, strikes) =
                    lockout::answer(Strikes::from_count(after.strikes), || Comparison::Different);
                after.strikes = strikes.count();
                Answer::Code(result.code())
            };
            after.records.push((*token, answer));
        }
        after.used.sort_unstable();
        after
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Node {
    /// Tokens that wait.
    queue: Vec<u8>,
    /// The batch under way, with what was read for it.
    batch: Option<(Vec<u8>, Database)>,
    /// Answers of a committed batch that did not go out yet.
    committed: Vec<(u8, Answer)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct World {
    database: Database,
    nodes: [Node; NODES],
    /// Which node holds the chain's head.
    head: Option<usize>,
    /// Tokens not sent yet: the next one.
    next: u8,
    /// Whether the first token was sent again.
    resent: bool,
    crashed: bool,
    /// What clients were told.
    told: Vec<(u8, Answer)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// The next query arrives at a node.
    Send(usize),
    /// The first token arrives once more.
    Resend(usize),
    /// A node takes what waits and begins.
    Begin(usize),
    /// It locks the head, where it did not at the beginning.
    Lock(usize),
    Commit(usize),
    Reply(usize),
    Crash(usize),
}

/// Where the batch reads what it decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    /// In the transaction that writes, with the head locked: as it is done.
    Inside,
    /// Before the lock: the mutant.
    Outside,
}

struct Ledger(Check);

impl Ledger {
    fn may(&self, world: &World, step: Step) -> bool {
        match step {
            Step::Send(_) => world.next < QUERIES,
            Step::Resend(_) => !world.resent && world.next > 0,
            Step::Begin(node) => {
                let idle = &world.nodes[node];
                let free = self.0 == Check::Outside || world.head.is_none();
                free && idle.batch.is_none() && idle.committed.is_empty() && !idle.queue.is_empty()
            }
            Step::Lock(node) => {
                self.0 == Check::Outside && world.head.is_none() && world.nodes[node].batch.is_some()
            }
            Step::Commit(node) => world.head == Some(node),
            Step::Reply(node) => !world.nodes[node].committed.is_empty(),
            Step::Crash(_) => !world.crashed,
        }
    }
}

impl Model for Ledger {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        let database = Database { strikes: BEFORE, ..Database::default() };
        vec![World { database, ..World::default() }]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let of = [Step::Send, Step::Resend, Step::Begin, Step::Lock, Step::Commit, Step::Reply, Step::Crash];
        let all = (0..NODES).flat_map(|node| of.map(|step| step(node)));
        steps.extend(all.filter(|step| self.may(world, *step)));
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut world = world.clone();
        match step {
            Step::Send(node) => {
                world.nodes[node].queue.push(world.next);
                world.next += 1;
            }
            Step::Resend(node) => {
                world.nodes[node].queue.push(0);
                world.resent = true;
            }
            Step::Begin(node) => {
                let batch = std::mem::take(&mut world.nodes[node].queue);
                world.nodes[node].batch = Some((batch, world.database.clone()));
                if self.0 == Check::Inside {
                    world.head = Some(node);
                }
            }
            Step::Lock(node) => world.head = Some(node),
            Step::Commit(node) => {
                let (batch, read) = world.nodes[node].batch.take()?;
                let after = read.decide(&batch);
                let records = after.records[read.records.len()..].to_vec();
                world.database.strikes = after.strikes;
                world.database.used.extend(after.used);
                world.database.used.sort_unstable();
                world.database.used.dedup();
                world.database.records.extend(records.iter().copied());
                world.nodes[node].committed = records;
                world.head = None;
            }
            Step::Reply(node) => {
                let committed = std::mem::take(&mut world.nodes[node].committed);
                world.told.extend(committed);
                world.told.sort_unstable_by_key(|(token, answer)| (*token, *answer == Answer::Replayed));
            }
            // Everything in memory is gone; the database drops the transaction and its lock.
            Step::Crash(node) => {
                world.nodes[node] = Node::default();
                world.crashed = true;
                world.head = world.head.filter(|holder| *holder != node);
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a strike is neither lost nor doubled", |_, world: &World| {
                let strike = |answer: &Answer| match answer {
                    Answer::Code(code) => VerificationResult::from_code(*code).unwrap().is_strike(),
                    Answer::Replayed => false,
                };
                let recorded = world.database.records.iter().filter(|(_, answer)| strike(answer)).count();
                recorded == usize::from(world.database.strikes - BEFORE)
            }),
            Property::always("the first two are told 3 and 4, all others 5", |_, world: &World| {
                let codes = world.database.records.iter().filter_map(|(_, answer)| match answer {
                    Answer::Code(code) => Some(*code),
                    Answer::Replayed => None,
                });
                codes.zip([3, 4].into_iter().chain(std::iter::repeat(5))).all(|(told, due)| told == due)
            }),
            Property::always("a token is answered once", |_, world: &World| {
                let answered = |token| {
                    let of = world.database.records.iter().filter(move |(recorded, _)| *recorded == token);
                    of.filter(|(_, answer)| *answer != Answer::Replayed).count()
                };
                (0..QUERIES).all(|token| answered(token) <= 1)
            }),
            Property::always("nothing is told without its record", |_, world: &World| {
                world.told.iter().all(|told| world.database.records.contains(told))
            }),
            // That what is looked for can be met at all.
            Property::sometimes("a locked number", |_, world: &World| {
                world.told.iter().any(|(_, answer)| *answer == Answer::Code(5))
            }),
            Property::sometimes("a replay", |_, world: &World| world.told.contains(&(0, Answer::Replayed))),
            Property::sometimes("recorded and never told", |_, world: &World| {
                world.crashed
                    && world.database.records.len() > world.told.len()
                    && world.nodes[0] == Node::default()
            }),
        ]
    }
}

#[test]
fn every_interleaving_keeps_the_rules() {
    let checker = Ledger(Check::Inside).checker().spawn_bfs().join();
    assert!(checker.unique_state_count() > 1_000, "{} are hardly any", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn with_the_check_outside_the_write_the_rules_break() {
    for rule in ["a strike is neither lost nor doubled", "the first two are told 3 and 4, all others 5"] {
        let checker = Ledger(Check::Outside).checker().spawn_bfs().join();
        checker.assert_any_discovery(rule);
    }
}
