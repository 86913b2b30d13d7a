//! The contract of improvement plans, written through [`Changes`].

use idcheck_domain::{
    officer::OfficerId,
    plan::{ImprovementPlan, PlanId},
    value::{Narrative, Reason},
};
use idcheck_usecases::ports::{Change, Changes, Clock, CommitError, ImprovementPlans, Write};
use uuid::Uuid;

use crate::{
    FixedClock,
    builders::{audit, ubn},
};

const ONE: OfficerId = OfficerId(Uuid::from_u128(51));
const OTHER: OfficerId = OfficerId(Uuid::from_u128(52));

fn change() -> Change {
    Change { audit: audit(), ..Change::default() }
}

fn filed(id: u128) -> ImprovementPlan {
    let plan = Narrative::parse("加強控管").unwrap();
    ImprovementPlan::file(PlanId(Uuid::from_u128(id)), ubn(800), plan, FixedClock::default().now())
}

/// The same for improvement plans.
pub async fn plans<S: Changes + ImprovementPlans>(store: &S) {
    let at = FixedClock::default().now();
    let file = |plan| Change { plan: Some(Write::Insert(plan)), ..change() };
    store.commit(file(filed(1))).await.unwrap();
    assert_eq!(store.commit(file(filed(2))).await, Err(CommitError::OpenCase));
    assert_eq!(store.waiting().await.unwrap().len(), 1);
    let rejected = filed(1).reject(ONE, Reason::parse("未敘明期程").unwrap(), at).unwrap();
    let update = Change { plan: Some(Write::Update { value: rejected.clone(), expected: 1 }), ..change() };
    store.commit(update.clone()).await.unwrap();
    assert_eq!(store.commit(update).await, Err(CommitError::Conflict));
    assert_eq!(store.find(rejected.id).await.unwrap().unwrap().value, rejected);
    store.commit(file(filed(2))).await.unwrap();
    let approved = filed(2).approve(OTHER, None, at).unwrap();
    let update = Change { plan: Some(Write::Update { value: approved.clone(), expected: 1 }), ..change() };
    store.commit(update).await.unwrap();
    let all = store.of_organisation(ubn(800)).await.unwrap();
    assert_eq!(all.into_iter().map(|plan| plan.value).collect::<Vec<_>>(), [approved, rejected]);
}
