//! Dates for logs.

use std::time::{SystemTime, UNIX_EPOCH};

/// Year, month (1–12), day (1–31) and second of the day in UTC, by Howard Hinnant's `civil_from_days`.
pub fn civil(time: SystemTime) -> (u64, u8, u8, u64) {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let small = |n: u64| u8::try_from(n).unwrap_or(1);
    (year, small(month), small(day), seconds % 86_400)
}

/// `2026-11-23T21:50:10.000250Z`
pub fn timestamp(time: SystemTime) -> String {
    let (year, month, day, second) = civil(time);
    let micros = time.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_micros();
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn leap_days_and_year_ends_are_right() {
        let at = |seconds| civil(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), (1970, 1, 1, 0));
        assert_eq!(at(951_782_400), (2000, 2, 29, 0));
        assert_eq!(at(1_798_761_599), (2026, 12, 31, 86_399));
        assert_eq!(at(4_107_542_400), (2100, 3, 1, 0));
    }

    #[test]
    fn a_timestamp_has_microseconds() {
        assert_eq!(timestamp(UNIX_EPOCH + Duration::from_micros(1_795_470_610_000_250)), "2026-11-23T21:50:10.000250Z");
    }
}
