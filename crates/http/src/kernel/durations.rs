//! Rate, errors and duration of each surface, as one histogram by surface and class of status.

use std::{sync::OnceLock, time::Duration};

use metrics::Histogram;
use poem::http::StatusCode;

use crate::kernel::surface::Surface;

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
/// What is no surface: paths that all processes have, and what the sandbox plays.
const OTHERS: [&str; 2] = ["shared", "sandbox"];
const ROWS: usize = Surface::ALL.len() + OTHERS.len();

/// Fetched once each: to look one up by its labels takes longer than to record.
static HISTOGRAMS: [[OnceLock<Histogram>; CLASSES.len()]; ROWS] =
    [const { [const { OnceLock::new() }; CLASSES.len()] }; ROWS];

/// Notes how long a request took.
pub(crate) fn record(surface: Option<Surface>, sandbox: bool, status: StatusCode, took: Duration) {
    // A refusal that the sandbox plays is nobody's fault, and must wake nobody.
    let others = Surface::ALL.len();
    let place = |surface| Surface::ALL.iter().position(|known| *known == surface);
    let row = if sandbox { others + 1 } else { surface.and_then(place).unwrap_or(others) };
    let class = match status.as_u16() {
        ..=299 => 0,
        300..=399 => 1,
        400..=499 => 2,
        500.. => 3,
    };
    let (Some(name), Some(cell)) = (name(row), HISTOGRAMS.get(row).and_then(|row| row.get(class))) else {
        return;
    };
    cell.get_or_init(
        || metrics::histogram!("idcheck_http_request_seconds", "surface" => name, "status" => CLASSES[class]),
    )
    .record(took);
}

fn name(row: usize) -> Option<&'static str> {
    let mut names = Surface::ALL.iter().map(|surface| surface.as_str()).chain(OTHERS);
    names.nth(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_name() {
        let names: Vec<_> = (0..=ROWS).map_while(name).collect();
        assert_eq!(names.len(), ROWS);
        assert_eq!(names[Surface::ALL.len()..], OTHERS);
    }
}
