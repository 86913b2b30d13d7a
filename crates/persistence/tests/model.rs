//! A model of the ledger's append, on two nodes that share a database: every interleaving of a few queries about two ID
//! numbers, a token that is sent again, a revocation, connections and nodes and a database that die at any moment. Each rule
//! that makes it exact is taken away in turn, and then it is not: so the model can fail.
//!
//! What is modelled is the order of steps in `ledger/writer.rs`: take what waits, decide it on the state in memory, append
//! it where the chain still ends there; where it does not, or no word comes back, lock the chain's end, look for the
//! receipt, follow, decide again. What is decided is the domain's own [`lockout::answer`].

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use idcheck_domain::{
    lockout::{self, Strikes},
    verification::{Comparison, VerificationResult},
};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// The ID number that each query is about, by its token; all of them are wrong.
const QUERIES: [usize; 3] = [0, 0, 1];
/// Wrong answers about the two numbers before the first query.
const BEFORE: [u8; 2] = [2, 0];
/// Wrong answers that the organisation may get on a day.
const BUDGET: u8 = 2;
const NODES: usize = 2;
/// Connections, nodes and databases that die.
const FAULTS: u8 = 2;

type Token = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Answer {
    /// `checkIdCardApply`.
    Code(u8),
    Replayed,
    BudgetExceeded,
    AccessEnded,
}

/// What an entry of the chain tells of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Entry {
    /// The organisation's access ended.
    Revoked,
    /// A batch; the number is its hash, which no other has.
    Batch(u8, Vec<(Token, Answer)>),
}

/// What the chain implies at its `length`th entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    length: usize,
    strikes: [u8; 2],
    wrong: u8,
    used: BTreeSet<Token>,
    revoked: bool,
}

impl State {
    fn first() -> Self {
        Self { length: 0, strikes: BEFORE, wrong: 0, used: BTreeSet::new(), revoked: false }
    }

    fn of(chain: &[Entry]) -> Self {
        let mut state = Self::first();
        state.follow(chain);
        state
    }

    /// Goes on to the end of a chain.
    fn follow(&mut self, chain: &[Entry]) {
        for entry in &chain[self.length.min(chain.len())..] {
            match entry {
                Entry::Revoked => self.revoked = true,
                Entry::Batch(_, records) => {
                    for (token, _) in records {
                        self.answer(*token);
                    }
                }
            }
        }
        self.length = chain.len();
    }

    /// Answers a query, and is the state after it.
    fn answer(&mut self, token: Token) -> Answer {
        if self.revoked {
            return Answer::AccessEnded;
        }
        if self.wrong >= BUDGET {
            return Answer::BudgetExceeded;
        }
        if !self.used.insert(token) {
            return Answer::Replayed;
        }
        let strikes = &mut self.strikes[QUERIES[token]];
        let (result, after) = lockout::answer(Strikes::from_count(*strikes), || Comparison::Different);
        self.wrong += after.count() - *strikes;
        *strikes = after.count();
        Answer::Code(result.code())
    }

    fn decide(&self, batch: &[Token]) -> Vec<(Token, Answer)> {
        let mut after = self.clone();
        batch.iter().map(|token| (*token, after.answer(*token))).collect()
    }
}

/// Where a node is with its batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Idle,
    /// An append is on its way, and its end is waited for.
    Sent(u8),
    /// The chain had gone on, or no word came: the end has to be locked.
    Behind,
    /// The end is locked, and the batch decided again.
    Locked(Vec<(Token, Answer)>),
    /// Durable, as far as the node was told; not answered yet.
    Recorded(Vec<(Token, Answer)>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Node {
    queue: Vec<Token>,
    batch: Vec<Token>,
    phase: Phase,
    /// The batch's appends of which no word came.
    receipts: Vec<u8>,
    /// The state in memory.
    state: Option<State>,
}

/// An append that may reach the database, whatever became of the node that sent it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Append {
    hash: u8,
    after: usize,
    records: Vec<(Token, Answer)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct World {
    chain: Vec<Entry>,
    /// Entries that outlive the database's crash.
    flushed: usize,
    /// Who holds the chain's end.
    lock: Option<usize>,
    on_the_way: Vec<Append>,
    nodes: [Node; NODES],
    hashes: u8,
    next: Token,
    resent: bool,
    faults: u8,
    told: Vec<(Token, Answer)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// The next query arrives at a node.
    Arrive(usize),
    /// The first token arrives once more.
    Resend(usize),
    /// A node decides what waits, and sends it.
    Send(usize),
    /// An append reaches the database.
    Append(usize),
    /// A node learns that its append was not the next, locks the end, and decides again.
    Lock(usize),
    /// What it holds is committed.
    Commit(usize),
    Reply(usize),
    /// The access ends.
    Revoke,
    /// What was appended is on the disk; only where answers do not wait for that.
    Flush,
    /// No word comes back to a node.
    Lose(usize),
    /// A node dies; what it sent is on its way.
    Die(usize),
    /// The database dies; what is on its way goes with it.
    Crash,
}

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutant {
    Nothing,
    /// The chain's end is not compared.
    Compare,
    /// The receipt is looked for without the lock.
    LockedReceipt,
    /// A batch of which no word came is appended again without looking for it.
    Receipt,
    /// An answer does not wait for the disk.
    Flush,
    /// A state that follows the chain takes over counts, and not who may ask.
    Callers,
}

struct Ledger(Mutant);

impl Ledger {
    fn may(&self, world: &World, step: Step) -> bool {
        let faults = world.faults < FAULTS;
        match step {
            Step::Arrive(_) => world.next < QUERIES.len(),
            Step::Resend(_) => !world.resent && world.next > 0,
            Step::Send(node) => {
                let node = &world.nodes[node];
                node.phase == Phase::Idle && !node.queue.is_empty()
            }
            Step::Append(number) => number < world.on_the_way.len() && world.lock.is_none(),
            Step::Lock(node) => {
                let free = world.lock.is_none()
                    || self.0 == Mutant::LockedReceipt && !world.nodes[node].receipts.is_empty();
                free && world.nodes[node].phase == Phase::Behind
            }
            Step::Commit(node) => world.lock == Some(node),
            Step::Reply(node) => matches!(world.nodes[node].phase, Phase::Recorded(_)),
            Step::Revoke => world.lock.is_none() && !world.chain.contains(&Entry::Revoked),
            Step::Flush => self.0 == Mutant::Flush && world.flushed < world.chain.len(),
            Step::Lose(node) => faults && matches!(world.nodes[node].phase, Phase::Sent(_)),
            Step::Die(node) => faults && world.nodes[node] != Node::default(),
            Step::Crash => faults,
        }
    }

    fn push(&self, world: &mut World, entry: Entry) {
        world.chain.push(entry);
        if self.0 != Mutant::Flush {
            world.flushed = world.chain.len();
        }
    }

    fn send(world: &mut World, node: usize, records: Vec<(Token, Answer)>) {
        world.hashes += 1;
        let hash = world.hashes;
        let after = world.nodes[node].state.as_ref().map_or(0, |state| state.length);
        world.on_the_way.push(Append { hash, after, records });
        world.nodes[node].phase = Phase::Sent(hash);
    }

    /// An append reaches the database; whoever waits for it is told.
    fn append(&self, world: &mut World, number: usize) {
        let Append { hash, after, records } = world.on_the_way.remove(number);
        let next = self.0 == Mutant::Compare || after == world.chain.len();
        if next {
            self.push(world, Entry::Batch(hash, records.clone()));
        }
        let chain = world.chain.clone();
        let Some(node) = world.nodes.iter_mut().find(|node| node.phase == Phase::Sent(hash)) else { return };
        if !next {
            node.phase = Phase::Behind;
            return;
        }
        if let Some(state) = &mut node.state {
            for (token, _) in &records {
                state.answer(*token);
            }
            state.length = chain.len();
        }
        node.phase = Phase::Recorded(records);
    }

    fn lock(&self, world: &mut World, number: usize) {
        let chain = world.chain.clone();
        let node = &mut world.nodes[number];
        let recorded = chain.iter().find_map(|entry| match entry {
            Entry::Batch(hash, records) if node.receipts.contains(hash) => Some(records.clone()),
            _ => None,
        });
        if let Some(records) = recorded.filter(|_| self.0 != Mutant::Receipt) {
            node.phase = Phase::Recorded(records);
            return;
        }
        match &mut node.state {
            Some(state) if self.0 == Mutant::Callers => {
                let revoked = state.revoked;
                state.follow(&chain);
                state.revoked = revoked;
            }
            state => *state = Some(State::of(&chain)),
        }
        let records = node.state.as_ref().unwrap().decide(&node.batch);
        if self.0 == Mutant::LockedReceipt && !node.receipts.is_empty() {
            node.receipts.clear();
            Self::send(world, number, records);
            return;
        }
        node.phase = Phase::Locked(records);
        world.lock = Some(number);
    }
}

impl Model for Ledger {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let of = [
            Step::Arrive,
            Step::Resend,
            Step::Send,
            Step::Lock,
            Step::Commit,
            Step::Reply,
            Step::Lose,
            Step::Die,
        ];
        let all = (0..NODES).flat_map(|node| of.map(|step| step(node)));
        let all = all.chain((0..world.on_the_way.len()).map(Step::Append));
        steps.extend(
            all.chain([Step::Revoke, Step::Flush, Step::Crash]).filter(|step| self.may(world, *step)),
        );
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut world = world.clone();
        match step {
            Step::Arrive(node) => {
                world.nodes[node].queue.push(world.next);
                world.next += 1;
            }
            Step::Resend(node) => {
                world.nodes[node].queue.push(0);
                world.resent = true;
            }
            Step::Send(number) => {
                let node = &mut world.nodes[number];
                node.batch = std::mem::take(&mut node.queue);
                match &node.state {
                    None => node.phase = Phase::Behind,
                    Some(state) => {
                        let records = state.decide(&node.batch);
                        Self::send(&mut world, number, records);
                    }
                }
            }
            Step::Append(number) => self.append(&mut world, number),
            Step::Lock(node) => self.lock(&mut world, node),
            Step::Commit(number) => {
                let Phase::Locked(records) = std::mem::take(&mut world.nodes[number].phase) else {
                    return None;
                };
                world.hashes += 1;
                let entry = Entry::Batch(world.hashes, records.clone());
                self.push(&mut world, entry);
                let node = &mut world.nodes[number];
                if let Some(state) = &mut node.state {
                    for (token, _) in &records {
                        state.answer(*token);
                    }
                    state.length = world.chain.len();
                }
                node.phase = Phase::Recorded(records);
                world.lock = None;
            }
            Step::Reply(node) => {
                let node = &mut world.nodes[node];
                let Phase::Recorded(records) = std::mem::take(&mut node.phase) else { return None };
                (node.batch, node.receipts) = Default::default();
                world.told.extend(records);
                world.told.sort_unstable();
            }
            Step::Revoke => self.push(&mut world, Entry::Revoked),
            Step::Flush => world.flushed = world.chain.len(),
            Step::Lose(node) => {
                let node = &mut world.nodes[node];
                let Phase::Sent(hash) = std::mem::replace(&mut node.phase, Phase::Behind) else {
                    return None;
                };
                node.receipts.push(hash);
                world.faults += 1;
            }
            Step::Die(node) => {
                world.nodes[node] = Node::default();
                world.lock = world.lock.filter(|holder| *holder != node);
                world.faults += 1;
            }
            Step::Crash => {
                world.chain.truncate(world.flushed);
                world.on_the_way.clear();
                world.lock = None;
                for node in &mut world.nodes {
                    match std::mem::take(&mut node.phase) {
                        Phase::Sent(hash) => {
                            node.receipts.push(hash);
                            node.phase = Phase::Behind;
                        }
                        Phase::Locked(_) => node.phase = Phase::Behind,
                        phase => node.phase = phase,
                    }
                }
                world.faults += 1;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_AFTER_ANOTHER, |_, world: &World| {
                let mut state = State::first();
                world.chain.iter().all(|entry| match entry {
                    Entry::Revoked => {
                        state.revoked = true;
                        true
                    }
                    Entry::Batch(_, records) => {
                        records.iter().all(|(token, answer)| state.answer(*token) == *answer)
                    }
                })
            }),
            Property::always(RECORDED, |_, world: &World| {
                let mut recorded: Vec<_> = world
                    .chain
                    .iter()
                    .filter_map(|entry| match entry {
                        Entry::Batch(_, records) => Some(records),
                        Entry::Revoked => None,
                    })
                    .flatten()
                    .collect();
                world.told.iter().all(|told| {
                    let place = recorded.iter().position(|record| *record == told);
                    place.map(|place| recorded.swap_remove(place)).is_some()
                })
            }),
            Property::always(SENT_TWICE, |_, world: &World| {
                let replayed = |token| world.told.contains(&(token, Answer::Replayed));
                (0..QUERIES.len()).all(|token| !replayed(token) || token == 0 && world.resent)
            }),
            // That what is looked for can be met at all.
            Property::sometimes("a locked number", |_, world: &World| {
                world.told.contains(&(1, Answer::Code(5)))
            }),
            Property::sometimes("a replay", |_, world: &World| world.told.contains(&(0, Answer::Replayed))),
            Property::sometimes("the budget", |_, world: &World| {
                world.told.iter().any(|(_, answer)| *answer == Answer::BudgetExceeded)
            }),
            Property::sometimes("a revocation", |_, world: &World| {
                world.told.iter().any(|(_, answer)| *answer == Answer::AccessEnded)
            }),
            Property::sometimes("a receipt that was found", |_, world: &World| {
                world.nodes.iter().any(|node| {
                    let found = |entry: &Entry| matches!(entry, Entry::Batch(hash, _) if node.receipts.contains(hash));
                    matches!(node.phase, Phase::Recorded(_)) && world.chain.iter().any(found)
                })
            }),
            Property::sometimes("all is told in spite of everything", |_, world: &World| {
                world.faults == FAULTS && world.told.len() == QUERIES.len() + 1
            }),
        ]
    }
}

const ONE_AFTER_ANOTHER: &str = "the records are what one query after the other would leave";
const RECORDED: &str = "nothing is told without its record, or twice";
const SENT_TWICE: &str = "only a token that was sent twice is told that it was";

#[test]
fn every_interleaving_keeps_the_rules() {
    let checker = Ledger(Mutant::Nothing).checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    assert!(checker.unique_state_count() > 100_000, "{} are hardly any", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn without_any_of_the_rules_it_is_not_exact() {
    for (mutant, broken) in [
        (Mutant::Compare, ONE_AFTER_ANOTHER),
        (Mutant::LockedReceipt, SENT_TWICE),
        (Mutant::Receipt, SENT_TWICE),
        (Mutant::Flush, RECORDED),
        (Mutant::Callers, ONE_AFTER_ANOTHER),
    ] {
        let found = HasDiscoveries::AnyOf(BTreeSet::from([broken]));
        let checker = Ledger(mutant).checker().threads(2).finish_when(found).spawn_bfs().join();
        assert!(checker.discovery(broken).is_some(), "{mutant:?} breaks nothing");
    }
}

/// Every wrong answer that is recorded costs a strike, and no other does.
#[test]
fn the_answers_are_the_rules_own() {
    let mut state = State::first();
    let codes: Vec<_> = [0, 1, 2].into_iter().map(|token| state.answer(token)).collect();
    assert_eq!(codes, [Answer::Code(4), Answer::Code(5), Answer::Code(2)]);
    let strike = |code| VerificationResult::from_code(code).unwrap().is_strike();
    assert_eq!([4, 5, 2].map(strike), [true, false, true]);
    assert_eq!(state.wrong, BUDGET);
}
