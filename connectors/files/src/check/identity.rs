//! The rules of resident identity numbers (GB 11643).

use super::value::Problem;
use crate::problem::Said;
use hub_standards::identity::resident_check;
use hub_tree::jiff::civil::Date;

/// What a number says, and what is wrong with it.
#[derive(Default)]
pub(super) struct Resident {
    pub(super) birth: Option<Date>,
    /// `MALE` or `FEMALE`.
    pub(super) sex: Option<&'static str>,
    pub(super) problems: Vec<Problem>,
}

/// Reads a number whose blanks and dashes are gone.
pub(super) fn resident(number: &str, today: Date) -> Resident {
    let mut resident = Resident::default();
    let bytes = number.as_bytes();
    let (Some(body), Some(check), 18) = (bytes.get(..17), bytes.get(17), bytes.len()) else {
        resident.problems.push(length());
        return resident;
    };
    if !body.iter().all(u8::is_ascii_digit) || !(check.is_ascii_digit() || *check == b'X') {
        resident.problems.push(length());
        return resident;
    }
    if char::from(*check) != resident_check(body) {
        resident.problems.push((
            "ID_CHECKSUM",
            Said::new(
                "the check character of the identity number is wrong: a digit was mistyped",
                "身份证号校验位不正确，可能有数字录错",
            ),
        ));
    }
    let part = |from: usize, to: usize| number.get(from..to).unwrap_or_default();
    let birth = format!("{}-{}-{}", part(6, 10), part(10, 12), part(12, 14)).parse::<Date>().ok();
    resident.birth = birth.filter(|birth| *birth <= today && birth.year() >= 1850);
    if resident.birth.is_none() {
        resident.problems.push((
            "ID_BIRTH_DATE",
            Said::new(
                "the identity number holds a day of birth that does not exist or lies in the future",
                "身份证号中的出生日期不存在或晚于今天",
            ),
        ));
    }
    resident.sex = bytes.get(16).map(|digit| if digit % 2 == 1 { "MALE" } else { "FEMALE" });
    resident
}

fn length() -> Problem {
    (
        "ID_LENGTH",
        Said::new(
            "a resident identity number has 17 digits and a digit or X; those of 15 digits ended in 2013",
            "居民身份证号应为 17 位数字加 1 位数字或 X；15 位号码已于 2013 年停用",
        ),
    )
}
