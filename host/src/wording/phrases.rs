//! The host's own phrases: how long, when as seen from today, what a coupon is worth.

use super::texts::Shown;
use super::{Reader, Wording, date, days_ahead, instant, local_date, percent, short_date, time};
use crate::domain::{CodeReason, Coupon, CouponValue, Value};

impl Wording {
    /// `2 h 10 min`.
    #[must_use]
    pub fn duration(&self, minutes: i64, reader: &Reader) -> String {
        let minutes = minutes.max(0);
        let (hours, rest) = (minutes / 60, minutes % 60);
        let shape = match (hours, rest) {
            (0, _) => "minutes",
            (_, 0) => "hours",
            _ => "both",
        };
        let arguments = [
            ("shape", Value::String(shape.to_owned())),
            ("hours", Value::Int(hours)),
            ("minutes", Value::Int(rest)),
        ];
        self.host_text("duration", &arguments, reader)
    }

    /// `today`, `tomorrow`, `yesterday`, else the date.
    #[must_use]
    pub fn relative_date(&self, iso: &str, reader: &Reader) -> String {
        match days_ahead(iso, reader) {
            Some(0) => self.host_text("today", &[], reader),
            Some(1) => self.host_text("tomorrow", &[], reader),
            Some(-1) => self.host_text("yesterday", &[], reader),
            _ => date(iso, reader),
        }
    }

    /// `today, 23:59`, `tomorrow, 12:00`, else date and time.
    #[must_use]
    pub fn relative_instant(&self, at_ms: i64, reader: &Reader) -> String {
        let key = match days_ahead(&local_date(at_ms, reader), reader) {
            Some(0) => "today-at",
            Some(1) => "tomorrow-at",
            _ => return instant(at_ms, reader),
        };
        self.host_text(key, &[("time", Value::String(time(at_ms, reader)))], reader)
    }

    /// `10% off`, `€5.00 off`, `Free delivery`.
    #[must_use]
    pub fn coupon_value(&self, value: &CouponValue, reader: &Reader) -> String {
        match value {
            CouponValue::Percent(basis_points) => {
                let written = percent(*basis_points, &reader.locale);
                self.host_text("coupon-percent", &[("percent", Value::String(written))], reader)
            }
            CouponValue::Amount(amount) => {
                self.host_text("coupon-amount", &[("amount", Value::Money(*amount))], reader)
            }
            CouponValue::FreeDelivery => self.host_text("coupon-free-delivery", &[], reader),
        }
    }

    /// Why a code does not help: `This code was valid until Monday 30 November, 23:59.`
    #[must_use]
    pub fn code_reason(&self, reason: CodeReason, coupon: Option<&Coupon>, reader: &Reader) -> String {
        let mut arguments = Vec::new();
        if let Some(at_ms) = coupon.and_then(|coupon| coupon.expires_at) {
            arguments.push(("when", Value::Instant(at_ms)));
        }
        if let Some(least) = coupon.and_then(|coupon| coupon.min_subtotal) {
            arguments.push(("amount", Value::Money(least)));
        }
        self.host_text(&format!("code-{}", reason.name()), &arguments, reader)
    }

    /// An instant in all its forms.
    #[must_use]
    pub fn shown_instant(&self, at_ms: i64, reader: &Reader) -> Shown {
        let day = local_date(at_ms, reader);
        Shown {
            text: instant(at_ms, reader),
            forms: vec![
                ("time", time(at_ms, reader)),
                ("date", date(&day, reader)),
                ("short", short_date(&day, reader)),
                ("relative", self.relative_instant(at_ms, reader)),
            ],
        }
    }

    /// A date in all its forms.
    #[must_use]
    pub fn shown_date(&self, iso: &str, reader: &Reader) -> Shown {
        Shown {
            text: date(iso, reader),
            forms: vec![("short", short_date(iso, reader)), ("relative", self.relative_date(iso, reader))],
        }
    }
}
