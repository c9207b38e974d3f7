//! Identifiers of Chinese people and organisations: resident id numbers (GB 11643) and unified social credit codes
//! (GB 32100), and how such numbers are masked.

use hub_tree::jiff::civil::Date;

/// What a resident id number says.
#[derive(Clone, PartialEq, Eq)]
pub struct ResidentId {
    /// All 18 characters; a number of the old form is written in the new one.
    pub number: String,
    /// The division that issued it, six digits of GB 2260.
    pub division: String,
    /// The day of birth.
    pub birth: Date,
    /// The sex.
    pub sex: Sex,
}

/// The sex that the 17th digit stands for: odd is male.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// Male.
    Male,
    /// Female.
    Female,
}

/// Provinces of GB 2260, and 81 to 83 for residents from Hong Kong, Macao and Taiwan.
const PROVINCES: &str = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 \
71 81 82 83";

/// Reads a resident id number of 18 characters, or of the 15 digits that were issued until 1999. Numbers of
/// foreigners with permanent residence (18 characters that begin with 9) are read as well.
///
/// # Errors
/// Why it is none, without quoting it.
pub fn resident_id(text: &str) -> Result<ResidentId, &'static str> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digits = |range: &[u8]| range.iter().all(u8::is_ascii_digit);
    let number = match bytes.len() {
        18 if digits(&bytes[..17]) && (bytes[17].is_ascii_digit() || matches!(bytes[17], b'X' | b'x')) => {
            text.to_ascii_uppercase()
        }
        15 if digits(bytes) => {
            // These sequence numbers were kept for people who were a hundred years old already.
            let century = if matches!(&bytes[12..], b"996" | b"997" | b"998" | b"999") { "18" } else { "19" };
            let body = format!("{}{century}{}", &text[..6], &text[6..]);
            let check = resident_check(body.as_bytes());
            format!("{body}{check}")
        }
        15 | 18 => return Err("a resident id number has only digits, and X as its last character"),
        _ => return Err("a resident id number has 18 characters, or 15 in its old form"),
    };
    if !number.ends_with(resident_check(number.as_bytes())) {
        return Err("the check character is wrong");
    }
    let province = if number.starts_with('9') { &number[1..3] } else { &number[..2] };
    if !PROVINCES.split_ascii_whitespace().any(|known| known == province) {
        return Err("no province has these digits");
    }
    let birth = format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]);
    let Ok(birth) = birth.parse() else { return Err("the day of birth does not exist") };
    let sex = if number.as_bytes()[16] % 2 == 1 { Sex::Male } else { Sex::Female };
    Ok(ResidentId { division: number[..6].to_owned(), birth, sex, number })
}

/// The check character of the first 17 bytes, by ISO 7064 MOD 11-2; bytes that are no digits count as some digit.
#[must_use]
pub fn resident_check(digits: &[u8]) -> char {
    let sum = digits.iter().take(17).fold(0_u32, |sum, digit| (sum + u32::from(digit.wrapping_sub(b'0'))) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        check => char::from_digit(check, 10).unwrap_or('0'),
    }
}

/// The characters of unified social credit codes: no I, O, S, V, Z.
const CREDIT_CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Reads a unified social credit code and returns it in capital letters.
///
/// # Errors
/// Why it is none, without quoting it.
pub fn credit_code(text: &str) -> Result<String, &'static str> {
    let code = text.trim().to_ascii_uppercase();
    if code.chars().count() != 18 {
        return Err("a unified social credit code has 18 characters");
    }
    let mut values = Vec::with_capacity(18);
    for c in code.chars() {
        match CREDIT_CHARACTERS.find(c) {
            Some(value) => values.push(value),
            None => {
                return Err(
                    "a unified social credit code has only digits and capital letters other than I, O, S, V, Z",
                );
            }
        }
    }
    if values[2..8].iter().any(|value| *value > 9) {
        return Err("the third to the eighth character are digits");
    }
    let (sum, _) = values[..17].iter().fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % 31));
    if values[17] != (31 - sum % 31) % 31 {
        return Err("the check character is wrong");
    }
    Ok(code)
}

/// The first and the last characters, stars for those between. When nothing would be hidden, all of it is.
#[must_use]
pub fn mask(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let all = first.saturating_add(last) >= length;
    let shown = |index: usize| !all && (index < first || index + last >= length);
    text.chars().enumerate().map(|(index, c)| if shown(index) { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::jiff::civil::date;

    #[test]
    fn resident_ids_tell_birth_sex_and_division() {
        for (number, division, birth, sex) in [
            ("11010519491231002X", "110105", date(1949, 12, 31), Sex::Female),
            ("11010519491231002x", "110105", date(1949, 12, 31), Sex::Female),
            ("440524188001010014", "440524", date(1880, 1, 1), Sex::Male),
        ] {
            let Ok(id) = resident_id(number) else { panic!("{number}") };
            assert_eq!((id.division.as_str(), id.birth, id.sex), (division, birth, sex));
            assert_eq!(id.number, number.to_uppercase());
        }
    }

    #[test]
    fn fifteen_digits_are_upgraded_with_their_century() {
        let upgraded = |text| resident_id(text).map(|id| id.number);
        assert_eq!(upgraded("110105491231002").as_deref(), Ok("11010519491231002X"));
        assert_eq!(upgraded("440524800101001"), Ok(with_check("44052419800101001")));
        assert!(upgraded("440524990101998").is_ok_and(|number| number.starts_with("44052418990101998")));
    }

    #[test]
    fn every_wrong_character_of_a_resident_id_is_noticed() {
        let good = "11010519491231002X";
        for at in 0..17 {
            for digit in "0123456789".chars() {
                let mut wrong: Vec<char> = good.chars().collect();
                if wrong[at] == digit {
                    continue;
                }
                wrong[at] = digit;
                assert!(resident_id(&wrong.iter().collect::<String>()).is_err(), "digit {at} as {digit}");
            }
        }
        for (bad, why) in [
            ("", "18 characters"),
            ("110105194912310021", "check character"),
            ("1101051949123100２X", "18 characters"),
            ("1101051949X2310021", "only digits"),
            ("110105491332002", "does not exist"),
            ("990105491231002", "no province"),
        ] {
            let found = resident_id(bad).err().unwrap_or("nothing");
            assert!(found.contains(why), "{bad}: {found}");
        }
    }

    #[test]
    fn the_leap_day_of_a_century_is_checked() {
        assert!(resident_id(&with_check("11010520000229001")).is_ok());
        assert_eq!(resident_id(&with_check("11010519000229001")).err(), Some("the day of birth does not exist"));
    }

    fn with_check(body: &str) -> String {
        format!("{body}{}", resident_check(body.as_bytes()))
    }

    #[test]
    fn credit_codes_are_checked() {
        assert_eq!(credit_code("91350100M000100Y43").as_deref(), Ok("91350100M000100Y43"));
        assert_eq!(credit_code(" 91350100m000100y43 ").as_deref(), Ok("91350100M000100Y43"));
        for (bad, why) in [
            ("91350100M000100Y44", "check character"),
            ("91350100M000100Y4", "18 characters"),
            ("91350100O000100Y43", "other than I, O"),
            ("9135A100M000100Y43", "are digits"),
        ] {
            let found = credit_code(bad).expect_err(bad);
            assert!(found.contains(why), "{bad}: {found}");
        }
    }

    #[test]
    fn masks_never_show_all() {
        assert_eq!(mask("11010519491231002X", 3, 4), "110***********002X");
        assert_eq!(mask("1234", 2, 2), "****");
        assert_eq!(mask("李娜", 1, 0), "李*");
        assert_eq!(mask("", 3, 4), "");
        assert_eq!(mask("12", usize::MAX, usize::MAX), "**");
    }
}
