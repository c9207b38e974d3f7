//! Runs a quick expression.

use super::{Code, Constant, Got, Num, Quick, Reckon, Unsure};
use crate::ast::Operator;
use std::cmp::Ordering;

impl Quick {
    /// Its value. `slots`: those of the names, in the order of the scope.
    ///
    /// # Errors
    /// There is no quick answer; [`Expr::eval`](crate::Expr::eval) has one, or says what is wrong.
    pub fn run<'a>(&'a self, slots: &[Got<'a>]) -> Result<Got<'a>, Unsure> {
        run(&self.0, slots)
    }

    /// Its value, which is a number; `None` where it is absent.
    ///
    /// # Errors
    /// As of [`Quick::run`]; or it is something else.
    #[inline]
    pub fn number(&self, slots: &[Got<'_>]) -> Result<Option<Num>, Unsure> {
        number(&self.0, slots)
    }

    /// Its value, which is true or false; `None` where it is absent.
    ///
    /// # Errors
    /// As of [`Quick::run`]; or it is something else.
    #[inline]
    pub fn truth(&self, slots: &[Got<'_>]) -> Result<Option<bool>, Unsure> {
        truth(&self.0, slots)
    }

    /// The slot that it is, where it is nothing else.
    #[must_use]
    pub const fn slot(&self) -> Option<usize> {
        match &self.0 {
            Code::Slot(slot) => Some(*slot),
            _ => None,
        }
    }
}

fn run<'a>(code: &'a Code, slots: &[Got<'a>]) -> Result<Got<'a>, Unsure> {
    Ok(match code {
        Code::Constant(constant) => constant.got(),
        Code::Slot(slot) => slots.get(*slot).copied().ok_or(Unsure)?,
        Code::Not(inner) => truth(inner, slots)?.map_or(Got::Absent, |truth| Got::Bool(!truth)),
        Code::And(both) => known_decides(false, both, slots)?,
        Code::Or(both) => known_decides(true, both, slots)?,
        Code::Default(both) => match run(&both[0], slots)? {
            Got::Absent => run(&both[1], slots)?,
            got => got,
        },
        Code::Compare(operator, both) => {
            compare(*operator, run(&both[0], slots)?, run(&both[1], slots)?)?.map_or(Got::Absent, Got::Bool)
        }
        Code::If(parts) => run(branch(parts, slots)?, slots)?,
        Code::Exists(inner) => Got::Bool(!matches!(run(inner, slots)?, Got::Absent)),
        Code::Lookup(rows, key) => looked_up(rows, key, slots)?.map_or(Got::Absent, Constant::got),
        Code::Bracket(rows, inner) => match number(inner, slots)? {
            None => Got::Absent,
            Some(number) => {
                let row = rows.iter().take_while(|(from, _)| from.order(number).is_le()).last();
                row.map_or(Got::Absent, |(_, value)| value.got())
            }
        },
        Code::Minus(_) | Code::Reckon(..) | Code::Least(_) | Code::Most(_) | Code::Abs(_) | Code::Rounded(..) => {
            number(code, slots)?.map_or(Got::Absent, Got::Number)
        }
    })
}

/// A number, without the way through a value of any kind: passing one on through memory takes longer than to reckon with it.
fn number(code: &Code, slots: &[Got<'_>]) -> Result<Option<Num>, Unsure> {
    let got = match code {
        Code::Slot(slot) => slots.get(*slot).copied().ok_or(Unsure)?,
        Code::Constant(constant) => constant.got(),
        Code::Minus(inner) => return Ok(number(inner, slots)?.map(Num::negated)),
        Code::Reckon(how, both) => {
            let (Some(left), Some(right)) = (number(&both[0], slots)?, number(&both[1], slots)?) else {
                return Ok(None);
            };
            let result = match how {
                Reckon::Plus => left.plus(right),
                Reckon::Minus => left.minus(right),
                Reckon::Times => left.times(right),
                Reckon::Over => left.over(right),
            };
            return result.ok_or(Unsure).map(Some);
        }
        Code::If(parts) => return number(branch(parts, slots)?, slots),
        Code::Least(codes) => return extreme(Ordering::Greater, codes, slots),
        Code::Most(codes) => return extreme(Ordering::Less, codes, slots),
        Code::Abs(inner) => {
            let size = |number: Num| if number.is_negative() { number.negated() } else { number.unsigned_zero() };
            return Ok(number(inner, slots)?.map(size));
        }
        Code::Rounded(inner, places, strategy) => {
            return Ok(number(inner, slots)?.map(|number| number.rounded(*places, *strategy)));
        }
        Code::Lookup(rows, key) => looked_up(rows, key, slots)?.map_or(Got::Absent, Constant::got),
        _ => run(code, slots)?,
    };
    match got {
        Got::Number(number) => Ok(Some(number)),
        Got::Absent => Ok(None),
        _ => Err(Unsure),
    }
}

/// The part of an `if` that counts.
fn branch<'c>(parts: &'c [Code; 3], slots: &[Got<'_>]) -> Result<&'c Code, Unsure> {
    Ok(if truth(&parts[0], slots)?.ok_or(Unsure)? { &parts[1] } else { &parts[2] })
}

/// What stands under a key.
fn looked_up<'c>(
    rows: &'c [(Box<str>, Constant)],
    key: &Code,
    slots: &[Got<'_>],
) -> Result<Option<&'c Constant>, Unsure> {
    let key = match key {
        Code::Slot(slot) => slots.get(*slot).copied().ok_or(Unsure)?,
        key => run(key, slots)?,
    };
    match key {
        Got::Absent => Ok(None),
        Got::Text(key) => Ok(rows.iter().find(|(name, _)| **name == *key).map(|(_, value)| value)),
        // A number is a key by its digits.
        _ => Err(Unsure),
    }
}

fn truth(code: &Code, slots: &[Got<'_>]) -> Result<Option<bool>, Unsure> {
    if let Code::Compare(operator, both) = code
        && let (Some(left), Some(right)) = (leaf(&both[0], slots), leaf(&both[1], slots))
    {
        return by_order(*operator, left.order(right)).map(Some);
    }
    match run(code, slots)? {
        Got::Bool(truth) => Ok(Some(truth)),
        Got::Absent => Ok(None),
        _ => Err(Unsure),
    }
}

/// A number that only has to be read, as most that are compared are.
#[inline]
fn leaf(code: &Code, slots: &[Got<'_>]) -> Option<Num> {
    match code {
        Code::Slot(slot) => match slots.get(*slot) {
            Some(Got::Number(number)) => Some(*number),
            _ => None,
        },
        Code::Constant(Constant::Number(number)) => Some(*number),
        _ => None,
    }
}

/// `and`, `or`: what is known decides, what is absent stays absent.
fn known_decides<'a>(decides: bool, both: &[Code; 2], slots: &[Got<'_>]) -> Result<Got<'a>, Unsure> {
    let left = truth(&both[0], slots)?;
    if left == Some(decides) {
        return Ok(Got::Bool(decides));
    }
    Ok(match (left, truth(&both[1], slots)?) {
        (_, Some(right)) if right == decides => Got::Bool(decides),
        (Some(_), Some(right)) => Got::Bool(right),
        _ => Got::Absent,
    })
}

fn compare(operator: Operator, left: Got<'_>, right: Got<'_>) -> Result<Option<bool>, Unsure> {
    let equality = matches!(operator, Operator::Equal | Operator::Unequal);
    let order = match (left, right) {
        (Got::Absent, Got::Absent) if equality => Ordering::Equal,
        // Not the same; which is less is not asked.
        (Got::Absent, _) | (_, Got::Absent) if equality => Ordering::Less,
        (Got::Absent, _) | (_, Got::Absent) => return Ok(None),
        (Got::Number(left), Got::Number(right)) => left.order(right),
        (Got::Text(left), Got::Text(right)) => left.cmp(right),
        (Got::Date(left), Got::Date(right)) => left.cmp(&right),
        (Got::Bool(left), Got::Bool(right)) if equality => left.cmp(&right),
        _ => return Err(Unsure),
    };
    by_order(operator, order).map(Some)
}

/// Whether a comparison holds, by how its sides stand.
fn by_order(operator: Operator, order: Ordering) -> Result<bool, Unsure> {
    Ok(match operator {
        Operator::Equal => order.is_eq(),
        Operator::Unequal => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterEqual => order.is_ge(),
        _ => return Err(Unsure),
    })
}

/// The first of the numbers than which no other is less, or more; `gives_way` says how one stands to a better one.
fn extreme(gives_way: Ordering, codes: &[Code], slots: &[Got<'_>]) -> Result<Option<Num>, Unsure> {
    let mut best: Option<Num> = None;
    for code in codes {
        let number = number(code, slots)?.ok_or(Unsure)?;
        best = Some(match best {
            Some(best) if best.order(number) != gives_way => best,
            _ => number,
        });
    }
    Ok(best.map(Num::unsigned_zero))
}
