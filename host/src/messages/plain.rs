//! The plain-text part of a mail, made from its HTML.
//!
//! html2text draws tables as tables, which a mail's layout is not: here each row becomes a line and each cell
//! its words, and links are written out behind their words, before html2text sees it.

use html2text::{Comment, Document, Element, Handle, RcDom};

/// Wider than any line: mail programs wrap by themselves, and a broken link is no link.
const WIDTH: usize = 10_000;

/// A mark that no mail holds, where an empty line belongs.
const GAP: &str = "<div>\u{e000}</div>";

/// The text of a finished mail.
#[must_use]
pub fn text(dom: &RcDom) -> String {
    let mut simple = String::new();
    flatten(&dom.document, &mut simple);
    let text = html2text::config::plain_no_decorate()
        .link_footnotes(false)
        .allow_width_overflow()
        .string_from_read(simple.as_bytes(), WIDTH)
        .unwrap_or_default();
    tidy(&text)
}

/// A block's text when a template wrote it itself: what HTML escapes is undone.
#[must_use]
pub fn unescape(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('&') {
        text.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        match entity.and_then(|(name, behind)| Some((letter(name)?, behind))) {
            Some((letter, behind)) => {
                text.push(letter);
                rest = behind;
            }
            None => {
                text.push('&');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

fn letter(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

fn flatten(node: &Handle, out: &mut String) {
    let Element { name, attrs, .. } = &node.data else {
        match &node.data {
            Document => children(node, out),
            Comment { .. } => {}
            // A text node (or a doctype, which writes nothing that matters inside the body).
            _ => {
                let mut written = Vec::new();
                if node.serialize(&mut written).is_ok() {
                    let text = String::from_utf8_lossy(&written);
                    if !text.starts_with("<!") {
                        out.push_str(&text);
                    }
                }
            }
        }
        return;
    };
    let attribute = |wanted: &str| {
        attrs.borrow().iter().find(|known| &*known.name.local == wanted).map(|known| known.value.to_string())
    };
    let class = attribute("class").unwrap_or_default();
    let has = |wanted: &str| class.split_whitespace().any(|name| name == wanted);
    if has("preheader") || has("progress") || has("brand") {
        return;
    }
    match &*name.local {
        "head" | "style" | "img" => {}
        "table" => {
            out.push_str(GAP);
            children(node, out);
            out.push_str(GAP);
        }
        "tr" => {
            out.push_str("<div>");
            let mut first = true;
            for cell in node.children.borrow().iter().filter(|child| child.element_name().is_some()) {
                let mut words = String::new();
                flatten(cell, &mut words);
                if words.trim().is_empty() {
                    continue;
                }
                if !first {
                    let price = is_class(cell, "price");
                    out.push_str(if price { " — " } else { " " });
                }
                first = false;
                out.push_str(&words);
            }
            out.push_str("</div>");
        }
        "a" => {
            let mut words = String::new();
            children(node, &mut words);
            out.push_str(&words);
            let words = words.trim();
            // A link around a picture has nothing to say.
            if let Some(link) = attribute("href").filter(|link| link.starts_with("http") && !words.is_empty())
            {
                let says_it = words.len() >= 4 && link.trim_end_matches('/').ends_with(words);
                if !says_it {
                    out.push_str(": ");
                    escape(&link, out);
                }
            }
        }
        "div" if has("product") => {
            let parts: Vec<String> = node
                .children
                .borrow()
                .iter()
                .map(|child| {
                    let mut words = String::new();
                    if child.element_name().is_some_and(|name| name == "p") {
                        children(child, &mut words);
                    }
                    words
                })
                .filter(|words| !words.trim().is_empty())
                .collect();
            out.push_str(&format!("<li>{}</li>", parts.join(" — ")));
        }
        "div" if has("products") => wrapped("ul", node, out),
        // Facts that stand together in a box.
        "p" if has("label") || has("strong") || has("small") || has("coupon-code") => {
            wrapped("div", node, out);
        }
        tag @ ("p" | "h1" | "h2" | "h3" | "h4" | "ul" | "ol" | "li" | "div" | "blockquote" | "pre") => {
            wrapped(tag, node, out);
        }
        "br" => out.push_str("<br>"),
        "span" => {
            children(node, out);
            if has("way") {
                out.push_str("<br>");
            }
        }
        _ => children(node, out),
    }
}

fn children(node: &Handle, out: &mut String) {
    for child in node.children.borrow().iter() {
        flatten(child, out);
    }
}

fn wrapped(tag: &str, node: &Handle, out: &mut String) {
    out.push('<');
    out.push_str(tag);
    out.push('>');
    children(node, out);
    out.push_str("</");
    out.push_str(tag);
    out.push('>');
}

fn is_class(node: &Handle, wanted: &str) -> bool {
    let Element { attrs, .. } = &node.data else { return false };
    attrs.borrow().iter().any(|attribute| {
        &*attribute.name.local == "class" && attribute.value.split_whitespace().any(|name| name == wanted)
    })
}

fn escape(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

/// No trailing blanks, no two empty lines in a row.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text
        .lines()
        .map(|line| line.trim_end_matches(|letter: char| letter.is_whitespace() || letter == '\u{e000}'))
    {
        if line.is_empty() && lines.last().is_none_or(|last| last.is_empty()) {
            continue;
        }
        lines.push(line);
    }
    let mut tidy = lines.join("\n").trim_end().to_owned();
    tidy.push('\n');
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str) -> String {
        text(&html2text::config::plain().parse_html(html.as_bytes()).unwrap())
    }

    #[test]
    fn layout_becomes_lines_and_links_are_written_out() {
        let html = "<html><head><title>no</title></head><body><div class=\"preheader\">no</div>\
            <table role=\"presentation\"><tr><td><h1>Thank you</h1><p>Hello &amp; welcome.</p>\
            <table><tr><td>Socks<br><span>2 × €9.00</span></td><td class=\"price\">€18.00</td></tr></table>\
            <table><tr><td class=\"button-face\"><a href=\"https://a.example/?x=1&amp;y=2\">View</a></td></tr></table>\
            <p><a href=\"https://a.example/\">a.example</a> <a href=\"mailto:x@a.example\">x@a.example</a></p>\
            </td></tr></table></body></html>";
        assert_eq!(
            of(html),
            "# Thank you\n\nHello & welcome.\n\nSocks\n2 × €9.00 — €18.00\n\nView: https://a.example/?x=1&y=2\n\na.example x@a.example\n"
        );
    }

    #[test]
    fn long_links_are_not_broken() {
        let link = format!("https://a.example/{}", "x".repeat(400));
        assert!(of(&format!("<p><a href=\"{link}\">Here</a></p>")).contains(&format!("Here: {link}\n")));
    }

    #[test]
    fn escapes_are_undone_once() {
        assert_eq!(
            unescape("Tom &amp; Ola &lt;3 &#x27;x&#x27; &#39; &quot; &amp;lt; & &nope; 1&2"),
            "Tom & Ola <3 'x' ' \" &lt; & &nope; 1&2"
        );
    }
}
