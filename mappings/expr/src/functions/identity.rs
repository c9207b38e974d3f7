//! Identifiers of people, organisations and accounts, and the ways to reach a person.

use super::{Call, FUNCTION, Function, Kind, optional, required};
use crate::types::Type;
use hub_standards::identity::{self, ResidentId, Sex};
use hub_standards::{contact, iban};
use hub_tree::Value;

const BASE: Function =
    Function { topic: "Identifiers", parameters: &[required("text", Kind::Any)], returns: |_| Type::Text, ..FUNCTION };

const VALID: Function = Function { returns: |_| Type::Bool, ..BASE };

const PHONE: &[super::Parameter] = &[required("text", Kind::Any), optional("region", Kind::Text)];

const RESIDENT: Function =
    Function { errors: &["The number is no Chinese resident id number: ask `cn_id_valid` first."], ..BASE };

fn resident(call: &Call<'_, '_>) -> Result<ResidentId, String> {
    identity::resident_id(call.scalar(0)?).or_else(|reason| call.refuse(0, reason))
}

fn phone(call: &Call<'_, '_>) -> Result<Result<contact::ParsedPhone, &'static str>, String> {
    let region = if call.has(1) { Some(call.text(1)?) } else { None };
    // The library reads a few thousand patterns.
    call.spend(200);
    Ok(contact::parse_phone(call.scalar(0)?, region))
}

pub(super) const ALL: &[Function] = &[
    Function {
        name: "cn_id_valid",
        doc: "Whether the text is a Chinese resident id number: province, day of birth and check character; 18 characters, or 15 digits of the old form.",
        example: ("cn_id_valid('11010519491231002X')", "true"),
        run: |call| Ok(Value::Bool(identity::resident_id(call.scalar(0)?).is_ok())),
        ..VALID
    },
    Function {
        name: "cn_id",
        doc: "A Chinese resident id number in its form of 18 characters.",
        example: ("cn_id('110105491231002')", "\"11010519491231002X\""),
        run: |call| Ok(call.new_text(&resident(call)?.number)),
        ..RESIDENT
    },
    Function {
        name: "cn_id_birth_date",
        returns: |_| Type::Date,
        doc: "The day of birth that a Chinese resident id number says.",
        example: ("cn_id_birth_date('11010519491231002X')", "\"1949-12-31\""),
        run: |call| Ok(Value::Date(resident(call)?.birth)),
        ..RESIDENT
    },
    Function {
        name: "cn_id_sex",
        doc: "The sex that a Chinese resident id number says: MALE or FEMALE.",
        example: ("cn_id_sex('11010519491231002X')", "\"FEMALE\""),
        run: |call| {
            Ok(Value::Text(match resident(call)?.sex {
                Sex::Male => "MALE",
                Sex::Female => "FEMALE",
            }))
        },
        ..RESIDENT
    },
    Function {
        name: "cn_id_division",
        doc: "The six digits of the division that a Chinese resident id number was first issued in.",
        example: ("cn_id_division('11010519491231002X')", "\"110105\""),
        run: |call| Ok(call.new_text(&resident(call)?.division)),
        ..RESIDENT
    },
    Function {
        name: "uscc_valid",
        doc: "Whether the text is a unified social credit code of a Chinese organisation, by its check character.",
        example: ("uscc_valid('91350100M000100Y43')", "true"),
        run: |call| Ok(Value::Bool(identity::credit_code(call.scalar(0)?).is_ok())),
        ..VALID
    },
    Function {
        name: "iban_valid",
        doc: "Whether the text is an international bank account number, by its country's length and its check digits.",
        example: ("iban_valid('GB82 WEST 1234 5698 7654 32')", "true"),
        run: |call| Ok(Value::Bool(iban::iban(call.scalar(0)?).is_ok())),
        ..VALID
    },
    Function {
        name: "iban",
        doc: "An international bank account number without spaces, in capitals.",
        example: ("iban('gb82 west 1234 5698 7654 32')", "\"GB82WEST12345698765432\""),
        errors: &["The text is no IBAN: ask `iban_valid` first."],
        run: |call| match iban::iban(call.scalar(0)?) {
            Ok(number) => Ok(call.new_text(&number)),
            Err(reason) => call.refuse(0, reason),
        },
        ..BASE
    },
    Function {
        name: "phone",
        parameters: PHONE,
        doc: "A telephone number in E.164; one without a country prefix needs the country it was written in.",
        example: ("phone('138 0013 8000', 'CN')", "\"+8613800138000\""),
        errors: &["The text is no telephone number that is in use: ask `phone_valid` first.", "The region is unknown."],
        run: |call| match phone(call)? {
            Ok(phone) => Ok(call.new_text(&phone.e164)),
            Err(reason) => call.refuse(0, reason),
        },
        ..BASE
    },
    Function {
        name: "phone_valid",
        parameters: PHONE,
        doc: "Whether `phone` could read the text.",
        example: ("phone_valid('12', 'CN')", "false"),
        run: |call| Ok(Value::Bool(phone(call)?.is_ok())),
        ..VALID
    },
    Function {
        name: "email",
        parameters: &[required("text", Kind::Text)],
        doc: "An e-mail address, trimmed, its domain in small letters.",
        example: ("email(' Li.Na@Example.COM ')", "\"Li.Na@example.com\""),
        errors: &["The text is no e-mail address: ask `email_valid` first."],
        run: |call| match contact::parse_email(call.text(0)?) {
            Ok(address) => Ok(call.new_text(&address)),
            Err(reason) => call.refuse(0, reason),
        },
        ..BASE
    },
    Function {
        name: "email_valid",
        parameters: &[required("text", Kind::Text)],
        doc: "Whether the text is an e-mail address.",
        example: ("email_valid('li.na@example')", "false"),
        run: |call| Ok(Value::Bool(contact::parse_email(call.text(0)?).is_ok())),
        ..VALID
    },
    Function {
        name: "mask",
        parameters: &[required("text", Kind::Any), optional("first", Kind::Number), optional("last", Kind::Number)],
        doc: "The first (0 unless told) and the last (4 unless told) characters, stars for those between; all stars where nothing would be hidden.",
        example: ("mask('11010519491231002X', 3, 4)", "\"110***********002X\""),
        errors: &["A count is no whole number from 0 to 1,000,000."],
        run: |call| Ok(call.new_text(&identity::mask(call.scalar(0)?, call.size(1, 0)?, call.size(2, 4)?))),
        ..BASE
    },
];
