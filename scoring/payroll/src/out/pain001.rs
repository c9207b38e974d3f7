//! Credit transfers as ISO 20022 `pain.001.001.09`: one file, one debtor account, one day, one transfer for each payslip.
//!
//! Element order is that of the schema of the message. Deliberately absent: several debtor accounts in one file, cheques.

use super::Problem;
use super::transfer::{Transfer, check, iban, number, text};
use hub_model::entities::pay::BankAccount;
use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeSet;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// What all transfers of a file share.
#[derive(Clone, Debug)]
pub struct Order {
    /// The id of the message, unique for the bank; at most 35 characters.
    pub message: String,
    /// When the file is made.
    pub created: Timestamp,
    /// The day on which the bank shall pay.
    pub execute_on: Date,
    /// The company that pays.
    pub debtor: String,
    /// The account that it pays from.
    pub account: BankAccount,
    /// The ISO 4217 currency of every transfer.
    pub currency: String,
    /// What the employee reads on the statement; at most 140 characters.
    pub purpose: String,
}

/// The file, as UTF-8 text.
///
/// # Errors
/// All that is wrong: what [`check`] finds, and texts that the message has no room for.
pub fn pain001(order: &Order, transfers: &[Transfer], confirmed: &BTreeSet<String>) -> Result<String, Vec<Problem>> {
    let mut problems = check(transfers, &order.currency, confirmed);
    let mut of_all = |field, wrong: Option<String>| problems.extend(wrong.map(|why| Problem::of_all(field, why)));
    of_all("message", unfit(&order.message, 35));
    of_all("debtor", unfit(&order.debtor, 140));
    of_all("purpose", unfit(&order.purpose, 140));
    of_all("account", unfit_account(&order.account));
    let iban = iban(&order.account).and_then(|iban| hub_standards::iban::iban(&iban).err());
    of_all("iban", iban.map(|why| format!("the account to pay from: {why}; correct it")));
    for one in transfers {
        let mut wrong =
            |field, why: Option<String>| problems.extend(why.map(|why| Problem::of(&one.employee_no, field, why)));
        wrong("payslip", unfit(&end_to_end(&one.payslip), 35));
        // A missing holder or number is told by `check`.
        wrong("holder", text(one.account.holder.as_ref()).and_then(|holder| unfit(holder, 140)));
        wrong("account_no", number(&one.account).and_then(|_| unfit_account(&one.account)));
    }
    let sum = transfers.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.amount));
    // The schema allows 18 digits, two of which stand behind the point here.
    let sum = sum.filter(|sum| *sum < Decimal::from(10_i64.pow(16)));
    match sum {
        Some(sum) if problems.is_empty() => Ok(write(order, transfers, sum)),
        None => {
            problems.push(Problem::of_all("amount", "the sum has more than 18 digits; split the file"));
            Err(problems)
        }
        Some(_) => Err(problems),
    }
}

/// Why a text does not fit: empty, too long, or with characters that XML cannot carry.
fn unfit(text: &str, most: usize) -> Option<String> {
    let long = text.chars().count();
    match () {
        () if text.trim().is_empty() => Some("it is empty; fill it in".to_owned()),
        () if long > most => Some(format!("it has {long} characters, the message has room for {most}; shorten it")),
        () if text.chars().any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')) => {
            Some("it has a control character; remove it".to_owned())
        }
        () => None,
    }
}

fn unfit_account(account: &BankAccount) -> Option<String> {
    unfit(&number(account).unwrap_or_default(), 34)
}

/// The id that comes back with the result: the payslip's, without the hyphens that would make a UUID too long.
fn end_to_end(payslip: &str) -> String {
    payslip.replace('-', "")
}

fn write(order: &Order, transfers: &[Transfer], sum: Decimal) -> String {
    let mut xml = Xml(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    let (count, sum) = (transfers.len().to_string(), amount(sum));
    xml.0.push_str(&format!("<Document xmlns=\"{NAMESPACE}\">"));
    xml.within("CstmrCdtTrfInitn", |xml| {
        xml.within("GrpHdr", |xml| {
            xml.leaf("MsgId", &order.message);
            xml.leaf("CreDtTm", &format!("{:.0}", order.created));
            xml.leaf("NbOfTxs", &count);
            xml.leaf("CtrlSum", &sum);
            xml.within("InitgPty", |xml| xml.leaf("Nm", &order.debtor));
        });
        xml.within("PmtInf", |xml| {
            xml.leaf("PmtInfId", &order.message);
            xml.leaf("PmtMtd", "TRF");
            xml.leaf("NbOfTxs", &count);
            xml.leaf("CtrlSum", &sum);
            xml.within("PmtTpInf", |xml| xml.within("CtgyPurp", |xml| xml.leaf("Cd", "SALA")));
            xml.within("ReqdExctnDt", |xml| xml.leaf("Dt", &order.execute_on.to_string()));
            xml.within("Dbtr", |xml| xml.leaf("Nm", &order.debtor));
            xml.account("DbtrAcct", &order.account, Some(&order.currency));
            xml.within("DbtrAgt", |xml| xml.bank(&order.account));
            for one in transfers {
                xml.transfer(one, &order.purpose);
            }
        });
    });
    xml.0.push_str("</Document>\n");
    xml.0
}

fn amount(of: Decimal) -> String {
    format!("{of:.2}")
}

struct Xml(String);

impl Xml {
    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>"));
        inside(self);
        self.0.push_str(&format!("</{name}>"));
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.within(name, |xml| xml.text(text));
    }

    fn text(&mut self, text: &str) {
        for c in text.trim().chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                c => self.0.push(c),
            }
        }
    }

    fn account(&mut self, name: &str, account: &BankAccount, currency: Option<&str>) {
        self.within(name, |xml| {
            xml.within("Id", |xml| match iban(account) {
                Some(iban) => xml.leaf("IBAN", &iban),
                None => xml.within("Othr", |xml| xml.leaf("Id", &number(account).unwrap_or_default())),
            });
            if let Some(currency) = currency {
                xml.leaf("Ccy", currency);
            }
        });
    }

    /// The bank: by BIC, else by CNAPS code; a bank that reads the IBAN alone wants to be told so.
    fn bank(&mut self, account: &BankAccount) {
        let (bic, cnaps) = (text(account.bic.as_ref()), text(account.cnaps.as_ref()));
        self.within("FinInstnId", |xml| match (bic, cnaps) {
            (Some(bic), _) => xml.leaf("BICFI", bic),
            (None, Some(code)) => xml.within("ClrSysMmbId", |xml| {
                xml.within("ClrSysId", |xml| xml.leaf("Cd", "CNAPS"));
                xml.leaf("MmbId", code);
            }),
            (None, None) => xml.within("Othr", |xml| xml.leaf("Id", "NOTPROVIDED")),
        });
    }

    fn transfer(&mut self, one: &Transfer, purpose: &str) {
        self.within("CdtTrfTxInf", |xml| {
            xml.within("PmtId", |xml| xml.leaf("EndToEndId", &end_to_end(&one.payslip)));
            xml.within("Amt", |xml| {
                xml.0.push_str(&format!("<InstdAmt Ccy=\"{}\">{}</InstdAmt>", one.currency, amount(one.amount)));
            });
            xml.within("CdtrAgt", |xml| xml.bank(&one.account));
            xml.within("Cdtr", |xml| xml.leaf("Nm", text(one.account.holder.as_ref()).unwrap_or_default()));
            xml.account("CdtrAcct", &one.account, None);
            xml.within("RmtInf", |xml| xml.leaf("Ustrd", purpose));
        });
    }
}

#[cfg(test)]
mod tests;
