//! A thousand actions of applicants and officers, drawn at random and interleaved over four tasks: no case is lost, no
//! step is taken that the diagram does not have, and what is held follows from what was decided.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::TimeDelta;
use idcheck_domain::{
    access::Ground,
    application::{Action, Application, ApplicationId, Approvers, Kind, State},
    officer::{OfficerId, Role},
    value::{Narrative, Reason, UnifiedBusinessNumber},
};
use idcheck_persistence::Store;
use idcheck_testing::{FixedClock, builders::ubn, database::TempDatabase};
use idcheck_usecases::{
    Content, Refusal,
    acts::{ActName, IssueChallenge, ProofRefusal, ProveChallenge},
    application::{ReviewApplication, ReviewCommand},
    organisation::{GovernAccess, RevocationRuling},
    plan::{JudgePlans, PlanRuling},
    ports::{Applications, Clock, ImprovementPlans, Officer, Organisations, Revocations, Versioned},
};
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;
use world::{Cards, apply, change_address, consenting, text};

const DIAGRAM: &str = include_str!("../../../docs/state-diagram.md");
const COMPANIES: usize = 8;
const ACTIONS: usize = 1000;
const TASKS: usize = 4;

/// Everybody with everything, on one store.
struct World {
    store: Arc<Store>,
    clock: FixedClock,
    issue: IssueChallenge,
    prove: ProveChallenge,
    review: ReviewApplication,
    govern: GovernAccess,
    judge: JudgePlans,
    filed: AtomicUsize,
    steps: AtomicUsize,
}

impl World {
    async fn new(database: &TempDatabase) -> Self {
        let store = Arc::new(database.store().await);
        let world::Ground { acts, office: casework } = world::ground(&store, &database.clock);
        Self {
            store,
            clock: database.clock.clone(),
            issue: IssueChallenge::new(acts.clone()),
            prove: ProveChallenge::new(acts),
            review: ReviewApplication::new(casework.clone(), Arc::new(Cards), Approvers::Two),
            govern: GovernAccess::new(casework.clone()),
            judge: JudgePlans::new(casework),
            filed: AtomicUsize::new(0),
            steps: AtomicUsize::new(0),
        }
    }

    /// The action that a number stands for: its digits choose company, kind of action, case and officer.
    async fn act(&self, drawn: u32) {
        let digit = |divisor: u32, of: usize| usize::try_from(drawn / divisor).unwrap() % of;
        let who = ubn(digit(1, COMPANIES));
        let cases = Applications::of_organisation(&*self.store, who).await.unwrap();
        let case = cases.get(digit(10, 3).min(cases.len().saturating_sub(1)));
        let officer = officer(digit(100, 4));
        match digit(1000, 20) {
            0..=1 => self.sign(who, ActName::Apply, apply()).await,
            2 => self.sign(who, ActName::ChangeAddress, change_address()).await,
            3 => self.sign(who, ActName::Suspend, consenting(&[("/reason", "系統停用")])).await,
            4 if digit(10, 3) == 0 => self.on_case(who, case, ActName::Withdraw).await,
            5..=6 => self.on_case(who, case, ActName::AnswerClarification).await,
            7 => {
                let plan = text(&[("/plan", "加強控管")]);
                self.sign(who, ActName::SubmitImprovementPlan, plan).await;
            }
            8..=10 => self.review(case, &officer, ReviewCommand::Claim).await,
            11 => self.review(case, &officer, ReviewCommand::Release).await,
            12 => {
                let question = Narrative::parse("請補充").unwrap();
                self.review(case, &officer, ReviewCommand::RequestClarification { question }).await;
            }
            13 if digit(10, 3) == 2 => {
                self.review(case, &officer, ReviewCommand::ReturnToReview { reason: None }).await;
            }
            14 => self.review(case, &officer, ReviewCommand::Approve { note: None }).await,
            15 if digit(10, 3) == 0 => {
                self.review(case, &officer, ReviewCommand::Reject { reason: reason() }).await;
            }
            4 | 13 | 15 => self.review(case, &officer, towards_approval(case)).await,
            16 => {
                let ground = [Ground::Abuse, Ground::Conduct, Ground::NotRegistered][digit(10, 3)];
                governed(&self.govern.ask(&officer, who, ground, &reason()).await);
            }
            17 => self.rule(&officer, digit(10, 3) == 0).await,
            18 => self.judge(&officer, digit(10, 3) == 0).await,
            _ => {
                if digit(10, 3) == 0 {
                    governed(&self.govern.suspend(&officer, who, &reason()).await);
                } else {
                    governed(&self.govern.lift(&officer, who, &reason()).await);
                }
                self.clock.set(self.clock.now() + TimeDelta::hours(9));
            }
        }
    }

    /// Signs an act with the company's card; what the rules refuse is refused, what fails is a failure of the test.
    async fn sign(&self, who: UnifiedBusinessNumber, act: ActName, content: Content) {
        let issued = self.issue.execute(act, who, content, None, [8, 8, 8, 8].into()).await.unwrap();
        match self.prove.execute(issued.id, b"cms", None).await {
            Ok(_) if matches!(act, ActName::Apply | ActName::ChangeAddress | ActName::Suspend) => {
                self.filed.fetch_add(1, Ordering::Relaxed);
                self.steps.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) if act == ActName::SubmitImprovementPlan => {}
            Ok(_) => {
                self.steps.fetch_add(1, Ordering::Relaxed);
            }
            Err(refusal) => assert!(!matches!(refusal, ProofRefusal::Store(_)), "{refusal:?}"),
        }
    }

    async fn on_case(&self, who: UnifiedBusinessNumber, case: Option<&Versioned<Application>>, act: ActName) {
        let Some(case) = case.map(|case| &case.value) else { return };
        let id = case.id.to_string();
        let content = match (act, case.clarifications.last()) {
            (ActName::Withdraw, _) => text(&[("/applicationId", &id)]),
            (_, Some(asked)) => {
                let clarification = asked.id.0.to_string();
                text(&[("/applicationId", &id), ("/clarificationId", &clarification), ("/answer", "如附件")])
            }
            (_, None) => return,
        };
        self.sign(who, act, content).await;
    }

    async fn review(&self, case: Option<&Versioned<Application>>, by: &Officer, command: ReviewCommand) {
        let Some(case) = case else { return };
        match self.review.execute(by, case.value.id, Some(case.version), &command).await {
            Ok(_) => {
                self.steps.fetch_add(1, Ordering::Relaxed);
            }
            Err(refusal) => assert!(!matches!(refusal, Refusal::Store(_)), "{refusal:?}"),
        }
    }

    async fn rule(&self, by: &Officer, decline: bool) {
        let Some(asked) = Revocations::waiting(&*self.store).await.unwrap().into_iter().next() else {
            return;
        };
        let ruling =
            if decline { RevocationRuling::Decline { note: reason() } } else { RevocationRuling::Confirm };
        let same = by.id == asked.value.asked_by;
        let ruled = self.govern.rule(by, asked.value.id, asked.version, &ruling).await;
        assert!(decline || !same || ruled.is_err(), "who asked confirmed");
        governed(&ruled);
    }

    async fn judge(&self, by: &Officer, reject: bool) {
        let Some(filed) = ImprovementPlans::waiting(&*self.store).await.unwrap().into_iter().next() else {
            return;
        };
        let ruling =
            if reject { PlanRuling::Reject { reason: reason() } } else { PlanRuling::Approve { note: None } };
        governed(&self.judge.rule(by, filed.value.id, filed.version, &ruling).await);
    }
}

/// The step that leads on: to propose, and of what is proposed to approve.
fn towards_approval(case: Option<&Versioned<Application>>) -> ReviewCommand {
    if case.is_some_and(|case| case.value.state.proposal().is_some()) {
        ReviewCommand::Approve { note: None }
    } else {
        ReviewCommand::ProposeApproval { note: None }
    }
}

fn governed<T: std::fmt::Debug>(outcome: &Result<T, Refusal>) {
    assert!(!matches!(outcome, Err(Refusal::Store(_))), "{outcome:?}");
}

/// Two reviewers, two supervisors.
fn officer(number: usize) -> Officer {
    let role = if number < 2 { Role::Reviewer } else { Role::Supervisor };
    let id = OfficerId(Uuid::from_u128(900 + number as u128));
    Officer { id, username: format!("officer{number}"), role }
}

fn reason() -> Reason {
    Reason::parse("未敘明規定").unwrap()
}

/// `Received --> UnderReview: claim` of the page, in the words of the store.
fn diagram() -> BTreeSet<(Option<String>, String, String)> {
    let block = DIAGRAM.split_once("```mermaid\n").unwrap().1.split_once("```").unwrap().0;
    let lower = |name: &str| {
        let mut letters = name.chars();
        letters.next().unwrap().to_lowercase().chain(letters).collect::<String>()
    };
    let edges =
        block.lines().filter_map(|line| line.trim().split_once(" --> ")).filter(|(_, to)| *to != "[*]");
    edges
        .map(|(from, right)| {
            let (to, action) = right.split_once(": ").unwrap();
            ((from != "[*]").then(|| lower(from)), action.to_owned(), lower(to))
        })
        .collect()
}

/// What must be true whatever was done in which order.
async fn check(world: &World) -> BTreeMap<&'static str, usize> {
    let diagram = diagram();
    let (mut cases, mut steps) = (0, 0);
    let mut states = BTreeMap::new();
    for who in (0..COMPANIES).map(ubn) {
        let read = Applications::of_organisation(&*world.store, who).await.unwrap();
        cases += read.len();
        for kind in Kind::ALL {
            let open = read.iter().filter(|case| case.value.kind() == kind && case.value.is_open());
            assert!(open.count() <= 1, "two cases of a kind are open");
        }
        for case in &read {
            steps += along_the_diagram(world, case, &diagram).await;
            *states.entry(case.value.state.name().as_str()).or_default() += 1;
        }
        let Some(held) = Organisations::find(&*world.store, who).await.unwrap() else { continue };
        if held.value.access.is_active() {
            let granted = |c: &&Versioned<Application>| {
                c.value.kind() == Kind::Apply && matches!(c.value.state, State::Approved(_))
            };
            assert!(read.iter().any(|case| granted(&case)), "access without an approved application");
        } else {
            let needs_access =
                |c: &Versioned<Application>| c.value.kind() != Kind::Apply && c.value.is_open();
            assert!(!read.iter().any(needs_access), "a case is open that its organisation can't have");
        }
    }
    assert_eq!(
        cases,
        world.filed.load(Ordering::Relaxed),
        "a case is lost, or there is one that nobody filed"
    );
    let settled = steps - world.steps.load(Ordering::Relaxed);
    assert!(settled <= cases, "more steps than were taken: {settled}");
    states
}

/// The history leads from the first state to the one the case is in, by edges of the diagram only, a version each.
async fn along_the_diagram(
    world: &World,
    case: &Versioned<Application>,
    diagram: &BTreeSet<(Option<String>, String, String)>,
) -> usize {
    let id: ApplicationId = case.value.id;
    let history = world.store.history(id).await.unwrap();
    assert_eq!(i64::try_from(history.len()).unwrap(), case.version, "a step is lost");
    let mut at = None;
    let mut proposed = None;
    for step in history.iter().map(|line| &line.step) {
        let from = step.from.map(|state| state.as_str().to_owned());
        assert_eq!(from, at, "the history has a gap");
        let to = step.to.as_str().to_owned();
        let edge = (from, step.action.as_str().to_owned(), to.clone());
        assert!(diagram.contains(&edge), "{edge:?} is not in the diagram");
        match step.action {
            Action::ProposeApproval => proposed = Some(step.by),
            Action::ReturnToReview => proposed = None,
            Action::Approve if case.value.kind() == Kind::Apply => {
                assert!(proposed.is_some_and(|by| by != step.by), "one officer approved alone");
            }
            _ => {}
        }
        at = Some(to);
    }
    assert_eq!(at.as_deref(), Some(case.value.state.name().as_str()));
    history.len()
}

async fn live(database: TempDatabase, drawn: Vec<u32>) -> BTreeMap<&'static str, usize> {
    let world = Arc::new(World::new(&database).await);
    let drawn = Arc::new(drawn);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let (world, drawn) = (Arc::clone(&world), Arc::clone(&drawn));
        tasks.spawn(async move {
            for number in drawn.iter().skip(task).step_by(TASKS) {
                world.act(*number).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let states = check(&world).await;
    assert_eq!(world.store.verify_chain(1).await.unwrap().first_bad, None);
    database.close().await;
    states
}

/// The actions of a seed (SplitMix64).
fn drawn(seed: u64) -> Vec<u32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((z ^ (z >> 31)) % 20_000).unwrap()
    };
    std::iter::repeat_with(next).take(ACTIONS).collect()
}

/// Lives `cases` seeds through.
fn lives(cases: u32, database: impl AsyncFn() -> TempDatabase) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases, max_shrink_iters: 0, source_file: Some(file!()), ..Config::default() };
    let outcome = TestRunner::new(config).run(&proptest::num::u64::ANY, |seed| {
        let states = runtime.block_on(async { live(database().await, drawn(seed)).await });
        // A life in which nothing happens proves nothing.
        assert!(states.values().sum::<usize>() > 10 && states.contains_key("approved"), "{states:?}");
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_thousand_interleaved_actions_on_sqlite() {
    lives(2, TempDatabase::sqlite);
}

#[test]
fn a_thousand_interleaved_actions_on_postgres() {
    lives(1, TempDatabase::postgres);
}
