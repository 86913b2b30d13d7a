//! The queue: pages of cases in a fixed order, each read from where the one before ended.
//!
//! An open case has a deadline and an ended one has none, so the queue is two stretches of one index: the open ones
//! ascending, then the ended ones descending, newest first.

use std::collections::{BTreeSet, HashMap};

use idcheck_domain::{
    application::StateName,
    company::folded,
    officer::OfficerId,
    taipei,
    value::{CaseNumber, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{
    ApplicationFilter, Assigned, CaseSummary, Page, QueuePlace, StoreError, Versioned,
};
use sea_orm::{
    ColumnTrait, Condition, DbBackend, EntityTrait, IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, Func},
};

use crate::{
    application::entity::application,
    kernel::{
        cell::micros,
        store::{Store, unavailable},
    },
    officer::entity::officer,
    organisation::entity::organisation,
};

/// Organisations whose cases are looked up one organisation after the other. Where more have the text in their names, it
/// is so common that walking through the cases finds a page of it soon.
const FEW: usize = 500;

/// A stretch of the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Open,
    Ended,
}

/// What a text asks for.
enum Asked {
    Nothing,
    /// A case by its number.
    Case(CaseNumber),
    /// Cases by how their number begins.
    Beginning(String),
    /// Cases of these organisations.
    Few(BTreeSet<String>),
    /// Cases with the text in the name typed in their form.
    Name(String),
}

/// Whether the folded text stands in the folded name; in the name itself where a program of the version before wrote it. Not LIKE, whose
/// wildcards could be typed.
fn holds(backend: DbBackend, names: [Expr; 2], text: &str) -> Expr {
    let function = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
    let arguments: [Expr; 2] = [Func::coalesce(names).into(), Expr::val(text)];
    Expr::expr(Func::cust(Alias::new(function)).args(arguments)).gt(0)
}

fn typed_names() -> [Expr; 2] {
    [application::Column::Folded, application::Column::CompanyName].map(IntoSimpleExpr::into_simple_expr)
}

/// Behind every number that begins with what stands before it.
const LAST: char = '~';

/// The beginning of a case number: its day, the hyphen, and some of its letters.
fn beginning(text: &str) -> Option<&str> {
    let (day, tail) = text.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let begins = day.len() == 7 && number(day) && tail.bytes().all(|b| b.is_ascii_alphanumeric());
    begins.then_some(text)
}

/// A condition on a column that no index is to be chosen for: the rows are found by another column.
fn aside(column: application::Column, is: &str) -> Expr {
    let or_nothing = Func::coalesce([column.into_simple_expr(), Expr::val("")]);
    Expr::expr(or_nothing).eq(is)
}

/// The stretches that a filter leaves, in their order.
fn stretches(filter: &ApplicationFilter) -> Vec<Stretch> {
    let ended_too = filter.text.is_some() && filter.assigned.is_none() && filter.overdue_at.is_none();
    let both = match filter.state {
        Some(state) if state.is_open() => vec![Stretch::Open],
        Some(_) if filter.assigned.is_some() || filter.overdue_at.is_some() => Vec::new(),
        Some(_) => vec![Stretch::Ended],
        None if ended_too => vec![Stretch::Open, Stretch::Ended],
        None => vec![Stretch::Open],
    };
    let passed = filter.after.as_ref().is_some_and(|place| place.due.is_none());
    both.into_iter().filter(|stretch| !passed || *stretch == Stretch::Ended).collect()
}

fn narrowed(filter: &ApplicationFilter) -> Condition {
    let assigned = filter.assigned.map(|assigned| match assigned {
        Assigned::To(officer) => application::Column::Assignee.eq(officer.0),
        Assigned::Nobody => application::Column::Assignee.is_null(),
    });
    Condition::all()
        .add_option(filter.kind.map(|kind| application::Column::Kind.eq(kind.as_str())))
        .add_option(assigned)
        .add_option(
            filter.overdue_at.map(|now| application::Column::DueDate.lt(taipei::day(now).to_string())),
        )
}

fn tuple<const N: usize>(columns: [application::Column; N]) -> Expr {
    Expr::tuple(columns.map(IntoSimpleExpr::into_simple_expr))
}

/// The cases of a stretch after a place.
fn behind(stretch: Stretch, place: &QueuePlace) -> Option<Expr> {
    use application::Column::{DueDate, Id, ReceivedAt};
    let received = Expr::val(micros(place.received_at));
    let id = Expr::val(place.id.0);
    match (stretch, place.due) {
        (Stretch::Open, Some(due)) => {
            let due = Expr::val(due.to_string());
            Some(tuple([DueDate, ReceivedAt, Id]).gt(Expr::tuple([due, received, id])))
        }
        (Stretch::Ended, None) => Some(tuple([ReceivedAt, Id]).lt(Expr::tuple([received, id]))),
        (Stretch::Open, None) | (Stretch::Ended, Some(_)) => None,
    }
}

/// The conditions on state and text in a stretch; `None` where there can be no case.
fn within(
    backend: DbBackend,
    stretch: Stretch,
    state: Option<StateName>,
    asked: &Asked,
) -> Option<Condition> {
    use application::Column::{CaseNumber, DueDate, State, Ubn};
    let plain = match stretch {
        Stretch::Open => DueDate.is_not_null(),
        Stretch::Ended => DueDate.is_null(),
    };
    let plain = Condition::all().add(plain).add_option(state.map(|state| State.eq(state.as_str())));
    Some(match (asked, stretch) {
        (Asked::Nothing, _) => plain,
        (Asked::Name(text), _) => plain.add(holds(backend, typed_names(), text)),
        (Asked::Beginning(text), _) => {
            plain.add(CaseNumber.gte(text)).add(CaseNumber.lt(format!("{text}{LAST}")))
        }
        (Asked::Case(number), _) => plain.add(CaseNumber.eq(number.as_str())),
        (Asked::Few(ubns), _) if ubns.is_empty() => return None,
        (Asked::Few(ubns), Stretch::Open) => plain.add(Ubn.is_in(ubns)),
        (Asked::Few(ubns), Stretch::Ended) => Condition::all()
            .add(Ubn.is_in(ubns))
            .add(aside(DueDate, ""))
            .add_option(state.map(|state| aside(State, state.as_str()))),
    })
}

impl Store {
    async fn asked(&self, text: Option<&str>) -> Result<Asked, StoreError> {
        let Some(text) = text else { return Ok(Asked::Nothing) };
        let text = folded(text);
        if text.is_empty() {
            return Ok(Asked::Nothing);
        }
        let number = text.to_uppercase();
        if let Some(number) = CaseNumber::parse(&number) {
            return Ok(Asked::Case(number));
        }
        if let Some(beginning) = beginning(&number) {
            return Ok(Asked::Beginning(beginning.to_owned()));
        }
        if let Ok(ubn) = UnifiedBusinessNumber::parse(&text) {
            return Ok(Asked::Few([ubn.to_string()].into()));
        }
        let backend = self.reader.get_database_backend();
        let limit = u64::try_from(FEW + 1).unwrap_or(u64::MAX);
        let names = [organisation::Column::Folded, organisation::Column::Name];
        let names = names.map(IntoSimpleExpr::into_simple_expr);
        let digits = text.len() >= 3 && text.bytes().all(|b| b.is_ascii_digit());
        let named = organisation::Entity::find()
            .select_only()
            .column(organisation::Column::Ubn)
            .filter(
                Condition::any()
                    .add(holds(backend, names, &text))
                    // Of a number its beginning does.
                    .add_option(digits.then(|| organisation::Column::Ubn.starts_with(text.as_str()))),
            )
            .limit(limit);
        let typed = application::Entity::find()
            .select_only()
            .distinct()
            .column(application::Column::Ubn)
            .filter(application::Column::DueDate.is_not_null())
            .filter(holds(backend, typed_names(), &text))
            .limit(limit);
        let mut ubns: BTreeSet<String> =
            named.into_tuple().all(&self.reader).await.map_err(unavailable)?.into_iter().collect();
        ubns.extend(typed.into_tuple::<String>().all(&self.reader).await.map_err(unavailable)?);
        Ok(if ubns.len() > FEW { Asked::Name(text) } else { Asked::Few(ubns) })
    }

    pub(crate) async fn page_of_queue(
        &self,
        filter: &ApplicationFilter,
    ) -> Result<Page<CaseSummary>, StoreError> {
        use application::Column::{DueDate, Id, ReceivedAt};
        let limit = usize::from(filter.limit.clamp(1, 100));
        let asked = self.asked(filter.text.as_deref()).await?;
        let backend = self.reader.get_database_backend();
        let mut cases = Vec::new();
        for stretch in stretches(filter) {
            let wanted = limit + 1 - cases.len();
            let Some(within) = within(backend, stretch, filter.state, &asked) else { continue };
            let place = filter.after.as_ref().and_then(|place| behind(stretch, place));
            let query = application::Entity::find()
                .filter(within)
                .filter(narrowed(filter).add_option(place))
                .limit(u64::try_from(wanted).unwrap_or(u64::MAX));
            let query = match stretch {
                Stretch::Open => query.order_by_asc(DueDate).order_by_asc(ReceivedAt).order_by_asc(Id),
                Stretch::Ended => query.order_by_desc(DueDate).order_by_desc(ReceivedAt).order_by_desc(Id),
            };
            cases.extend(self.cases(query).await?);
            if cases.len() > limit {
                break;
            }
        }
        let more = cases.len() > limit;
        cases.truncate(limit);
        let next = cases.last().filter(|_| more).map(|case| QueuePlace::of(&case.value));
        let names = self.officer_names().await?;
        Ok(Page { items: cases.into_iter().map(|case| summary(case, &names)).collect(), next })
    }

    pub(crate) async fn officer_names(&self) -> Result<HashMap<OfficerId, String>, StoreError> {
        let officers = officer::Entity::find().all(&self.reader).await.map_err(unavailable)?;
        Ok(officers.into_iter().map(|row| (OfficerId(row.id), row.username)).collect())
    }
}

fn summary(
    case: Versioned<idcheck_domain::application::Application>,
    names: &HashMap<OfficerId, String>,
) -> CaseSummary {
    CaseSummary {
        assignee_name: case.value.state.assignee().and_then(|id| names.get(&id).cloned()),
        application: case.value,
        version: case.version,
    }
}
