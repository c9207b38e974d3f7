//! Transfers to employees, and what must hold before any bank is told to make them.

use super::Problem;
use hub_model::entities::pay::BankAccount;
use hub_tree::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// One payment of net pay.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The hub id of the payslip.
    pub payslip: String,
    /// The employee's number.
    pub employee_no: String,
    /// How much, in the major unit.
    pub amount: Decimal,
    /// Its ISO 4217 currency.
    pub currency: String,
    /// Where to.
    pub account: BankAccount,
    /// Whether the account is another one than at the last payment.
    pub changed: bool,
}

/// All that is wrong with the transfers of one file.
///
/// `currency` is that of the file. `confirmed` holds the numbers of the employees whose changed account a person has
/// confirmed: a swapped account is the commonest fraud on payroll, so a change alone never passes.
#[must_use]
pub fn check(transfers: &[Transfer], currency: &str, confirmed: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if transfers.is_empty() {
        problems.push(Problem::of_all("payments", "there is nothing to pay; leave out the file"));
    }
    let (mut payslips, mut people) = (BTreeSet::new(), BTreeSet::new());
    let mut accounts: BTreeMap<String, &str> = BTreeMap::new();
    for one in transfers {
        let mut wrong = |field, message: String| problems.push(Problem::of(&one.employee_no, field, message));
        if !payslips.insert(one.payslip.as_str()) {
            wrong("payslip", format!("payslip {} is already in the file; pay it once", one.payslip));
        } else if !people.insert(one.employee_no.as_str()) {
            wrong("employee_no", "this employee is already in the file; pay one payslip for each run".to_owned());
        }
        if one.amount <= Decimal::ZERO {
            wrong("amount", format!("{} is not above 0; leave it out or correct the payslip", one.amount));
        } else if one.amount.normalize().scale() > 2 {
            wrong("amount", format!("{} has more than 2 digits after the point; round the net", one.amount));
        }
        let paid_in = one.account.currency.as_ref().map_or(currency, |of| of.0.as_str());
        if one.currency != currency {
            wrong("currency", format!("the payslip is in {}, the file in {currency}", one.currency));
        } else if paid_in != currency {
            wrong("currency", format!("the account is in {paid_in}, the file in {currency}"));
        }
        if text(one.account.holder.as_ref()).is_none() {
            wrong("holder", "the account has no holder; the bank compares it".to_owned());
        }
        match number(&one.account) {
            None => wrong("account_no", "there is no account number and no IBAN; add one".to_owned()),
            Some(number) => match accounts.get(&number) {
                Some(other) if *other != one.employee_no => {
                    wrong("account_no", format!("employee {other} is paid to the same account; ask both"));
                }
                _ => drop(accounts.insert(number, &one.employee_no)),
            },
        }
        if let Some(Err(why)) = iban(&one.account).map(|iban| hub_standards::iban::iban(&iban)) {
            wrong("iban", format!("{why}; ask for it again"));
        }
        if text(one.account.bic.as_ref()).is_some_and(|bic| !is_bic(bic)) {
            wrong("bic", "a BIC has 8 or 11 characters: bank, country, place, branch".to_owned());
        }
        if text(one.account.cnaps.as_ref()).is_some_and(|code| !is_cnaps(code)) {
            wrong("cnaps", "a CNAPS code (联行号) has 12 digits".to_owned());
        }
        if one.changed && !confirmed.contains(&one.employee_no) {
            let message = "the account changed since the last payment; have a second person confirm it";
            wrong("account", message.to_owned());
        }
    }
    problems
}

/// Text that says something, without white space around it.
pub(crate) fn text(of: Option<&String>) -> Option<&str> {
    of.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// An IBAN as banks read it: no spaces, upper case.
pub(crate) fn iban(account: &BankAccount) -> Option<String> {
    text(account.iban.as_ref()).map(|iban| iban.replace(char::is_whitespace, "").to_uppercase())
}

/// A number of the account, without the spaces that people write in it; the IBAN where there is one.
pub(crate) fn number(account: &BankAccount) -> Option<String> {
    iban(account).or_else(|| text(account.account_no.as_ref()).map(|no| no.replace(char::is_whitespace, "")))
}

/// ISO 9362: four letters or digits, a country, two and maybe three more.
pub(crate) fn is_bic(bic: &str) -> bool {
    let country = bic.get(4..6).is_some_and(|country| country.bytes().all(|c| c.is_ascii_uppercase()));
    matches!(bic.len(), 8 | 11) && country && bic.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// 联行号: 12 digits.
pub(crate) fn is_cnaps(code: &str) -> bool {
    code.len() == 12 && code.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hub_model::scalars::Currency;

    /// A good transfer of an invented person.
    pub(crate) fn transfer(employee_no: &str, holder: &str, amount: &str, account_no: &str) -> Transfer {
        let account = BankAccount {
            holder: Some(holder.to_owned()),
            account_no: Some(account_no.to_owned()),
            cnaps: Some("102100099996".to_owned()),
            currency: Some(Currency("CNY".to_owned())),
            ..BankAccount::default()
        };
        Transfer {
            payslip: format!("payslip-{employee_no}"),
            employee_no: employee_no.to_owned(),
            amount: amount.parse().unwrap(),
            currency: "CNY".to_owned(),
            account,
            changed: false,
        }
    }

    fn found(transfers: &[Transfer], confirmed: &[&str]) -> Vec<(String, &'static str)> {
        let confirmed = confirmed.iter().map(|&number| number.to_owned()).collect();
        let problems = check(transfers, "CNY", &confirmed);
        problems.into_iter().map(|one| (one.employee_no.unwrap_or_default(), one.field)).collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let good = transfer("E1", "林晓雨", "12345.60", "6222 0210 0000 0001");
        assert_eq!(found(std::slice::from_ref(&good), &[]), []);
        let mut zero = transfer("E2", "Zoltán Fekete", "0", "6222021000000002");
        zero.currency = "HUF".to_owned();
        let mut bare = transfer("E3", " ", "-1.00", "");
        bare.account.cnaps = Some("10210009999".to_owned());
        let same = transfer("E4", "陈一鸣", "1.005", "6222021000000001");
        let wanted = [
            ("E2", "amount"),
            ("E2", "currency"),
            ("E3", "amount"),
            ("E3", "holder"),
            ("E3", "account_no"),
            ("E3", "cnaps"),
            ("E4", "amount"),
            ("E4", "account_no"),
            ("E1", "payslip"),
        ];
        let wanted: Vec<_> = wanted.into_iter().map(|(number, field)| (number.to_owned(), field)).collect();
        assert_eq!(found(&[good.clone(), zero, bare, same, good], &[]), wanted);
        assert_eq!(found(&[], &[]), [(String::new(), "payments")]);
    }

    #[test]
    fn a_changed_account_waits_for_a_person() {
        let mut one = transfer("E1", "林晓雨", "1", "6222021000000001");
        one.changed = true;
        assert_eq!(found(std::slice::from_ref(&one), &["E2"]), [("E1".to_owned(), "account")]);
        assert_eq!(found(&[one], &["E1"]), []);
    }

    #[test]
    fn codes_of_banks_and_accounts_are_right_or_refused() {
        let mut one = transfer("E1", "Zoltán Fekete", "1", "");
        one.account.iban = Some("hu42 1177 3016 1111 1018 0000 0000".to_owned());
        one.account.bic = Some("OTPVHUHB".to_owned());
        assert_eq!(found(std::slice::from_ref(&one), &[]), []);
        one.account.iban = Some("HU24 1177 3016 1111 1018 0000 0000".to_owned());
        one.account.bic = Some("OTPVHUH".to_owned());
        assert_eq!(found(&[one], &[]), [("E1".to_owned(), "iban"), ("E1".to_owned(), "bic")]);
        assert!(is_bic("DEUTDEFF500") && !is_bic("NWBK1B2L") && !is_bic("") && !is_bic("nwbkgb2l"));
        assert!(is_cnaps("102100099996") && !is_cnaps("10210009999x"));
    }
}
