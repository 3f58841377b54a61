//! RFC 3339 to ms since the epoch, for the usual form and years. Other forms are declined.

/// Return ms since the epoch, rounded down; None for what only Python can tell.
pub fn rfc3339_ms(text: &[u8]) -> Option<i64> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let is_marked = |(at, mark): (usize, u8)| stamp[at] == mark;
    if ![(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .into_iter()
        .all(is_marked)
    {
        return None;
    }
    let year = two_digits(stamp, 0)? * 100 + two_digits(stamp, 2)?;
    let (month, day) = (two_digits(stamp, 5)?, two_digits(stamp, 8)?);
    let (hour, minute, second) = (two_digits(stamp, 11)?, two_digits(stamp, 14)?, two_digits(stamp, 17)?);
    let is_possible = (1971..9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !is_possible {
        return None;
    }
    let (fraction_ms, zone) = fraction(rest)?;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some((seconds - offset_minutes(zone)? * 60) * 1_000 + fraction_ms)
}

/// Split "[.digits]zone" into milliseconds, rounded down, and the zone.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', after)) = rest.split_first() else {
        return Some((0, rest));
    };
    let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=6).contains(&digits) {
        return None;
    }
    let digit = |at: usize| if at < digits { i64::from(after[at] - b'0') } else { 0 };
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), &after[digits..]))
}

fn offset_minutes(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (two_digits(zone, 1)?, two_digits(zone, 4)?);
            let offset = hours * 60 + minutes;
            (hours < 24 && minutes < 60).then_some(if *sign == b'+' { offset } else { -offset })
        }
        _ => None,
    }
}

fn two_digits(text: &[u8], at: usize) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(text[at])? * 10 + digit(text[at + 1])?)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, by Howard Hinnant's `days_from_civil`, for years from 1970.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
