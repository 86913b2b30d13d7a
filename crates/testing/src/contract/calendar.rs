//! The contract of [`CalendarStore`].

use idcheck_usecases::ports::CalendarStore;

/// A year is read as it was written, and replaced as a whole; other years stay.
pub async fn suite<S: CalendarStore>(store: &S) {
    let days =
        |days: &[&str]| days.iter().map(|day| day.parse().unwrap()).collect::<Vec<chrono::NaiveDate>>();
    assert_eq!(store.load().await.unwrap().years().count(), 0);
    store.set_year(2026, &days(&["2026-01-01", "2026-02-16"])).await.unwrap();
    store.set_year(2025, &days(&["2025-01-01"])).await.unwrap();
    store.set_year(2026, &days(&["2026-01-01", "2026-07-10"])).await.unwrap();
    let calendar = store.load().await.unwrap();
    assert_eq!(calendar.years().collect::<Vec<_>>(), [2025, 2026]);
    let read = calendar.days_off(2026).unwrap().collect::<Vec<_>>();
    assert_eq!(read, days(&["2026-01-01", "2026-07-10"]));
    assert!(calendar.is_working_day(days(&["2026-02-16"])[0]));
    assert!(!calendar.is_working_day(days(&["2025-01-01"])[0]));
}
