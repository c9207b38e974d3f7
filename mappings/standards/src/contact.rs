//! Telephone numbers (E.164) and e-mail addresses (RFC 5321, 6531).

/// A telephone number that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedPhone {
    /// E.164.
    pub e164: String,
    /// The extension, if one was written.
    pub extension: Option<String>,
}

/// Reads a telephone number; one without a country prefix needs the `region` (ISO 3166-1) that it was written in.
///
/// # Errors
/// Why it cannot be understood, without quoting it.
pub fn parse_phone(text: &str, region: Option<&str>) -> Result<ParsedPhone, &'static str> {
    let region = match region {
        Some(region) => Some(region.parse().map_err(|_| "the region is not known to the phone library")?),
        None => None,
    };
    if text.len() > 64 {
        return Err("the text is too long for a phone number");
    }
    let number = phonenumber::parse(region, text).map_err(|_| {
        if region.is_none() { "not a phone number with its country prefix" } else { "not a phone number" }
    })?;
    if !phonenumber::is_valid(&number) {
        return Err("no such phone number is in use");
    }
    let extension = number.extension().map(ToString::to_string);
    let e164 = number.format().mode(phonenumber::Mode::E164).to_string();
    let e164 = e164.split_once(";ext=").map_or(e164.as_str(), |(digits, _)| digits).to_owned();
    if e164.len() > 16 { Err("longer than 15 digits") } else { Ok(ParsedPhone { e164, extension }) }
}

/// Reads an e-mail address (RFC 5321, 6531 without quoted local parts): the domain is put in lower case, the part
/// before the @ stays as it is.
///
/// # Errors
/// Why it is no address, without quoting it.
pub fn parse_email(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let Some((local, domain)) = text.rsplit_once('@') else { return Err("there is no @ in it") };
    let bad = |c: char| c.is_whitespace() || c.is_control() || "()<>[]:;,\"\\@".contains(c);
    if local.is_empty()
        || local.len() > 64
        || local.contains(bad)
        || local.starts_with('.')
        || local.ends_with('.')
        || local.contains("..")
    {
        return Err("the part before the @ is not valid");
    }
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let labels = domain.split('.').count();
    if domain.len() > 253 || labels < 2 || !domain.split('.').all(label_ok) {
        return Err("the domain is not valid");
    }
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_need_a_prefix_or_a_region() {
        let phone = |text, region| parse_phone(text, region).map(|p| (p.e164, p.extension));
        assert_eq!(phone("138 0013 8000", Some("CN")), Ok(("+8613800138000".into(), None)));
        assert_eq!(phone("+34 600 11 22 33", None), Ok(("+34600112233".into(), None)));
        assert_eq!(phone("+1 650-253-0000 ext. 12", None), Ok(("+16502530000".into(), Some("12".into()))));
        for (text, region) in
            [("13800138000", None), ("12", Some("CN")), ("call me", Some("CN")), ("", None), ("+86", Some("XX"))]
        {
            assert!(phone(text, region).is_err(), "{text}");
        }
    }

    #[test]
    fn emails_keep_their_local_part() {
        assert_eq!(parse_email(" Li.Na@Example.COM ").as_deref(), Ok("Li.Na@example.com"));
        assert_eq!(parse_email("李娜@例子.公司").as_deref(), Ok("李娜@例子.公司"));
        for bad in ["", "a", "@b.c", "a@b", "a@@b.c", "a b@c.d", "a..b@c.d", "a@-b.c", "a@b.c,d@e.f", "<a@b.c>"] {
            assert!(parse_email(bad).is_err(), "{bad}");
        }
    }
}
