//! Markdown as an A4 document in PDF (ISO 32000-1): headings, paragraphs, lists, tables, programs.
//!
//! No font is embedded (docs/adr/0013): Latin is set in the fonts that every reader has, Chinese in `MSung-Light`, which readers
//! replace with a Chinese font of theirs. What can be copied out of it is told by a map to Unicode.

use std::collections::BTreeSet;

use pdf_writer::{
    Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr,
    types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap},
};
use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 51.0;
/// Where text ends above the footer.
const BOTTOM: f32 = 68.0;
const BODY: Size = Size { points: 10.0, leading: 16.0 };
/// Small enough that no line of a program breaks: it is to run as it is copied.
const CODE: Size = Size { points: 6.8, leading: 9.6 };
const FOOT: Size = Size { points: 8.0, leading: 11.0 };
const CELL: Size = Size { points: 9.0, leading: 13.0 };
/// What must not begin a line.
const CLOSING: &str = "，。、；：！？）」』】,.;:!?)]}";

const SANS: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");
const MONO: Name<'static> = Name(b"F3");
const CHINESE: Name<'static> = Name(b"F4");
const SYSTEM: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"CNS1"), supplement: 4 };

/// Advance widths of Helvetica from the space to the tilde, in thousandths of the size.
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

#[derive(Clone, Copy)]
struct Size {
    points: f32,
    leading: f32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Sans,
    Bold,
    Mono,
}

/// A piece of text in one face.
#[derive(Clone)]
struct Span {
    text: String,
    face: Face,
}

/// A piece of a line, from its left edge.
struct Placed {
    x: f32,
    text: String,
    face: Face,
}

fn advance(c: char, face: Face) -> f32 {
    let index = usize::try_from(u32::from(c)).unwrap_or_default().wrapping_sub(usize::from(b' '));
    match (HELVETICA.get(index), face) {
        (None, _) => 1.0,
        (Some(_), Face::Mono) => 0.6,
        // Helvetica-Bold is a little wider.
        (Some(width), Face::Bold) => f32::from(*width) / 940.0,
        (Some(width), Face::Sans) => f32::from(*width) / 1000.0,
    }
}

fn width_of(text: &str, face: Face, size: Size) -> f32 {
    text.chars().map(|c| advance(c, face)).sum::<f32>() * size.points
}

/// Words, as far as a line may break only between them: a run of Latin, or one Chinese character with what closes after it.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut latin = false;
    for c in text.chars() {
        let is_latin = c.is_ascii() && c != ' ';
        let joins = CLOSING.contains(c) || (latin && is_latin);
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
fn lines(spans: &[Span], size: Size, width: f32) -> Vec<Vec<Placed>> {
    let mut lines = vec![Vec::<Placed>::new()];
    let mut x = 0.0;
    for span in spans {
        for (number, part) in span.text.split('\n').enumerate() {
            if number > 0 {
                lines.push(Vec::new());
                x = 0.0;
            }
            for word in words(part).into_iter().flat_map(|word| bounded(&word, span.face, size, width)) {
                let wide = width_of(word.trim_end(), span.face, size);
                if x > 0.0 && x + wide > width {
                    lines.push(Vec::new());
                    x = 0.0;
                }
                let placed = Placed { x, text: word.clone(), face: span.face };
                x += width_of(&word, span.face, size);
                if let Some(line) = lines.last_mut() {
                    line.push(placed);
                }
            }
        }
    }
    lines
}

/// A word in pieces that each fit.
fn bounded(word: &str, face: Face, size: Size, width: f32) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for c in word.chars() {
        let full = pieces.last().is_some_and(|piece| {
            !piece.is_empty() && width_of(piece, face, size) + advance(c, face) * size.points > width
        });
        if full {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

/// The document while it grows.
struct Paper {
    pages: Vec<Content>,
    y: f32,
    used: BTreeSet<char>,
}

impl Paper {
    fn new() -> Self {
        Self { pages: vec![Content::new()], y: HEIGHT - MARGIN, used: BTreeSet::new() }
    }

    /// Room for so much, on a new page where this one has none.
    fn room(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.pages.push(Content::new());
            self.y = HEIGHT - MARGIN;
        }
    }

    fn skip(&mut self, height: f32) {
        if self.y < HEIGHT - MARGIN {
            self.y -= height;
        }
    }

    /// One line with its left edge at `left`; `y` is its baseline.
    fn put(&mut self, line: &[Placed], size: Size, left: f32, y: f32) {
        let Some(page) = self.pages.last_mut() else { return };
        for placed in line {
            let mut x = left + placed.x;
            for run in runs(&placed.text) {
                let latin = run.is_ascii();
                let font = match placed.face {
                    _ if !latin => CHINESE,
                    Face::Sans => SANS,
                    Face::Bold => BOLD,
                    Face::Mono => MONO,
                };
                let bytes: Vec<u8> = if latin {
                    run.bytes().collect()
                } else {
                    run.encode_utf16().flat_map(u16::to_be_bytes).collect()
                };
                // There is no bold Chinese font to rely on: its outline is drawn as well.
                let bold = !latin && placed.face == Face::Bold;
                let mode = if bold { TextRenderingMode::FillStroke } else { TextRenderingMode::Fill };
                page.begin_text().set_text_rendering_mode(mode).set_line_width(0.3);
                page.set_font(font, size.points).set_text_matrix([1.0, 0.0, 0.0, 1.0, x, y]);
                page.show(Str(&bytes)).end_text();
                x += width_of(&run, placed.face, size);
                self.used.extend(run.chars().filter(|c| !c.is_ascii()));
            }
        }
    }

    fn block(&mut self, spans: &[Span], size: Size, left: f32) {
        for line in lines(spans, size, WIDTH - MARGIN - left) {
            self.room(size.leading);
            self.y -= size.leading;
            self.put(&line, size, left, self.y);
        }
    }

    fn code(&mut self, text: &str) {
        let spans = [Span { text: text.trim_end().replace('\t', "    "), face: Face::Mono }];
        for line in lines(&spans, CODE, WIDTH - 2.0 * MARGIN - 12.0) {
            self.room(CODE.leading);
            self.y -= CODE.leading;
            let (y, height) = (self.y - 3.0, CODE.leading);
            if let Some(page) = self.pages.last_mut() {
                page.set_fill_gray(0.94).rect(MARGIN, y, WIDTH - 2.0 * MARGIN, height).fill_nonzero();
                page.set_fill_gray(0.0);
            }
            self.put(&line, CODE, MARGIN + 6.0, self.y);
        }
        self.skip(8.0);
    }

    fn table(&mut self, rows: &[Vec<Vec<Span>>]) {
        let widths = columns(rows);
        for row in rows {
            let cells: Vec<_> =
                row.iter().zip(&widths).map(|(cell, width)| lines(cell, CELL, *width - 8.0)).collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(1);
            let height = (0..height).map(|_| CELL.leading).sum::<f32>() + 5.0;
            self.room(height);
            let top = self.y;
            let mut x = MARGIN;
            for (cell, width) in cells.iter().zip(&widths) {
                let mut y = top;
                for line in cell {
                    y -= CELL.leading;
                    self.put(line, CELL, x, y);
                }
                x += width;
            }
            self.y = top - height;
            let y = self.y;
            if let Some(page) = self.pages.last_mut() {
                page.set_line_width(0.4).move_to(MARGIN, y).line_to(WIDTH - MARGIN, y).stroke();
            }
        }
        self.skip(8.0);
    }
}

/// Pieces of ASCII and of the rest, in turn.
fn runs(text: &str) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    for c in text.chars() {
        match runs.last_mut() {
            Some(run) if run.is_ascii() == c.is_ascii() => run.push(c),
            _ => runs.push(c.to_string()),
        }
    }
    runs
}

/// Widths of a table's columns: what each would like, up to a half of the line, stretched or pressed to the line.
fn columns(rows: &[Vec<Vec<Span>>]) -> Vec<f32> {
    let line = WIDTH - 2.0 * MARGIN;
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let liked = (0..count).map(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let wide = |cell: &Vec<Span>| {
            cell.iter().map(|span| width_of(&span.text, span.face, CELL)).sum::<f32>() + 10.0
        };
        cells.map(wide).fold(40.0, f32::max).min(line / 2.0)
    });
    let liked: Vec<f32> = liked.collect();
    let sum: f32 = liked.iter().sum();
    liked.into_iter().map(|width| width * line / sum).collect()
}

/// What the events are about, while they are read.
#[derive(Default)]
struct Reading {
    spans: Vec<Span>,
    heading: Option<HeadingLevel>,
    code: Option<String>,
    strong: bool,
    /// The number of the next item of each list around; none for one without numbers.
    lists: Vec<Option<u64>>,
    table: Vec<Vec<Vec<Span>>>,
    in_table: bool,
}

impl Reading {
    fn push(&mut self, text: &str, face: Face) {
        let face = if self.strong || self.heading.is_some() { Face::Bold } else { face };
        self.spans.push(Span { text: text.to_owned(), face });
    }

    /// What was read so far, as a block.
    fn flush(&mut self, paper: &mut Paper) {
        let spans = std::mem::take(&mut self.spans);
        if spans.is_empty() {
            return;
        }
        let depth = self.lists.iter().map(|_| 16.0).sum::<f32>();
        paper.block(&spans, BODY, MARGIN + depth);
        paper.skip(if self.lists.is_empty() { 6.0 } else { 2.0 });
    }

    fn start(&mut self, tag: &Tag<'_>, paper: &mut Paper) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some(*level),
            Tag::CodeBlock(_) => self.code = Some(String::new()),
            Tag::Strong => self.strong = true,
            Tag::List(first) => {
                self.flush(paper);
                self.lists.push(*first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.push(&mark, Face::Sans);
            }
            Tag::Table(_) => self.in_table = true,
            Tag::TableHead | Tag::TableRow => {
                self.strong = matches!(tag, Tag::TableHead);
                self.table.push(Vec::new());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, paper: &mut Paper) {
        match tag {
            TagEnd::Heading(level) => {
                let points = match level {
                    HeadingLevel::H1 => 18.0,
                    HeadingLevel::H2 => 13.0,
                    _ => 11.0,
                };
                let size = Size { points, leading: points * 1.5 };
                paper.skip(points * 0.7);
                // Not alone at the foot of a page.
                paper.room(size.leading + 3.0 * BODY.leading);
                let spans = std::mem::take(&mut self.spans);
                paper.block(&spans, size, MARGIN);
                paper.skip(4.0);
                self.heading = None;
            }
            TagEnd::Paragraph | TagEnd::Item => self.flush(paper),
            TagEnd::CodeBlock => paper.code(&self.code.take().unwrap_or_default()),
            TagEnd::Strong | TagEnd::TableHead => self.strong = false,
            TagEnd::List(_) => {
                self.lists.pop();
                paper.skip(4.0);
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.spans);
                if let Some(row) = self.table.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                self.in_table = false;
                paper.table(&std::mem::take(&mut self.table));
            }
            _ => {}
        }
    }

    fn read(&mut self, event: &Event<'_>, paper: &mut Paper) {
        match event {
            Event::Start(tag) => self.start(tag, paper),
            Event::End(tag) => self.end(*tag, paper),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(text),
                None => self.push(text, Face::Sans),
            },
            Event::Code(text) => self.push(text, Face::Mono),
            Event::SoftBreak => self.push(" ", Face::Sans),
            Event::HardBreak => self.push("\n", Face::Sans),
            _ => {}
        }
    }
}

/// The document. `footer` stands at the foot of every page, beside its number.
pub(crate) fn document<'e>(
    title: &str,
    footer: &str,
    lang: &str,
    events: impl Iterator<Item = Event<'e>>,
) -> Vec<u8> {
    let mut paper = Paper::new();
    let mut reading = Reading::default();
    events.for_each(|event| reading.read(&event, &mut paper));
    reading.flush(&mut paper);
    let count = paper.pages.len();
    for (number, page) in std::mem::take(&mut paper.pages).into_iter().enumerate() {
        paper.pages.push(page);
        let text = format!("{footer} · {}/{count}", number + 1);
        let line = lines(&[Span { text, face: Face::Sans }], FOOT, WIDTH - 2.0 * MARGIN);
        if let Some(line) = line.first() {
            paper.put(line, FOOT, MARGIN, 40.0);
        }
    }
    written(title, lang, paper)
}

fn written(title: &str, lang: &str, paper: Paper) -> Vec<u8> {
    let mut next = (1..).map(Ref::new);
    let mut id = || next.next().unwrap_or(Ref::new(1));
    let (catalog, tree, info) = (id(), id(), id());
    let fonts = [id(), id(), id(), id()];
    let (cid, descriptor, map) = (id(), id(), id());
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr(lang)).viewer_preferences().display_doc_title(true);
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("idcheck"));
    for (font, base) in fonts.iter().zip(["Helvetica", "Helvetica-Bold", "Courier"]) {
        // In the encoding that they come with, an apostrophe is a quotation mark.
        pdf.type1_font(*font).base_font(Name(base.as_bytes())).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    let base = Name(b"MSung-Light");
    let mut composite = pdf.type0_font(fonts[3]);
    composite.base_font(Name(b"MSung-Light-UniCNS-UTF16-H"));
    composite.encoding_predefined(Name(b"UniCNS-UTF16-H")).descendant_font(cid).to_unicode(map);
    composite.finish();
    let mut font = pdf.cid_font(cid);
    font.subtype(CidFontType::Type0).base_font(base).system_info(SYSTEM);
    font.font_descriptor(descriptor).default_width(1000.0);
    font.finish();
    let mut described = pdf.font_descriptor(descriptor);
    described.name(base).flags(FontFlags::SERIF | FontFlags::SYMBOLIC);
    described.bbox(Rect::new(-160.0, -249.0, 1015.0, 1071.0)).italic_angle(0.0);
    described.ascent(880.0).descent(-120.0).cap_height(709.0).stem_v(93.0);
    described.finish();
    let mut unicode = UnicodeCmap::new(Name(b"Custom"), SYSTEM);
    for c in &paper.used {
        // A character beyond the first plane takes two codes; readers know these by themselves.
        if let Ok(code) = u16::try_from(u32::from(*c)) {
            unicode.pair(code, *c);
        }
    }
    pdf.cmap(map, &unicode.finish());
    let mut kids = Vec::new();
    for content in paper.pages {
        let (page, stream) = (id(), id());
        kids.push(page);
        let mut written = pdf.page(page);
        written.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(tree).contents(stream);
        let mut resources = written.resources();
        let mut named = resources.fonts();
        for (name, font) in [SANS, BOLD, MONO, CHINESE].iter().zip(fonts) {
            named.pair(*name, font);
        }
        named.finish();
        resources.finish();
        written.finish();
        pdf.stream(stream, &content.finish());
    }
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(kids).count(count);
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Vec<Placed>]) -> Vec<String> {
        lines.iter().map(|line| line.iter().map(|placed| placed.text.as_str()).collect()).collect()
    }

    fn set(text: &str, width: f32) -> Vec<String> {
        let spans = [Span { text: text.to_owned(), face: Face::Mono }];
        self::text(&lines(&spans, Size { points: 10.0, leading: 12.0 }, width))
    }

    #[test]
    fn lines_break_between_words_and_between_characters() {
        // Ten points: Latin of the fixed width takes 6, Chinese 10.
        assert_eq!(set("one two three", 50.0), ["one two ", "three"]);
        assert_eq!(set("國民身分證", 30.0), ["國民身", "分證"]);
        // What closes does not begin a line, and takes the character before it along.
        assert_eq!(set("國民身分，證", 40.0), ["國民身", "分，證"]);
        assert_eq!(set("abcdefghij", 30.0), ["abcde", "fghij"], "a word longer than a line");
        assert_eq!(set("a\nb", 30.0), ["a", "b"]);
    }

    #[test]
    fn a_long_document_goes_on_on_new_pages() {
        let markdown = "# 標題\n\n".to_owned() + &"段落 paragraph。\n\n".repeat(120);
        let pdf = document("t", "f", "zh-Hant-TW", pulldown_cmark::Parser::new(&markdown));
        let pages = pdf.windows(11).filter(|bytes| bytes == b"/Type /Page").count();
        assert!(pages > 3, "{pages}");
    }
}
