//! `time_zone`: between TIMESTAMP, a moment, and the clock of a place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use binlog::value::Timestamp;
use jiff::tz::{Offset, TimeZone as Zone};

use crate::value::temporal::{MICROS, Moment, Span, day_number, from_day_number};
use sql::error::SqlError;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The day number of 0001-01-01.
const FIRST_OF_YEAR_ONE: i64 = 366;
/// The day number of 0004-01-01.
const FIRST_OF_LEAP_YEAR: i64 = 1_461;
/// The day number of 9999-12-31.
const LAST_OF_ALL: i64 = 3_652_424;

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
        self.clock_at(seconds, micros).ok()
    }

    /// The clock of this zone at any second; outside the years 0 to 9999 an error of what MySQL shows
    /// of it. The year 0 has a 29 February, but no 31 December.
    pub fn clock_at(&self, seconds: i64, micros: u32) -> Result<Moment, String> {
        // No zone changes its offset within a day of the calendar's end.
        let instant = jiff::Timestamp::from_second(seconds).unwrap_or(match seconds {
            ..0 => jiff::Timestamp::MIN,
            0.. => jiff::Timestamp::MAX,
        });
        let local = seconds.saturating_add(self.zone.to_offset(instant).seconds().into());
        let (days, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let days = days.saturating_add(day_number(1970, 1, 1));
        let clock = Span(time.saturating_mul(MICROS).saturating_add(micros.into()));
        match (days, from_day_number(days)) {
            (_, Some((year, month, day))) => Ok(Moment::date(year, month, day).at(clock)),
            (1.., None) if days < FIRST_OF_YEAR_ONE => {
                let (_, month, day) =
                    from_day_number(days - 1 + FIRST_OF_LEAP_YEAR).unwrap_or_default();
                Ok(Moment::date(0, month, day).at(clock))
            }
            (1.., None) => Err(format!(
                "0000-01-{:02} {}",
                days.saturating_sub(LAST_OF_ALL),
                Span(time * MICROS).text(0)
            )),
            (_, None) => Err(format!(
                "0095-12-{:02} {}",
                days.saturating_add(31),
                Span(time * MICROS).text(0)
            )),
        }
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
