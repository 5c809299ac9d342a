//! Values of the vocabulary made of bytes, for property tests and for `tests/fuzz`: whatever a plugin may say, with
//! what is likely to do harm more often than chance would have it. The same bytes make the same values; when they
//! run out, all that follows is empty.
#![allow(clippy::indexing_slicing, reason = "tests alone are built with it")]

mod carts;
mod effects;

use super::money::MAX_AMOUNT;
use super::{Text, Value};

/// Bytes that decide what is made.
pub struct Anything<'a>(&'a [u8]);

/// Small, so that they collide; the first ones name something in [`Anything::cart`].
const IDS: [&str; 20] = [
    "1",
    "2",
    "gift",
    "mug",
    "a",
    "b",
    "north",
    "south",
    "card",
    "one/a",
    "two/a",
    "fallback/standard",
    "coupon/GOOD",
    "GOOD",
    "campaign",
    "",
    " ",
    "../../etc/passwd",
    "a\nb",
    "\u{202e}gpj",
];

const AMOUNTS: [i64; 16] = [
    0,
    1,
    500,
    999,
    -1,
    10_000,
    i64::MAX,
    i64::MIN,
    MAX_AMOUNT,
    MAX_AMOUNT + 1,
    -MAX_AMOUNT,
    MAX_AMOUNT / 2,
    MAX_AMOUNT - 5_000,
    u32::MAX as i64,
    i64::MAX - 1,
    7,
];

/// Keys of [`Anything::TEXTS`], and some that are nobody's.
const KEYS: [&str; 16] = [
    "",
    "plain",
    "one",
    "twice",
    "lines",
    "turned",
    "plural",
    "when",
    "large",
    "attributed.label",
    "coupon-percent",
    "nowhere",
    "code-unknown",
    "one.nowhere",
    "-term",
    "\u{0}",
];

const NAMES: [&str; 6] = ["x", "y", "n", "at", "", "x\u{0}"];

const PHRASES: [&str; 22] = [
    "",
    "Tomorrow",
    "Zażółć gęślą jaźń",
    "two\nlines",
    "a\r\nBcc: eve@shop.example",
    "tab\tand\u{0}nul\u{7f}\u{85}",
    "\u{202e}gpj.exe\u{202c}",
    "\u{2066}isolated\u{2069}\u{2028}\u{2029}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{ 'pw' ~ 'ned' }}",
    "{% set x = 'pw' %}{{ x }}ned",
    "{ $x }",
    "{ plain }",
    "{\"pw\"}{\"ned\"}",
    "${'pw'+'ned'}",
    "\\u202e \\n",
    "javascript:alert(1)",
    "e\u{301}\u{200d}\u{fe0f}",
    "\u{feff}\u{fffd}\u{10ffff}",
    "😀",
    "%n%s%x",
];

const LINKS: [&str; 26] = [
    "/sale",
    "https://shop.example/sale",
    "https://help.example.org/",
    "sale",
    "",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "https:evil.example",
    "https:/shop.example",
    "https://evil.example/?https://shop.example",
    "https://shop.example@evil.example/",
    "https://user:pass@shop.example/",
    "https://shop.example:8443/",
    "http://shop.example/",
    "https://shop.example.evil.example/",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>",
    "ht\ttps://shop.example/",
    " https://shop.example/",
    "https://shop.example/\u{202e}",
    "/a\u{0}b\u{202e}",
    "/\u{9}/evil.example",
    "https://[::1]/",
    "https://SHOP.EXAMPLE\u{3002}evil.example/",
];

const DATES: [&str; 9] = [
    "2026-12-01",
    "2026-12-03",
    "2026-11-28",
    "2026-11-01",
    "9999-12-31",
    "-009999-01-01",
    "2026-02-30",
    "2026-12-01T08:00",
    "Monday\u{202e}",
];

impl<'a> Anything<'a> {
    /// Fluent texts of a plugin to which [`text`](Self::text) refers.
    pub const TEXTS: &'static str = "plain = Hello\n\
        one = To { $x }\n\
        twice = { $x }{ $y }{ $x }{ $y }{ $x }{ $y }{ $x }{ $y }\n\
        lines =\n    one line\n    and { $x }\n\
        turned = { \"\\u202E\" }moc.elpmaxe{ \"\\u0007\" }\n\
        plural = { $n ->\n    [one] one piece\n   *[other] { $n } pieces\n }\n\
        when = { TIME($at) } { DATE($at) } { SHORT($at) } { RELATIVE($at) }\n\
        large = { twice }{ twice }{ twice }{ twice }{ twice }{ twice }{ twice }{ twice }\n\
        attributed = -\n    .label = Label { $x }\n\
        -term = term\n";

    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// More often the earlier ones, when there are many.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    /// None when the bytes have run out.
    pub fn list<T>(&mut self, most: usize, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let wanted = usize::from(self.byte()) % (most + 1);
        let mut items = Vec::new();
        while items.len() < wanted && !self.0.is_empty() {
            items.push(item(self));
        }
        items
    }

    pub fn maybe<T>(&mut self, item: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| item(self))
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    pub fn unsigned(&mut self) -> u32 {
        match self.byte() % 3 {
            0 => u32::from(self.byte()) * 100,
            1 => self.pick(&[0, 1, 9_999, 10_000, 10_001, u32::MAX]),
            _ => u32::from_le_bytes(self.bytes()),
        }
    }

    pub fn amount(&mut self) -> i64 {
        match self.byte() % 4 {
            0 | 1 => i64::from(u16::from_le_bytes(self.bytes())),
            2 => self.pick(&AMOUNTS),
            _ => i64::from_le_bytes(self.bytes()),
        }
    }

    /// UTC milliseconds; most often about when the tests play.
    pub fn instant(&mut self) -> i64 {
        if self.flag() { 1_795_856_400_000_i64.saturating_add(self.amount()) } else { self.amount() }
    }

    pub fn date(&mut self) -> String {
        if self.byte() < 16 { self.phrase() } else { self.pick(&DATES).to_owned() }
    }

    pub fn id(&mut self) -> String {
        match self.byte() {
            0..=7 => self.phrase(),
            8 => "x".repeat(200 + usize::from(self.byte())),
            _ => self.pick(&IDS).to_owned(),
        }
    }

    pub fn link(&mut self) -> String {
        if self.byte() < 16 { self.phrase() } else { self.pick(&LINKS).to_owned() }
    }

    /// Any text: known harm, what the bytes say, very long.
    pub fn phrase(&mut self) -> String {
        match self.byte() % 8 {
            0 => {
                let length = usize::from(self.byte() % 24);
                let (text, rest) = self.0.split_at(length.min(self.0.len()));
                self.0 = rest;
                String::from_utf8_lossy(text).into_owned()
            }
            1 => self.pick(&["x", "ż", "\u{202e}", "\n", "{", "😀 "]).repeat(usize::from(self.byte()) * 40),
            2 => self.pick(&PHRASES).to_owned() + self.pick(&PHRASES),
            _ => self.pick(&PHRASES).to_owned(),
        }
    }

    pub fn value(&mut self) -> Value {
        match self.byte() % 9 {
            0 => Value::String(self.phrase()),
            1 => Value::Text(self.pick(&KEYS).to_owned()),
            2 => Value::Int(self.amount()),
            3 => Value::Money(self.amount()),
            4 => Value::Instant(self.instant()),
            5 => Value::Date(self.date()),
            6 => Value::Url(self.link()),
            7 => Value::Products(self.list(3, Self::id)),
            _ => Value::Coupon(self.unsigned()),
        }
    }

    pub fn values(&mut self) -> Vec<(String, Value)> {
        self.list(6, |any| (any.pick(&NAMES).to_owned(), any.value()))
    }

    pub fn text(&mut self) -> Text {
        Text { key: self.pick(&KEYS).to_owned(), args: self.values(), fallback: self.phrase() }
    }
}
