//! Guides and documents: Markdown as HTML.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html::push_html};

/// A guide as HTML, and its title.
pub(crate) struct Rendered {
    pub(crate) title: String,
    pub(crate) html: String,
}

/// Markdown as HTML: tables and programs scroll by themselves where they are too wide, also by keyboard.
pub(crate) fn rendered(markdown: &str) -> Rendered {
    let mut title = String::new();
    let html = page_of(Parser::new_ext(markdown, Options::ENABLE_TABLES), &mut title);
    Rendered { title, html }
}

/// The same of what was read already, without its title.
pub(crate) fn html<'e>(events: impl Iterator<Item = Event<'e>>) -> String {
    page_of(events, &mut String::new())
}

/// Whether a text ends in a character after which Chinese goes on without a space.
pub(crate) fn ends_in_chinese(text: &str) -> bool {
    let chinese = [
        '\u{3000}'..='\u{303f}',
        '\u{3400}'..='\u{9fff}',
        '\u{ff00}'..='\u{ffef}',
        '\u{20000}'..='\u{3ffff}',
    ];
    text.chars().last().is_some_and(|last| chinese.iter().any(|range| range.contains(&last)))
}

fn page_of<'e>(read: impl Iterator<Item = Event<'e>>, title: &mut String) -> String {
    let mut in_title = false;
    let scroll = |end: &'static str| Event::Html(end.into());
    let mut events = Vec::new();
    for event in read {
        match event {
            Event::Start(Tag::Heading { level: pulldown_cmark::HeadingLevel::H1, .. }) => in_title = true,
            Event::End(TagEnd::Heading(pulldown_cmark::HeadingLevel::H1)) => in_title = false,
            Event::Text(text) if in_title => title.push_str(&text),
            // Nor where a line of the file ends.
            Event::SoftBreak if matches!(events.last(), Some(Event::Text(text)) if ends_in_chinese(text)) => {
            }
            Event::Start(Tag::Table(_) | Tag::CodeBlock(_)) => {
                events.extend([scroll("<div class=\"scroll\" tabindex=\"0\">"), event]);
            }
            Event::End(TagEnd::Table | TagEnd::CodeBlock) => events.extend([event, scroll("</div>")]),
            event => events.push(event),
        }
    }
    let mut html = String::new();
    push_html(&mut html, events.into_iter());
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_goes_on_without_a_space_where_a_line_ends() {
        for (markdown, expected) in [
            ("審核\n作業、\n手冊", "<p>審核作業、手冊</p>\n"),
            ("a line …\nand one", "<p>a line …\nand one</p>\n"),
            ("使用 `curl`\n查驗", "<p>使用 <code>curl</code>\n查驗</p>\n"),
        ] {
            assert_eq!(rendered(markdown).html, expected);
        }
    }
}
