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

fn page_of<'e>(read: impl Iterator<Item = Event<'e>>, title: &mut String) -> String {
    let mut in_title = false;
    let scroll = |end: &'static str| Event::Html(end.into());
    let mut events = Vec::new();
    for event in read {
        match event {
            Event::Start(Tag::Heading { level: pulldown_cmark::HeadingLevel::H1, .. }) => in_title = true,
            Event::End(TagEnd::Heading(pulldown_cmark::HeadingLevel::H1)) => in_title = false,
            Event::Text(text) if in_title => title.push_str(&text),
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
