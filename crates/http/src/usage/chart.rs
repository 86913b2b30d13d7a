//! Bar charts as templates take them: plain SVG with a name and a description, drawn without a script. A table with the
//! same figures stands beside every chart, so that nobody needs to see it.
//!
//! It knows places and numbers only; words are the template's.

use minijinja::{Value, context};

/// Units of the drawing's own coordinates.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 260;
const LEFT: u64 = 64;
const TOP: u64 = 12;
const BOTTOM: u64 = 34;
/// Names below the bars that fit side by side.
const NAMES: usize = 8;

/// One colour of the bars: the end of its locale key, and a value for each bar.
pub(crate) struct Series {
    /// The end of the key of its name.
    pub(crate) name: &'static str,
    /// Its value in each bar.
    pub(crate) values: Vec<u64>,
}

/// The next round number (1, 2 or 5 times a power of ten) from `value` on; 1 at least.
fn round_up(value: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let round = unit.saturating_mul(factor);
            if round >= value || round == u64::MAX {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// The height of the axis: five steps of a round number, four or fewer where that is enough.
fn axis(top: u64) -> (u64, u64) {
    let step = round_up(top.div_ceil(5));
    (step, step * top.div_ceil(step).max(1))
}

/// Stacked bars, one for each name, with the series from the ground up in their order.
pub(crate) fn bars(names: &[String], series: &[Series]) -> Value {
    let value = |one: &Series, place: usize| one.values.get(place).copied().unwrap_or_default();
    let totals = (0..names.len()).map(|place| series.iter().map(|one| value(one, place)).sum::<u64>());
    let (step, top) = axis(totals.max().unwrap_or_default());
    let (width, height) = (WIDTH - LEFT, HEIGHT - TOP - BOTTOM);
    let count = u64::try_from(names.len()).unwrap_or(u64::MAX).max(1);
    // In tenths, so that a year of days still has bars.
    let x = |place: usize| LEFT * 10 + width * 10 * u64::try_from(place).unwrap_or_default() / count;
    let tall = |value: u64| u64::try_from(u128::from(value) * u128::from(height) * 10 / u128::from(top));
    let tall = |value: u64| tall(value).unwrap_or_default();
    let mut drawn = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let mut ground = 0;
        for (colour, one) in series.iter().enumerate() {
            let count = value(one, place);
            if count == 0 {
                continue;
            }
            let (low, high) = (tall(ground), tall(ground + count));
            ground += count;
            let broad = (x(place + 1) - x(place)) * 4 / 5;
            drawn.push(context! {
                colour, name, series => one.name, count, x => tenths(x(place)), width => tenths(broad.max(5)),
                y => tenths((TOP + height) * 10 - high), height => tenths((high - low).max(5)),
            });
        }
    }
    let lines = (0..=top / step).map(|line| {
        context! { y => tenths((TOP + height) * 10 - tall(line * step)), value => line * step }
    });
    let every = names.len().div_ceil(NAMES).max(1);
    let named = names.iter().enumerate().filter(|(place, _)| place % every == 0);
    context! {
        width => WIDTH, height => HEIGHT, left => LEFT, bottom => HEIGHT - BOTTOM,
        bars => drawn, lines => lines.collect::<Value>(),
        names => named.map(|(place, name)| context! { x => tenths(x(place)), name }).collect::<Value>(),
        series => series.iter().map(|one| one.name).collect::<Value>(),
    }
}

fn tenths(value: u64) -> String {
    format!("{}.{}", value / 10, value % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: &Value, name: &str) -> f64 {
        value.get_attr(name).unwrap().to_string().parse().unwrap()
    }

    #[test]
    fn the_axis_has_round_steps_and_holds_the_tallest_bar() {
        for (top, expected) in [
            (0, (1, 1)),
            (1, (1, 1)),
            (4, (1, 4)),
            (5, (1, 5)),
            (6, (2, 6)),
            (99, (20, 100)),
            (101, (50, 150)),
            (2_345_678, (500_000, 2_500_000)),
        ] {
            assert_eq!(axis(top), expected, "{top}");
        }
    }

    #[test]
    fn bars_stand_on_each_other_and_in_proportion() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let series = [
            Series { name: "match", values: vec![30, 0, 10, 40] },
            Series { name: "wrong", values: vec![10, 0, 10, 0] },
        ];
        let chart = bars(&names, &series);
        let bars: Vec<_> = chart.get_attr("bars").unwrap().try_iter().unwrap().collect();
        assert_eq!(bars.len(), 5, "nothing is drawn for nothing");
        // The axis ends at 40, the plot is 214 tall and ends at 226.
        let places: Vec<_> = bars.iter().map(|bar| (number(bar, "y"), number(bar, "height"))).collect();
        assert_eq!(places, [(65.5, 160.5), (12.0, 53.5), (172.5, 53.5), (119.0, 53.5), (12.0, 214.0)]);
        assert!(bars.windows(2).all(|two| number(&two[0], "x") <= number(&two[1], "x")));
        assert!(bars.iter().all(|bar| number(bar, "x") + number(bar, "width") <= 720.0));
    }

    #[test]
    fn a_year_of_days_has_bars_and_few_names() {
        let names: Vec<_> = (0..366).map(|day| day.to_string()).collect();
        let chart = bars(&names, &[Series { name: "match", values: vec![u64::MAX / 400; 366] }]);
        assert_eq!(chart.get_attr("bars").unwrap().len(), Some(366));
        assert_eq!(chart.get_attr("names").unwrap().len(), Some(8));
    }

    #[test]
    fn nothing_has_an_axis_too() {
        let chart = bars(&[], &[]);
        assert_eq!(chart.get_attr("bars").unwrap().len(), Some(0));
        assert_eq!(chart.get_attr("lines").unwrap().len(), Some(2));
    }
}
