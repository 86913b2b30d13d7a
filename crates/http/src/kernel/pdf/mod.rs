//! Markdown as an A4 document in PDF (ISO 32000-1): headings, paragraphs, lists, tables, programs. Its fonts are embedded and its
//! parts tagged, as PDF/UA-1 (ISO 14289-1) and PDF/A-2a (ISO 19005-2) ask; what they ask is checked while it is written.

mod font;
mod line;
mod paper;

use std::num::NonZeroU16;

use krilla::{
    error::KrillaError,
    tagging::{ListNumbering, TableHeaderScope, Tag as Tagged},
};
use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

pub use self::font::Fonts;
pub(crate) use self::paper::About;
use self::{
    font::Style,
    line::{Size, Span, lines},
    paper::{Element, MARGIN, Paper, columns},
};
use crate::kernel::markdown::ends_in_chinese;

const BODY: Size = Size { points: 10.0, leading: 16.0 };
/// Small enough that no line of a program breaks: it is to run as it is copied.
const PROGRAM: Size = Size { points: 8.0, leading: 10.4 };
const CELL: Size = Size { points: 9.0, leading: 13.0 };
/// How far a list's text stands right of what stands around it.
const INDENT: f32 = 16.0;

/// A list that is being read.
struct List {
    element: Element,
    /// The number of the next item; none for one without numbers.
    number: Option<u64>,
}

/// What the events are about, while they are read.
#[derive(Default)]
struct Reading {
    spans: Vec<Span>,
    heading: bool,
    code: Option<String>,
    strong: bool,
    lists: Vec<List>,
    /// The bodies of the items around.
    items: Vec<Element>,
    /// Rows of cells; the first is the head.
    table: Vec<Vec<Vec<Span>>>,
}

impl Reading {
    fn push(&mut self, text: &str, style: Style) {
        let style = if self.strong || self.heading { Style::Bold } else { style };
        self.spans.push(Span { text: text.to_owned(), style });
    }

    fn left(&self) -> f32 {
        self.lists.iter().fold(MARGIN, |left, _| left + INDENT)
    }

    /// What was read so far, as a paragraph.
    fn flush(&mut self, paper: &mut Paper<'_>) {
        let spans = std::mem::take(&mut self.spans);
        if spans.is_empty() {
            return;
        }
        let element = paper.element(Tagged::P, self.items.last().copied());
        paper.block(&spans, BODY, self.left(), element);
        paper.skip(if self.lists.is_empty() { 6.0 } else { 2.0 });
    }

    fn item(&mut self, paper: &mut Paper<'_>) {
        let left = self.left() - INDENT;
        let Some(List { element, number }) = self.lists.last_mut() else { return };
        let mark = match number {
            Some(number) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            None => "• ".to_owned(),
        };
        let item = paper.element(Tagged::LI, Some(*element));
        let label = paper.element(Tagged::Lbl, Some(item));
        paper.label(&mark, BODY, left, label);
        self.items.push(paper.element(Tagged::LBody, Some(item)));
    }

    fn start(&mut self, tag: &Tag<'_>, paper: &mut Paper<'_>) {
        match tag {
            Tag::Heading { .. } => self.heading = true,
            Tag::CodeBlock(_) => self.code = Some(String::new()),
            Tag::Strong => self.strong = true,
            Tag::List(first) => {
                self.flush(paper);
                let numbering = first.map_or(ListNumbering::Disc, |_| ListNumbering::Decimal);
                let element = paper.element(Tagged::L(numbering), self.items.last().copied());
                self.lists.push(List { element, number: *first });
            }
            Tag::Item => self.item(paper),
            Tag::TableHead | Tag::TableRow => {
                self.strong = matches!(tag, Tag::TableHead);
                self.table.push(Vec::new());
            }
            _ => {}
        }
    }

    fn headed(&mut self, level: HeadingLevel, paper: &mut Paper<'_>) {
        let (points, level) = match level {
            HeadingLevel::H1 => (18.0, 1),
            HeadingLevel::H2 => (13.0, 2),
            _ => (11.0, 3),
        };
        let size = Size { points, leading: points * 1.5 };
        paper.skip(points * 0.7);
        // Not alone at the foot of a page.
        paper.room(size.leading + 3.0 * BODY.leading);
        let spans = std::mem::take(&mut self.spans);
        let text: String = spans.iter().map(|span| span.text.as_str()).collect();
        let tag = Tagged::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(text.clone()));
        let element = paper.element(tag, None);
        paper.heading(level, text);
        paper.block(&spans, size, MARGIN, element);
        paper.skip(4.0);
        self.heading = false;
    }

    fn tabled(&mut self, paper: &mut Paper<'_>) {
        let rows = std::mem::take(&mut self.table);
        let widths = columns(&rows, CELL, paper.fonts);
        let table = paper.element(Tagged::Table, None);
        let parts = [paper.element(Tagged::THead, Some(table)), paper.element(Tagged::TBody, Some(table))];
        for (number, row) in rows.into_iter().enumerate() {
            let [head, body] = parts;
            let within = paper.element(Tagged::TR, Some(if number == 0 { head } else { body }));
            let mut cells = Vec::new();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = lines(cell, CELL, *width - 8.0, paper.fonts);
                let element = if number == 0 {
                    paper.element(Tagged::TH(TableHeaderScope::Column), Some(within))
                } else {
                    paper.element(Tagged::TD, Some(within))
                };
                cells.push((cell, element, *width));
            }
            paper.row(cells, CELL);
        }
        paper.skip(8.0);
    }

    fn end(&mut self, tag: TagEnd, paper: &mut Paper<'_>) {
        match tag {
            TagEnd::Heading(level) => self.headed(level, paper),
            TagEnd::Paragraph => self.flush(paper),
            TagEnd::Item => {
                self.flush(paper);
                self.items.pop();
            }
            TagEnd::CodeBlock => {
                let code = self.code.take().unwrap_or_default();
                let paragraph = paper.element(Tagged::P, self.items.last().copied());
                let element = paper.element(Tagged::Code, Some(paragraph));
                paper.program(&code.trim_end().replace('\t', "    "), PROGRAM, element);
            }
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
            TagEnd::Table => self.tabled(paper),
            _ => {}
        }
    }

    fn read(&mut self, event: &Event<'_>, paper: &mut Paper<'_>) {
        match event {
            Event::Start(tag) => self.start(tag, paper),
            Event::End(tag) => self.end(*tag, paper),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(text),
                None => self.push(text, Style::Text),
            },
            Event::Code(text) => self.push(text, Style::Program),
            Event::SoftBreak if self.spans.last().is_some_and(|span| !ends_in_chinese(&span.text)) => {
                self.push(" ", Style::Text);
            }
            Event::HardBreak => self.push("\n", Style::Text),
            _ => {}
        }
    }
}

/// The document.
///
/// # Errors
///
/// When what was written is not as the standards ask.
pub(crate) fn document<'e>(
    about: &About<'_>,
    fonts: &Fonts,
    events: impl Iterator<Item = Event<'e>>,
) -> Result<Vec<u8>, KrillaError> {
    let mut paper = Paper::new(fonts);
    let mut reading = Reading::default();
    events.for_each(|event| reading.read(&event, &mut paper));
    reading.flush(&mut paper);
    paper.written(about)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use chrono::DateTime;

    use super::*;

    const ALL: &str = "# 標題\n\n第一段\n接著 `code` 與 **粗體**。\n\n1. 一\n2. 二\n   - 內\n\n| 項 | 值 |\n|---|---|\n| 甲 | b |\n\n\
                       ```sh\nif true; then\n\techo 'it''s' # 中文\nfi\n```\n";

    fn made(markdown: &str, fonts: &Fonts) -> Vec<u8> {
        let options = pulldown_cmark::Options::ENABLE_TABLES;
        let events = pulldown_cmark::Parser::new_ext(markdown, options);
        let about =
            About { title: "標題", footer: "頁尾", lang: "zh-Hant-TW", made: DateTime::UNIX_EPOCH };
        document(&about, fonts, events).unwrap()
    }

    fn holds(pdf: &[u8], text: &str) -> bool {
        pdf.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    }

    #[test]
    fn a_document_is_tagged_and_holds_its_fonts() {
        let pdf = made(ALL, &Fonts::new(&[]));
        for part in [
            "/StructTreeRoot",
            "/Marked true",
            "/H1",
            "/P",
            "/L",
            "/LI",
            "/Lbl",
            "/LBody",
            "/Table",
            "/TH",
            "/TD",
            "/Code",
            "/FontFile3",
            "/Lang(zh-Hant-TW)",
            "/Outlines",
            "pdfuaid:part",
            "pdfaid:conformance",
        ] {
            assert!(holds(&pdf, part) || holds(&pdf, &part.replacen('(', " (", 1)), "{part}");
        }
    }

    #[test]
    fn a_character_of_any_plane_is_set_or_told_apart() {
        let without = made("吉𠮷", &Fonts::new(&[]));
        let font = Path::new(env!("CARGO_MANIFEST_DIR")).join("fonts/test-plane-2.otf");
        let with = made("吉𠮷", &Fonts::new(&["/nowhere".into(), font]));
        let fonts = |pdf: &[u8]| pdf.windows(10).filter(|bytes| bytes == b"/FontFile3").count();
        assert_eq!((fonts(&without), fonts(&with)), (1, 2));
    }

    #[test]
    fn a_long_document_goes_on_on_new_pages() {
        let pdf = made(&("# 標題\n\n".to_owned() + &"段落 paragraph。\n\n".repeat(120)), &Fonts::new(&[]));
        let pages = pdf.windows(9).filter(|bytes| bytes == b"/MediaBox").count();
        assert!(pages > 3, "{pages}");
    }
}
