//! International bank account numbers (ISO 13616).

/// The length of the numbers of each country in the registry.
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 \
DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 \
KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 \
PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 \
YE30";

/// Reads an account number and returns it without spaces, in capital letters.
///
/// # Errors
/// Why it is none, without quoting it.
pub fn iban(text: &str) -> Result<String, &'static str> {
    if text.len() > 64 {
        return Err("the text is too long for an IBAN");
    }
    let number: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    if number.len() < 4 || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err("an IBAN has only letters and digits, and begins with its country");
    }
    let (country, rest) = number.split_at(2);
    let listed = LENGTHS.split_ascii_whitespace().find_map(|entry| entry.strip_prefix(country));
    let Some(length) = listed else { return Err("no country with such an IBAN is in the registry") };
    if length.parse() != Ok(number.len()) {
        return Err("the length is not that of the country's IBANs");
    }
    if !rest[..2].bytes().all(|b| b.is_ascii_digit()) {
        return Err("the third and the fourth character are digits");
    }
    // ISO 7064 MOD 97-10 over the number with its head put behind it, letters as 10 to 35.
    let moved = rest[2..].bytes().chain(number.bytes().take(4));
    let remainder = moved.fold(0_u32, |sum, b| match b {
        b'0'..=b'9' => (sum * 10 + u32::from(b - b'0')) % 97,
        _ => (sum * 100 + u32::from(b - b'A') + 10) % 97,
    });
    if remainder == 1 { Ok(number) } else { Err("the check digits are wrong") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_numbers_are_checked_by_country_and_digits() {
        for good in [
            "GB82 WEST 1234 5698 7654 32",
            "de89370400440532013000",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert!(iban(good).is_ok(), "{good}");
        }
        assert_eq!(iban("GB82 WEST 1234 5698 7654 32").as_deref(), Ok("GB82WEST12345698765432"));
        for (bad, why) in [
            ("", "only letters and digits"),
            ("GB82WEST12345698765431", "check digits"),
            ("GB28WEST12345698765432", "check digits"),
            ("GB82WEST1234569876543", "length"),
            ("CN82WEST12345698765432", "registry"),
            ("GBX2WEST12345698765432", "third and the fourth"),
            ("ＧＢ82", "only letters"),
        ] {
            let found = iban(bad).expect_err(bad);
            assert!(found.contains(why), "{bad}: {found}");
        }
    }
}
