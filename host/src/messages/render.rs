//! A message as it will be read: subject, HTML, text. Pure; what it is made of is gathered elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use css_inline::CSSInliner;
use html2text::{Element, Handle, RcDom};
use minijinja::{Environment, Error, ErrorKind, Value as Seen};

use super::links::{self, Allowed};
use super::pieces::Pieces;
use super::plain;
use super::policy::Category;
use super::view::{KnownCoupon, View};
use super::voice::Voice;
use crate::config::HostGrant;
use crate::decide::answer::{MessageContent, ShownBlock};
use crate::domain::{OrderRecord, Product, Shop, Value};
use crate::wording::{Reader, Wording};

/// All that one message is made of.
pub struct Letter<'a> {
    pub wording: &'a Arc<Wording>,
    pub reader: &'a Reader,
    pub shop: &'a Shop,
    pub plugin: &'a str,
    /// Without `.html`.
    pub template: &'a str,
    pub category: Category,
    pub data: &'a [(String, Value)],
    pub first_name: Option<&'a str>,
    pub company: Option<&'a str>,
    pub order: Option<&'a OrderRecord>,
    /// Of the order, the data and the recommendations, by id.
    pub products: &'a BTreeMap<String, Arc<Product>>,
    pub coupons: &'a BTreeMap<u32, KnownCoupon>,
    pub content: &'a MessageContent,
    /// The `hosts` that the merchant granted the plugin.
    pub hosts: &'a [HostGrant],
    pub unsubscribe_url: Option<&'a str>,
}

/// A finished message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
    /// What was taken out or not found, for the log and the preview. Names no person.
    pub remarks: Vec<String>,
}

/// Why there is no message: a sentence with file and line, without a value of the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(pub String);

/// Mail programs cut a mail at about 100 KB; nothing sane is larger than this.
const LONGEST: usize = 512 * 1024;

/// Of characters; longer subjects are cut by every mail program.
const SUBJECT: usize = 150;

static INLINER: LazyLock<CSSInliner<'static>> = LazyLock::new(|| {
    CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_at_rules(true)
        .keep_link_tags(false)
        .minify_css(true)
        .build()
});

/// Renders a message. A template that fails gives an error, a text that is missing only a remark.
pub fn render(letter: &Letter<'_>) -> Result<Rendered, RenderError> {
    let message = letter.wording.message(letter.plugin, letter.template).map_err(RenderError)?;
    let voice = Voice::new(Arc::clone(letter.wording), letter.reader.clone(), letter.plugin.to_owned());
    let mut environment = message.environment();
    voice.teach(&mut environment, letter.products);
    furnish(&mut environment, letter);
    environment.add_global("blocks", Seen::from_object(Pieces::new(message.pieces())));
    let failed = |error: &Error| RenderError(sentence(letter.plugin, error));

    let template = environment.get_template(&message.name).map_err(|error| failed(&error))?;
    let mut captured = template.render_captured(()).map_err(|error| failed(&error))?;
    if captured.output().len() > LONGEST {
        return Err(RenderError(format!("{}: longer than {LONGEST} bytes", letter.template)));
    }
    let block = |captured: &mut minijinja::Captured<'_>, name: &str| {
        captured.with_state_mut(|state| match state.render_block(name) {
            Ok(html) => Ok(Some(plain::unescape(&html))),
            Err(error) if error.kind() == ErrorKind::UnknownBlock => Ok(None),
            Err(error) => Err(failed(&error)),
        })
    };
    let subject = one_line(&block(&mut captured, "subject")?.unwrap_or_default());
    if subject.is_empty() {
        return Err(RenderError(format!("{}.html: the block `subject` is empty; fill it", letter.template)));
    }
    let own_text = block(&mut captured, "text")?;

    let dom = html2text::config::plain()
        .parse_html(captured.output().as_bytes())
        .map_err(|error| RenderError(format!("the HTML cannot be read: {error}")))?;
    let mut remarks = links::clean(&dom, &allowed(letter));
    if !is_whole(&dom, captured.output()) {
        return Err(RenderError(format!(
            "{}.html: the HTML of the block `body` is not closed (a comment, a quote or a table is left open): it \
             swallows what stands below it",
            letter.template
        )));
    }
    let mut html = Vec::new();
    dom.serialize(&mut html).map_err(|error| RenderError(format!("the HTML cannot be written: {error}")))?;
    let html =
        String::from_utf8(html).map_err(|error| RenderError(format!("the HTML is not text: {error}")))?;
    let html =
        INLINER.inline(&html).map_err(|error| RenderError(format!("the CSS cannot be inlined: {error}")))?;
    let text = match own_text {
        Some(text) if !text.trim().is_empty() => format!("{}\n", text.trim()),
        _ => plain::text(&dom),
    };
    remarks.extend(voice.missing());
    Ok(Rendered { subject, html: tidy(&html), text, remarks })
}

/// The variables. They are the environment's, so that the shared pieces see them too.
fn furnish(environment: &mut Environment<'static>, letter: &Letter<'_>) {
    let view = View { wording: letter.wording, reader: letter.reader, plugin: letter.plugin };
    let content = letter.content;
    let customer = [("first_name", letter.first_name), ("company", letter.company)];
    environment.add_global("shop", View::shop(letter.shop));
    environment.add_global(
        "customer",
        Seen::from_pairs(customer.into_iter().filter_map(|(field, value)| Some((field, known(value)?)))),
    );
    environment.add_global("greeting", greeting(letter));
    if let Some(order) = letter.order {
        environment.add_global("order", view.order(order, letter.products));
    }
    environment.add_global("data", Seen::from(view.data(letter.data, letter.products, letter.coupons)));
    let recommendations: Vec<Seen> =
        content.recommendations.iter().take(6).map(View::recommendation).collect();
    environment.add_global("recommendations", recommendations);
    let notices: Vec<Seen> = content
        .notices
        .iter()
        .take(3)
        .map(|notice| {
            Seen::from_pairs([("text", notice.text.as_str()), ("severity", notice.severity.as_str())])
        })
        .collect();
    environment.add_global("notices", notices);
    environment.add_global("extras", content.blocks.iter().take(3).map(extra).collect::<Vec<_>>());
    environment.add_global("category", letter.category.name());
    environment.add_global("locale", letter.reader.locale.as_str());
    environment.add_global("now", view.instant(letter.reader.now_ms));
    if let Some(url) = letter.unsubscribe_url {
        environment.add_global("unsubscribe_url", url);
    }
}

/// The greeting line of every message (moment 44): by first name, a company by its name.
fn greeting(letter: &Letter<'_>) -> String {
    let name = known(letter.first_name);
    let company = known(letter.company);
    let kind = match (name, company) {
        (Some(_), Some(_)) => "both",
        (Some(_), None) => "named",
        (None, Some(_)) => "company",
        (None, None) => "nobody",
    };
    let text = |value: Option<&str>| Value::String(value.unwrap_or_default().to_owned());
    let arguments = [("kind", text(Some(kind))), ("name", text(name)), ("company", text(company))];
    letter.wording.host_text("mail-greeting", &arguments, letter.reader)
}

fn known(name: Option<&str>) -> Option<&str> {
    name.map(str::trim).filter(|name| !name.is_empty())
}

fn extra(block: &ShownBlock) -> Seen {
    let fields = [
        ("title", block.title.as_deref()),
        ("body", Some(block.body.as_str())),
        ("link", block.link.as_deref()),
        ("link_title", block.link_title.as_deref()),
        ("image", block.image.as_deref()),
    ];
    Seen::from_pairs(fields.into_iter().filter_map(|(name, value)| Some((name, known(value)?))))
}

fn allowed(letter: &Letter<'_>) -> Allowed {
    let shop = letter.shop;
    let mut allowed =
        Allowed::of_shop([Some(shop.url.as_str()), shop.contact.url.as_deref()].into_iter().flatten());
    allowed.grant(letter.hosts);
    let mail = shop.contact.email.as_deref().map(|email| format!("mailto:{email}"));
    let phone = shop.contact.phone.as_deref().map(super::view::phone_url);
    allowed.add([mail.as_deref(), phone.as_deref(), letter.unsubscribe_url].into_iter().flatten());
    let shipments = letter.order.into_iter().flat_map(|order| &order.shipments);
    allowed.add(shipments.filter_map(|shipment| shipment.tracking_url.as_deref()));
    for product in letter.products.values() {
        allowed.add([product.url.as_deref(), product.image.as_deref()].into_iter().flatten());
    }
    for shown in &letter.content.recommendations {
        allowed.add([shown.url.as_deref(), shown.image.as_deref()].into_iter().flatten());
    }
    for block in &letter.content.blocks {
        // Checked against the plugin's hosts where the content was merged.
        allowed.add([block.link.as_deref(), block.image.as_deref()].into_iter().flatten());
    }
    allowed
}

/// Whether what stands below the body in the layout stands there in the document too: a template that leaves
/// a comment or a table open would swallow the contact block and the legal line.
fn is_whole(dom: &RcDom, source: &str) -> bool {
    let expected = source.contains("class=\"legal\"");
    !expected || holds_outside_card(&dom.document)
}

fn holds_outside_card(node: &Handle) -> bool {
    if let Element { attrs, .. } = &node.data {
        let class = attrs
            .borrow()
            .iter()
            .find(|known| &*known.name.local == "class")
            .map(|known| known.value.to_string());
        match class.as_deref() {
            Some("legal") => return true,
            Some("card") => return false,
            _ => {}
        }
    }
    node.children.borrow().iter().any(holds_outside_card)
}

/// Without line breaks (they would end the header), control characters and more than a mail program shows.
fn one_line(text: &str) -> String {
    let words: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect::<String>();
    let line = words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SUBJECT {
        return line;
    }
    let cut: String = line.chars().take(SUBJECT - 1).collect();
    format!("{}…", cut.trim_end())
}

/// Without blank lines, and with the charset where a browser looks for it: inlining puts the style sheet that
/// is left first, and only the first 1024 bytes are searched (HTML, 13.2.3.2).
fn tidy(html: &str) -> String {
    const CHARSET: &str = "<meta charset=\"utf-8\">";
    let mut out = String::with_capacity(html.len());
    let html = html.replacen(CHARSET, "", 1).replacen("<head>", &format!("<head>{CHARSET}"), 1);
    for line in html.lines().filter(|line| !line.trim().is_empty()) {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// minijinja's error with file and line, in words for the person who wrote the template.
fn sentence(plugin: &str, error: &Error) -> String {
    let file = error.name().map_or(plugin, |name| name.strip_prefix("plugins/").unwrap_or(name));
    let place = match error.line() {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    };
    let cause = std::iter::successors(std::error::Error::source(error), |cause| cause.source()).last();
    let inner = cause.and_then(|cause| cause.downcast_ref::<Error>());
    let (kind, detail) = inner.map_or((error.kind(), error.detail()), |inner| (inner.kind(), inner.detail()));
    let what = match (kind, detail) {
        (ErrorKind::OutOfFuel, _) => {
            "does too much: it ran out of fuel (is there a loop without end?)".to_owned()
        }
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    format!("{place}: {what}")
}

#[cfg(test)]
mod tests;
