//! The household register in memory: what a node looks cards up in while the register in force is the one that it read.
//!
//! Every change of the register changes its mark, which stands beside the chain's end: a batch is appended only if the
//! register still is the one that it was decided by. A node without a copy of the register in force looks cards up in the
//! database.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{Days, NaiveDate};
use idcheck_domain::{
    value::{ApplyCode, IssueSite, RocDate},
    verification::{CardData, CardStatus},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use tokio::sync::watch;

use crate::{
    kernel::cell::status_of,
    ledger::batch::{Failed, PersonHash},
};

/// Bytes that a card takes in memory.
const CELL: usize = size_of::<Cell>();
/// Bytes of a person's hash that tell a person from all others.
const KEY: usize = 12;
/// Rows that are read in one go, and the pause after them: queries go before.
const PAGE: usize = 2_000;
const PAUSE: Duration = Duration::from_millis(2);
/// Between two looks at the mark.
const LOOK: Duration = Duration::from_secs(1);

/// A card, whose it is and what it says, in sixteen bytes.
#[derive(Clone, Copy)]
struct Cell {
    person: [u8; KEY],
    card: u32,
}

/// The register as it was under a mark.
pub(crate) struct RegisterCopy {
    pub(crate) mark: i64,
    /// In the order of the persons.
    cells: Vec<Cell>,
}

/// Cards by person: those of a copy, or those that were looked up for one batch.
#[derive(Clone)]
pub(crate) enum Cards {
    Held(Arc<RegisterCopy>),
    Found(HashMap<PersonHash, (CardData, CardStatus)>),
}

impl Default for Cards {
    fn default() -> Self {
        Self::Found(HashMap::new())
    }
}

impl Cards {
    pub(crate) fn get(&self, person: &PersonHash) -> Option<(CardData, CardStatus)> {
        match self {
            Self::Held(copy) => copy.get(person),
            Self::Found(cards) => cards.get(person).copied(),
        }
    }

    /// Whether these are the cards of the register under this mark, whatever becomes of it.
    pub(crate) fn are_of(&self, mark: i64) -> bool {
        matches!(self, Self::Held(copy) if copy.mark == mark)
    }
}

impl RegisterCopy {
    fn get(&self, person: &PersonHash) -> Option<(CardData, CardStatus)> {
        let key = key(person);
        let found = self.cells.binary_search_by(|cell| cell.person.cmp(&key)).ok()?;
        self.cells.get(found).and_then(|cell| unpack(cell.card))
    }
}

fn key(person: &PersonHash) -> [u8; KEY] {
    let mut key = [0; KEY];
    key.copy_from_slice(&person[..KEY]);
    key
}

/// The first day of the ROC calendar.
const FIRST: NaiveDate = NaiveDate::from_ymd_opt(1912, 1, 1).unwrap();
const STATUSES: [CardStatus; 3] = [CardStatus::Normal, CardStatus::OutOfUse, CardStatus::ReportedLost];

/// Days since [`FIRST`], then the site in five bits, the code and the status in two each.
fn pack(data: &CardData, status: CardStatus) -> Option<u32> {
    let day = u32::try_from((data.applied_on.date() - FIRST).num_days()).ok().filter(|day| *day < 1 << 23)?;
    let place = |found: Option<usize>| found.and_then(|place| u32::try_from(place).ok());
    let site =
        place(IssueSite::all().position(|site| site == data.issue_site)).filter(|site| *site < 1 << 5)?;
    let code = place(ApplyCode::ALL.iter().position(|code| *code == data.apply_code))?;
    let status = place(STATUSES.iter().position(|known| *known == status))?;
    Some(day << 9 | site << 4 | code << 2 | status)
}

fn unpack(card: u32) -> Option<(CardData, CardStatus)> {
    let bits = |shift: u32, count: u32| (card >> shift & ((1 << count) - 1)) as usize;
    let applied_on = FIRST.checked_add_days(Days::new(u64::from(card >> 9)))?;
    let data = CardData {
        apply_code: *ApplyCode::ALL.get(bits(2, 2))?,
        applied_on: RocDate::from_date(applied_on).ok()?,
        issue_site: IssueSite::all().nth(bits(4, 5))?,
    };
    Some((data, *STATUSES.get(bits(0, 2))?))
}

/// What keeps a register from being held.
#[derive(Debug)]
enum Unheld {
    /// It was changed while it was read.
    Changed,
    /// It takes more memory than it may.
    TooLarge,
    /// A row of it can't be read, or two persons can't be told apart.
    Unreadable,
    Database(DbErr),
}

impl From<DbErr> for Unheld {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

/// Keeps a copy of the register of at most so many bytes, as long as somebody has the receiver.
pub(crate) fn keep(reader: &DatabaseConnection, bytes: usize) -> watch::Receiver<Option<Arc<RegisterCopy>>> {
    keep_looking(reader, bytes, LOOK)
}

/// The same with another pause between two looks.
pub(crate) fn keep_looking(
    reader: &DatabaseConnection,
    bytes: usize,
    pause: Duration,
) -> watch::Receiver<Option<Arc<RegisterCopy>>> {
    let (sender, receiver) = watch::channel(None);
    if bytes > 0 {
        tokio::spawn(kept(reader.clone(), bytes, pause, sender));
    }
    receiver
}

async fn kept(
    db: DatabaseConnection,
    bytes: usize,
    pause: Duration,
    copy: watch::Sender<Option<Arc<RegisterCopy>>>,
) {
    let (mut seen, mut refused) = (None, None);
    loop {
        // First as well: a process that starts has other things to do.
        tokio::select! {
            () = copy.closed() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Ok(mark) = mark_of(&db).await {
            let held = copy.borrow().as_ref().map(|copy| copy.mark);
            if held.is_some_and(|held| held != mark) {
                copy.send_replace(None);
            }
            // While rows are imported the mark changes all the time: a copy is made once it stays.
            let stays = seen.replace(mark).is_none_or(|seen| seen == mark);
            if stays && held != Some(mark) && refused != Some(mark) {
                let begun = Instant::now();
                match read(&db, mark, bytes).await {
                    Ok(read) => {
                        let (persons, seconds) = (read.cells.len(), begun.elapsed().as_secs());
                        tracing::info!(persons, seconds, "the household register is held in memory");
                        copy.send_replace(Some(Arc::new(read)));
                    }
                    Err(Unheld::Changed) => {}
                    Err(Unheld::Database(error)) => {
                        tracing::warn!(
                            error = error.to_string().lines().next(),
                            "the register can't be read"
                        );
                    }
                    Err(unheld) => {
                        tracing::warn!(?unheld, "the household register is not held in memory but looked up");
                        refused = Some(mark);
                    }
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a gauge")]
            let persons = copy.borrow().as_ref().map_or(0, |copy| copy.cells.len()) as f64;
            metrics::gauge!("idcheck_register_held_persons").set(persons);
        }
    }
}

async fn mark_of(db: &DatabaseConnection) -> Result<i64, DbErr> {
    let sql = "SELECT register_mark FROM chain_head WHERE id = 1";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("chain_head".to_owned()))?.try_get_by_index(0)
}

/// Reads the register page by page. A change commits together with its mark: where the mark at the end is the one of the
/// beginning, all pages are of one register.
async fn read(db: &DatabaseConnection, mark: i64, bytes: usize) -> Result<RegisterCopy, Unheld> {
    let sql = "SELECT person_hash, apply_code, applied_on, issue_site, status FROM household_register \
               WHERE person_hash > $1 ORDER BY person_hash LIMIT 2000";
    let (backend, mut after) = (db.get_database_backend(), Vec::new());
    let mut cells: Vec<Cell> = Vec::new();
    for page in 0_usize.. {
        let rows = db.query_all_raw(Statement::from_sql_and_values(backend, sql, [after.into()])).await?;
        if (cells.len() + rows.len()).saturating_mul(CELL) > bytes {
            return Err(Unheld::TooLarge);
        }
        after = Vec::new();
        for row in &rows {
            let text = |place| row.try_get_by_index::<String>(place);
            let card = card(&text(1)?, &text(2)?, &text(3)?, &text(4)?);
            let card = card.ok().and_then(|(data, status)| pack(&data, status));
            after = row.try_get_by_index(0)?;
            let person = after.as_slice().try_into().map(|person| key(&person));
            let (Some(card), Ok(person)) = (card, person) else { return Err(Unheld::Unreadable) };
            if cells.last().is_some_and(|last| last.person >= person) {
                return Err(Unheld::Unreadable);
            }
            cells.push(Cell { person, card });
        }
        let last = rows.len() < PAGE;
        if (last || page % 50 == 0) && mark_of(db).await? != mark {
            return Err(Unheld::Changed);
        }
        if last {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    cells.shrink_to_fit();
    Ok(RegisterCopy { mark, cells })
}

/// The card of a row of the register.
pub(crate) fn card(
    apply_code: &str,
    applied_on: &str,
    issue_site: &str,
    status: &str,
) -> Result<(CardData, CardStatus), Failed> {
    let day: NaiveDate = applied_on.parse().map_err(|_| unreadable("applied_on"))?;
    let data = CardData {
        apply_code: ApplyCode::parse(apply_code).map_err(|_| unreadable("apply_code"))?,
        applied_on: RocDate::from_date(day).map_err(|_| unreadable("applied_on"))?,
        issue_site: IssueSite::parse(issue_site).map_err(|_| unreadable("issue_site"))?,
    };
    Ok((data, status_of(status).ok_or_else(|| unreadable("status"))?))
}

/// Of a row that someone changed by hand: the batch is not recorded.
fn unreadable(what: &str) -> Failed {
    tracing::error!(what, "a row can't be read");
    Failed::Before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_itself_again() {
        for site in IssueSite::all() {
            for apply_code in ApplyCode::ALL {
                for status in STATUSES {
                    for date in ["0010101", "0941231", "1130229", "9991231"] {
                        let applied_on = RocDate::parse(date).unwrap();
                        let data = CardData { apply_code, applied_on, issue_site: site };
                        assert_eq!(unpack(pack(&data, status).unwrap()), Some((data, status)));
                    }
                }
            }
        }
    }

    #[test]
    fn who_is_not_in_it_is_not_found() {
        let data = CardData {
            apply_code: ApplyCode::First,
            applied_on: RocDate::parse("0940706").unwrap(),
            issue_site: IssueSite::parse("68000").unwrap(),
        };
        let card = pack(&data, CardStatus::Normal).unwrap();
        let person = |first: u8| [first; size_of::<PersonHash>()];
        let cells = [1, 3, 5].map(|first| Cell { person: key(&person(first)), card }).to_vec();
        let copy = RegisterCopy { mark: 1, cells };
        for first in 0..7 {
            assert_eq!(copy.get(&person(first)).is_some(), first % 2 == 1, "{first}");
        }
    }
}
