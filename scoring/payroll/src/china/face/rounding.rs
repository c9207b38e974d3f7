//! An amount by each named rounding.

use crate::money::ROUNDINGS;
use hub_calc::{Answer, Explain, Given, Wrong};
use hub_tree::Value;

pub(super) fn all<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let amount = given.number("amount")?;
    let mut answer = Answer::new(given.arena());
    for (word, chinese, rounding) in ROUNDINGS {
        let rounded = rounding.apply(&amount).to_places(rounding.places);
        let text = format!("{chinese}: {amount} → {rounded}");
        answer = answer.text(word, &rounded).because(Explain::leaf(
            text,
            Some("amount".to_owned()),
            Value::Text(given.arena().text(&rounded)),
        ));
    }
    Ok(answer)
}
