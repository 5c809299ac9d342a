//! The shop's calendar: working days, holidays and clocks. Pure.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Working days, holidays and the zone of a shop.
#[derive(Debug, Clone)]
pub struct Calendar {
    pub zone: TimeZone,
    working: Vec<Weekday>,
    holidays: Vec<Date>,
}

/// Searches give up after so many days without a working one.
const HORIZON: u32 = 3_660;

impl Calendar {
    /// An empty list of working days means every day.
    #[must_use]
    pub fn new(zone: TimeZone, working: Vec<Weekday>, holidays: Vec<Date>) -> Self {
        Self { zone, working, holidays }
    }

    #[must_use]
    pub fn is_working_day(&self, date: Date) -> bool {
        (self.working.is_empty() || self.working.contains(&date.weekday())) && !self.holidays.contains(&date)
    }

    /// `days` working days after `date`; 0: the date itself when it is one, else the next.
    /// Gives the last date it reached when ten years hold too few.
    #[must_use]
    pub fn add_working_days(&self, date: Date, days: u32) -> Date {
        let mut day = date;
        let mut left = days;
        for _ in 0..HORIZON {
            if self.is_working_day(day) {
                if left == 0 {
                    return day;
                }
                left -= 1;
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => return day,
            }
        }
        day
    }

    /// The date `days` later (or earlier); the date itself when there is none.
    #[must_use]
    pub fn add_days(date: Date, days: i32) -> Date {
        Span::new().try_days(days).and_then(|span| date.checked_add(span)).unwrap_or(date)
    }

    /// What a clock in `zone` shows at an instant (UTC milliseconds).
    #[must_use]
    pub fn local(at_ms: i64, zone: &TimeZone) -> jiff::civil::DateTime {
        zone.to_datetime(Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The instant (UTC milliseconds) when a clock in `zone` shows this; a time that a clock change
    /// skips is moved forward, one that comes twice is the first.
    #[must_use]
    pub fn instant(date: Date, time: Time, zone: &TimeZone) -> i64 {
        zone.to_ambiguous_zoned(date.to_datetime(time))
            .compatible()
            .map_or(0, |zoned| zoned.timestamp().as_millisecond())
    }
}
