//! Text as lines of a width.

use super::font::{Fonts, Style};

/// What must not begin a line.
const CLOSING: &str = "，。、；：！？）」』】,.;:!?)]}";

/// What must not end one.
const OPENING: &str = "（「『【([{";

/// Type and the distance of its lines, in points.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) points: f32,
    pub(super) leading: f32,
}

/// A piece of text in one style.
#[derive(Clone)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) style: Style,
}

pub(super) type Line = Vec<Span>;

/// In points.
pub(super) fn width_of(text: &str, style: Style, size: Size, fonts: &Fonts) -> f32 {
    let advance = |c| fonts.glyph(c, style).map_or(1.0, |glyph| glyph.advance);
    text.chars().map(advance).sum::<f32>() * size.points
}

/// Words, as far as a line may break only between them: a run of Latin, or one Chinese character with what closes after it.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut latin = false;
    for c in text.chars() {
        let is_latin = c.is_ascii() && c != ' ';
        let opened = words.last().is_some_and(|word| word.ends_with(|last| OPENING.contains(last)));
        let joins = CLOSING.contains(c) || opened || (latin && is_latin);
        match words.last_mut() {
            Some(word) if joins && !word.ends_with(' ') => word.push(c),
            Some(word) if c == ' ' => word.push(c),
            _ => words.push(c.to_string()),
        }
        latin = is_latin;
    }
    words
}

/// Spans as lines no wider than `width`.
pub(super) fn lines(spans: &[Span], size: Size, width: f32, fonts: &Fonts) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    let mut x = 0.0;
    for Span { text, style } in spans {
        for (number, part) in text.split('\n').enumerate() {
            if number > 0 {
                lines.push(Line::new());
                x = 0.0;
            }
            for word in words(part).iter().flat_map(|word| bounded(word, *style, size, width, fonts)) {
                let wide = width_of(word.trim_end(), *style, size, fonts);
                if x > 0.0 && x + wide > width {
                    lines.push(Line::new());
                    x = 0.0;
                }
                x += width_of(&word, *style, size, fonts);
                if let Some(line) = lines.last_mut() {
                    line.push(Span { text: word, style: *style });
                }
            }
        }
    }
    lines
}

/// A word in pieces that each fit.
fn bounded(word: &str, style: Style, size: Size, width: f32, fonts: &Fonts) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut x = 0.0;
    for c in word.chars() {
        let wide = width_of(c.encode_utf8(&mut [0; 4]), style, size, fonts);
        if x > 0.0 && x + wide > width {
            pieces.push(String::new());
            x = 0.0;
        }
        x += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, width: f32) -> Vec<String> {
        let spans = [Span { text: text.to_owned(), style: Style::Program }];
        let size = Size { points: 10.0, leading: 12.0 };
        let text = |line: &Line| line.iter().map(|span| span.text.as_str()).collect();
        lines(&spans, size, width, &Fonts::new(&[])).iter().map(text).collect()
    }

    #[test]
    fn lines_break_between_words_and_between_characters() {
        // Ten points: Latin of the fixed width takes 5, Chinese 10.
        assert_eq!(set("one two three", 45.0), ["one two ", "three"]);
        assert_eq!(set("國民身分證", 30.0), ["國民身", "分證"]);
        // What closes does not begin a line, and takes the character before it along.
        assert_eq!(set("國民身分，證", 40.0), ["國民身", "分，證"]);
        assert_eq!(set("國民（身分證", 30.0), ["國民", "（身分", "證"], "what opens does not end one");
        assert_eq!(set("abcdefghij", 25.0), ["abcde", "fghij"], "a word longer than a line");
        assert_eq!(set("a\nb", 30.0), ["a", "b"]);
    }
}
