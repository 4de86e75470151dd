//! `time_zone`: between TIMESTAMP, a moment, and the clock of a place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use binlog::value::Timestamp;
use jiff::tz::{Offset, TimeZone as Zone};

use crate::value::temporal::Moment;
use sql::error::SqlError;

/// A value of the `time_zone` variable.
#[derive(Debug, Clone)]
pub struct TimeZone {
    name: String,
    zone: Zone,
    /// Whether this value or a clone of it has told a time: see [`TimeZone::was_used`].
    used: Arc<AtomicBool>,
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &TimeZone) -> bool {
        self.name == other.name && self.zone == other.zone
    }
}

impl Eq for TimeZone {}

impl TimeZone {
    /// `+00:00`.
    #[must_use]
    pub fn utc() -> TimeZone {
        TimeZone {
            name: "+00:00".to_owned(),
            zone: Zone::UTC,
            used: Arc::default(),
        }
    }

    /// The zone that `SET time_zone = name` means: `SYSTEM`, `[+-]HH:MM` from -13:59 to +14:00, or a
    /// name of the IANA database. Error 1298 if there is none.
    pub fn by_name(name: &str) -> Result<TimeZone, SqlError> {
        let unknown = || SqlError::unknown_time_zone(name);
        let zone = if name.eq_ignore_ascii_case("SYSTEM") {
            Zone::system()
        } else if name.starts_with(['+', '-']) {
            Zone::fixed(offset(name).ok_or_else(unknown)?)
        } else {
            Zone::get(name).map_err(|_| unknown())?
        };
        Ok(TimeZone {
            name: canonical(name),
            zone,
            used: Arc::default(),
        })
    }

    /// The name as `@@time_zone` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Forgets that it told a time, before a statement runs.
    pub fn forget_use(&self) {
        self.used.store(false, Ordering::Relaxed);
    }

    /// Whether what the statement did depends on the zone, so that the log must name it.
    #[must_use]
    pub fn was_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    /// The clock of this zone at a moment; the zero date for the zero timestamp.
    #[must_use]
    pub fn to_local(&self, moment: Timestamp) -> Moment {
        self.used.store(true, Ordering::Relaxed);
        if moment == Timestamp::default() || self.zone == Zone::UTC {
            return moment.to_utc().into();
        }
        let Ok(instant) = jiff::Timestamp::from_second(i64::from(moment.seconds)) else {
            return moment.to_utc().into();
        };
        from_civil(self.zone.to_datetime(instant), moment.micros)
    }

    /// The clock of this zone at a second since 1970; `None` for the first second itself, before it
    /// and after 3001-01-18, where MySQL converts nothing.
    #[must_use]
    pub fn local_at(&self, seconds: i64, micros: u32) -> Option<Moment> {
        const LAST: i64 = 32_536_771_199;
        if !(1..=LAST).contains(&seconds) {
            return None;
        }
        self.clock_at(seconds, micros)
    }

    /// The clock of this zone at any second; `None` outside the years 0 to 9999.
    #[must_use]
    pub fn clock_at(&self, seconds: i64, micros: u32) -> Option<Moment> {
        let instant = jiff::Timestamp::from_second(seconds).ok()?;
        let civil = self.zone.to_datetime(instant);
        if civil.year() < 0 {
            return None;
        }
        Some(from_civil(self.zone.to_datetime(instant), micros))
    }

    /// The moment when the clock of this zone shows `local`: within a gap the gap's end, within a
    /// fold the earlier moment, as MySQL. `None` outside 1970 to 2106 and for impossible dates.
    #[must_use]
    pub fn to_moment(&self, local: Moment) -> Option<Timestamp> {
        self.used.store(true, Ordering::Relaxed);
        if local == Moment::default() || self.zone == Zone::UTC {
            return Timestamp::from_utc(local.into());
        }
        let civil = to_civil(local)?;
        let ambiguous = self.zone.to_ambiguous_timestamp(civil);
        let instant = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Gap { after, .. } => {
                // The end of the gap is where the clock of the later offset begins.
                let late = after.to_timestamp(civil).ok()?;
                let transition = self.zone.following(late).next();
                transition.map_or(late, |transition| transition.timestamp())
            }
            _ => ambiguous.compatible().ok()?,
        };
        let seconds = u32::try_from(instant.as_second()).ok()?;
        Some(Timestamp {
            seconds,
            micros: local.micros,
        })
    }
}

fn canonical(name: &str) -> String {
    if name.eq_ignore_ascii_case("SYSTEM") {
        "SYSTEM".to_owned()
    } else {
        name.to_owned()
    }
}

fn offset(name: &str) -> Option<Offset> {
    let (hours, minutes) = name.get(1..)?.split_once(':')?;
    if hours.is_empty() || hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let total: i32 = hours
        .parse::<u8>()
        .ok()
        .map(|hours| i32::from(hours) * 60)?
        + minutes
            .parse::<u8>()
            .ok()
            .filter(|minutes| *minutes < 60)
            .map(i32::from)?;
    let signed = if name.starts_with('-') { -total } else { total };
    if !(-(13 * 60 + 59)..=14 * 60).contains(&signed) {
        return None;
    }
    Offset::from_seconds(signed * 60).ok()
}

fn from_civil(civil: jiff::civil::DateTime, micros: u32) -> Moment {
    Moment {
        year: u16::try_from(civil.year()).unwrap_or_default(),
        month: civil.month().unsigned_abs(),
        day: civil.day().unsigned_abs(),
        hour: civil.hour().unsigned_abs(),
        minute: civil.minute().unsigned_abs(),
        second: civil.second().unsigned_abs(),
        micros,
    }
}

fn to_civil(local: Moment) -> Option<jiff::civil::DateTime> {
    jiff::civil::DateTime::new(
        i16::try_from(local.year).ok()?,
        i8::try_from(local.month).ok()?,
        i8::try_from(local.day).ok()?,
        i8::try_from(local.hour).ok()?,
        i8::try_from(local.minute).ok()?,
        i8::try_from(local.second).ok()?,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(hour: u8, minute: u8) -> Moment {
        Moment {
            year: 2024,
            month: 3,
            day: 31,
            hour,
            minute,
            ..Moment::default()
        }
    }

    #[test]
    fn offsets_move_the_clock() {
        let zone = TimeZone::by_name("+05:30").unwrap();
        let moment = zone.to_moment(local(5, 30)).unwrap();
        assert_eq!(Moment::from(moment.to_utc()), local(0, 0));
        assert_eq!(zone.to_local(moment), local(5, 30));
    }

    #[test]
    fn a_time_within_the_spring_gap_is_the_end_of_the_gap() {
        let zone = TimeZone::by_name("Europe/Berlin").unwrap();
        let moment = zone.to_moment(local(2, 30)).unwrap();
        assert_eq!(Moment::from(moment.to_utc()), local(1, 0));
        assert_eq!(zone.to_local(moment), local(3, 0));
    }

    #[test]
    fn the_zero_date_is_the_same_everywhere() {
        let zone = TimeZone::by_name("-08:00").unwrap();
        assert_eq!(
            zone.to_moment(Moment::default()),
            Some(Timestamp::default())
        );
        assert_eq!(zone.to_local(Timestamp::default()), Moment::default());
    }

    #[test]
    fn unknown_zones_are_refused_as_mysql_does() {
        for name in ["Mars/Olympus", "+15:00", "+1", "-14:00", "+01:60"] {
            let error = TimeZone::by_name(name).unwrap_err();
            assert_eq!(
                error.message,
                format!("Unknown or incorrect time zone: '{name}'")
            );
        }
    }
}
