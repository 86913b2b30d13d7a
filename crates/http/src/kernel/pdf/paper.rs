//! Pages of A4 with what stands on them, and the tree of tags that says what it is.

use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::{
    Document, SerializeSettings,
    color::luma,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    error::KrillaError,
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule, Stroke},
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TagGroup, TagKind, TagTree},
    text::{Font, KrillaGlyph},
};

use super::{
    font::{Fonts, MISSING, Style},
    line::{Line, Size, Span, lines, width_of},
};

pub(super) const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
pub(super) const MARGIN: f32 = 51.0;
/// Where text ends above the footer.
const BOTTOM: f32 = HEIGHT - 68.0;
const FOOT: Size = Size { points: 8.0, leading: 11.0 };

/// What a document says about itself.
pub(crate) struct About<'a> {
    pub(crate) title: &'a str,
    /// Stands at the foot of every page, beside its number.
    pub(crate) footer: &'a str,
    /// A language tag (BCP 47).
    pub(crate) lang: &'a str,
    pub(crate) made: DateTime<Utc>,
}

/// An element of the tree of tags, by its place in the list.
pub(super) type Element = usize;

/// What an element is and what it holds, in reading order.
struct Tagged {
    tag: TagKind,
    parts: Vec<Part>,
}

enum Part {
    Element(Element),
    Text(Identifier),
}

/// What is drawn on a page.
enum Mark {
    /// A line of text by its left edge and its base line; of an element, or of the page itself.
    Text {
        line: Line,
        size: Size,
        x: f32,
        y: f32,
        element: Option<Element>,
    },
    /// The ground of a line of a program, from its top.
    Ground {
        y: f32,
        height: f32,
    },
    Rule {
        y: f32,
    },
}

/// The document while it grows.
pub(super) struct Paper<'f> {
    pub(super) fonts: &'f Fonts,
    pages: Vec<Vec<Mark>>,
    y: f32,
    elements: Vec<Tagged>,
    /// Elements at the top of the tree.
    top: Vec<Element>,
    /// The level of each heading with its text and its place.
    headings: Vec<(u16, String, usize, f32)>,
}

impl<'f> Paper<'f> {
    pub(super) fn new(fonts: &'f Fonts) -> Self {
        let (pages, elements, top, headings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { fonts, pages, y: f32::MAX, elements, top, headings }
    }

    /// A new element in another, or at the top.
    pub(super) fn element(&mut self, tag: impl Into<TagKind>, parent: Option<Element>) -> Element {
        let element = self.elements.len();
        self.elements.push(Tagged { tag: tag.into(), parts: Vec::new() });
        match parent.and_then(|parent| self.elements.get_mut(parent)) {
            Some(parent) => parent.parts.push(Part::Element(element)),
            None => self.top.push(element),
        }
        element
    }

    /// Room for so much, on a new page where this one has none.
    pub(super) fn room(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.pages.push(Vec::new());
            self.y = MARGIN;
        }
    }

    pub(super) fn skip(&mut self, height: f32) {
        if self.y > MARGIN {
            self.y += height;
        }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    pub(super) fn heading(&mut self, level: u16, text: String) {
        self.headings.push((level, text, self.pages.len().saturating_sub(1), self.y));
    }

    pub(super) fn block(&mut self, spans: &[Span], size: Size, x: f32, element: Element) {
        for line in lines(spans, size, WIDTH - MARGIN - x, self.fonts) {
            self.room(size.leading);
            self.y += size.leading;
            self.mark(Mark::Text { line, size, x, y: self.y, element: Some(element) });
        }
    }

    /// A number or a sign left of the line that follows.
    pub(super) fn label(&mut self, text: &str, size: Size, x: f32, element: Element) {
        self.room(size.leading);
        let line = vec![Span { text: text.to_owned(), style: Style::Text }];
        self.mark(Mark::Text { line, size, x, y: self.y + size.leading, element: Some(element) });
    }

    pub(super) fn program(&mut self, text: &str, size: Size, element: Element) {
        let spans = [Span { text: text.to_owned(), style: Style::Program }];
        for line in lines(&spans, size, WIDTH - 2.0 * MARGIN - 12.0, self.fonts) {
            self.room(size.leading);
            self.mark(Mark::Ground { y: self.y + 3.0, height: size.leading });
            self.y += size.leading;
            self.mark(Mark::Text { line, size, x: MARGIN + 6.0, y: self.y, element: Some(element) });
        }
        self.skip(8.0);
    }

    /// A row of a table: the lines of each cell with its element and its width.
    pub(super) fn row(&mut self, cells: Vec<(Vec<Line>, Element, f32)>, size: Size) {
        let high = cells.iter().map(|(lines, ..)| lines.len()).max().unwrap_or(1);
        let height = (0..high).map(|_| size.leading).sum::<f32>() + 5.0;
        self.room(height);
        let top = self.y;
        let mut x = MARGIN;
        for (lines, element, width) in cells {
            let mut y = top;
            for line in lines {
                y += size.leading;
                self.mark(Mark::Text { line, size, x, y, element: Some(element) });
            }
            x += width;
        }
        self.y = top + height;
        self.mark(Mark::Rule { y: self.y });
    }

    /// The document.
    pub(super) fn written(mut self, about: &About<'_>) -> Result<Vec<u8>, KrillaError> {
        let builder = ConfigurationBuilder::new().with_archival_validator(Archival::A2_A);
        let builder = builder.with_accessibility_validator(Accessibility::UA1);
        let configuration = builder.finish().unwrap_or_default();
        let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
        let mut document = Document::new_with(settings);
        let count = self.pages.len();
        for (number, mut marks) in std::mem::take(&mut self.pages).into_iter().enumerate() {
            let text = format!("{} · {}/{count}", about.footer, number + 1);
            let line = vec![Span { text, style: Style::Text }];
            marks.push(Mark::Text { line, size: FOOT, x: MARGIN, y: HEIGHT - 40.0, element: None });
            let settings = PageSettings::from_wh(WIDTH, HEIGHT).unwrap_or_default();
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for mark in marks {
                self.draw(mark, &mut surface);
            }
            surface.finish();
            page.finish();
        }
        document.set_metadata(metadata(about));
        document.set_outline(outline(&self.headings));
        let mut tree = TagTree::new().with_lang(Some(about.lang.to_owned()));
        for element in std::mem::take(&mut self.top) {
            tree.push(self.group(element));
        }
        document.set_tag_tree(tree);
        document.finish()
    }

    fn group(&self, element: Element) -> TagGroup {
        let Some(Tagged { tag, parts }) = self.elements.get(element) else {
            return TagGroup::new(krilla::tagging::Tag::NonStruct);
        };
        let children = parts.iter().map(|part| match part {
            Part::Element(element) => Node::from(self.group(*element)),
            Part::Text(identifier) => Node::from(*identifier),
        });
        TagGroup::with_children(tag.clone(), children.collect())
    }

    fn draw(&mut self, mark: Mark, surface: &mut Surface<'_>) {
        match mark {
            Mark::Text { line, size, x, y, element } => {
                for run in runs(&line, self.fonts) {
                    let actual = run.actual.as_deref();
                    let tag = match element {
                        Some(_) => ContentTag::Span(SpanTag::empty().with_actual_text(actual)),
                        None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
                    };
                    let identifier = surface.start_tagged(tag);
                    surface.set_fill(Some(fill(0)));
                    // There is no bold font: its outline is drawn as well.
                    surface.set_stroke(run.bold.then(|| Stroke {
                        paint: luma::Color::black().into(),
                        width: size.points / 30.0,
                        ..Stroke::default()
                    }));
                    let from = Point::from_xy(x + run.x * size.points, y);
                    surface.draw_glyphs(from, &run.glyphs, run.font, &run.text, size.points, false);
                    surface.end_tagged();
                    if let Some(element) = element.and_then(|element| self.elements.get_mut(element)) {
                        element.parts.push(Part::Text(identifier));
                    }
                }
            }
            Mark::Ground { y, height } => area(surface, y, height, 240),
            Mark::Rule { y } => area(surface, y, 0.4, 0),
        }
    }
}

/// An area as wide as the text, which means nothing.
fn area(surface: &mut Surface<'_>, y: f32, height: f32, grey: u8) {
    let mut path = PathBuilder::new();
    if let Some(rect) = Rect::from_xywh(MARGIN, y, WIDTH - 2.0 * MARGIN, height) {
        path.push_rect(rect);
    }
    if let Some(path) = path.finish() {
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        surface.set_stroke(None);
        surface.set_fill(Some(fill(grey)));
        surface.draw_path(&path);
        surface.end_tagged();
    }
}

fn fill(grey: u8) -> Fill {
    Fill { paint: luma::Color::new(grey).into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}

fn metadata(about: &About<'_>) -> Metadata {
    let made = about.made;
    // Each part is a number of one or two digits.
    let part = |value: u32| u8::try_from(value).unwrap_or_default();
    let date = krilla::metadata::DateTime::new(u16::try_from(made.year()).unwrap_or_default());
    let date = date.month(part(made.month())).day(part(made.day())).hour(part(made.hour()));
    let date = date.minute(part(made.minute())).second(part(made.second()));
    let metadata = Metadata::new().title(about.title.to_owned()).language(about.lang.to_owned());
    metadata.creator("idcheck".to_owned()).creation_date(date.utc_offset_hour(0).utc_offset_minute(0))
}

/// What is drawn at once: text in one font.
struct Run {
    /// From the line's left edge, in units of the type size.
    x: f32,
    text: String,
    /// What it reads, where that is something else than what is drawn.
    actual: Option<String>,
    glyphs: Vec<KrillaGlyph>,
    font: Font,
    bold: bool,
}

fn runs(line: &[Span], fonts: &Fonts) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut x = 0.0;
    for Span { text, style } in line {
        let bold = *style == Style::Bold;
        for c in text.chars() {
            let own = fonts.glyph(c, *style);
            let actual = own.is_none().then(|| c.to_string());
            let shown = if own.is_some() { c } else { MISSING };
            let Some(glyph) = own.or_else(|| fonts.glyph(MISSING, *style)) else { continue };
            let joins = |run: &&mut Run| {
                run.font == glyph.font && run.bold == bold && run.actual.is_none() && actual.is_none()
            };
            let advance = glyph.advance;
            let place = |from: usize| {
                let range = from..from + shown.len_utf8();
                KrillaGlyph::new(glyph.id, advance, 0.0, 0.0, 0.0, range, None)
            };
            if let Some(run) = runs.last_mut().filter(joins) {
                run.glyphs.push(place(run.text.len()));
                run.text.push(shown);
            } else {
                let glyphs = vec![place(0)];
                runs.push(Run { x, text: shown.to_string(), actual, glyphs, font: glyph.font.clone(), bold });
            }
            x += advance;
        }
    }
    runs
}

/// The headings as a reader's list of contents.
fn outline(headings: &[(u16, String, usize, f32)]) -> Outline {
    let mut outline = Outline::new();
    for node in nodes(headings) {
        outline.push_child(node);
    }
    outline
}

fn nodes(headings: &[(u16, String, usize, f32)]) -> Vec<OutlineNode> {
    let mut nodes = Vec::new();
    let mut rest = headings;
    while let Some(((level, text, page, y), after)) = rest.split_first() {
        let within = after.iter().take_while(|(below, ..)| below > level).count();
        let (children, others) = after.split_at(within);
        let place = XyzDestination::new(*page, Point::from_xy(MARGIN, *y));
        let mut node = OutlineNode::new(text.clone(), place).with_open(*level == 1);
        for child in self::nodes(children) {
            node.push_child(child);
        }
        nodes.push(node);
        rest = others;
    }
    nodes
}

/// Widths of a table's columns: what each would like, up to a half of the line, stretched or pressed to the line.
pub(super) fn columns(rows: &[Vec<Vec<Span>>], size: Size, fonts: &Fonts) -> Vec<f32> {
    let line = WIDTH - 2.0 * MARGIN;
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let liked = (0..count).map(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let wide = |cell: &Vec<Span>| {
            cell.iter().map(|span| width_of(&span.text, span.style, size, fonts)).sum::<f32>() + 10.0
        };
        cells.map(wide).fold(40.0, f32::max).min(line / 2.0)
    });
    let liked: Vec<f32> = liked.collect();
    let sum: f32 = liked.iter().sum();
    liked.into_iter().map(|width| width * line / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_font_has_is_copied_all_the_same() {
        let line = [Span { text: "吉𠮷 a".to_owned(), style: Style::Text }];
        let runs = runs(&line, &Fonts::new(&[]));
        let told: Vec<_> = runs.iter().map(|run| (run.text.as_str(), run.actual.as_deref())).collect();
        assert_eq!(told, [("吉", None), ("〓", Some("𠮷")), (" a", None)]);
        assert!(
            runs.iter().zip([0.0, 1.0, 2.0]).all(|(run, x)| (run.x - x).abs() < 0.01),
            "each after the other"
        );
    }
}
