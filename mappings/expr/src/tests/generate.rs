//! Random programs that are well typed: syntax trees grown from the type that is wanted.

use super::world::{self, KEYS, NUMBERS, STAGES, TEXTS};
use crate::ast::{Ast, AstKind, At, Operator};
use crate::functions::{self, Function, Kind};
use crate::parse::parse;
use crate::types::Type;

/// Decisions taken from a row of random numbers; when they run out every decision is the simplest one, so a failing
/// row shrinks to a small program.
pub(super) struct Choices {
    row: Vec<u16>,
    next: usize,
}

impl Choices {
    pub(super) fn new(row: &[u16]) -> Self {
        Self { row: row.to_vec(), next: 0 }
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let drawn = self.row.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        // The high end of the range comes last: small numbers choose what is simple.
        usize::from(drawn) * limit / 65_536
    }

    pub(super) fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == chance - 1
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

pub(super) struct Generator<'c> {
    pub(super) choices: &'c mut Choices,
    items: Vec<Type>,
    /// Whether an enum may stand for its value; a comparison would check the other side against its values.
    enums: bool,
}

fn node(kind: AstKind) -> Ast {
    Ast::new(At::default(), kind)
}

pub(super) fn call(name: &str, arguments: Vec<Ast>) -> Ast {
    node(AstKind::Call(name.to_owned(), At::default(), arguments))
}

fn key(base: Ast, key: &str) -> Ast {
    node(AstKind::Key(Box::new(base), key.to_owned(), At::default()))
}

fn name(name: &str) -> Ast {
    node(AstKind::Name(name.to_owned()))
}

fn text(text: &str) -> Ast {
    node(AstKind::Text(text.to_owned()))
}

fn number(text: &str) -> Ast {
    let plain = node(AstKind::Number(text.trim_start_matches('-').to_owned()));
    if text.starts_with('-') { node(AstKind::Minus(Box::new(plain))) } else { plain }
}

fn binary(operator: Operator, left: Ast, right: Ast) -> Ast {
    node(AstKind::Binary(operator, Box::new(left), Box::new(right)))
}

const SCALARS: &[Type] = &[Type::Number, Type::Text, Type::Bool, Type::Date, Type::DateTime];

impl<'c> Generator<'c> {
    pub(super) fn new(choices: &'c mut Choices) -> Self {
        Self { choices, items: Vec::new(), enums: true }
    }

    /// A program of a random type.
    pub(super) fn program(&mut self) -> Ast {
        let depth = self.choices.below(6);
        let wanted = self.some_type();
        self.expr(&wanted, depth)
    }

    fn some_type(&mut self) -> Type {
        match self.choices.below(8) {
            0..=4 => self.choices.pick(SCALARS),
            5 => Type::list(self.choices.pick(SCALARS)),
            6 => Type::Any,
            _ => Type::list(Type::Any),
        }
    }

    /// One type for both sides of a choice.
    fn settle(&mut self, wanted: &Type) -> Type {
        match wanted {
            Type::Any => self.choices.pick(SCALARS),
            Type::List(item) => Type::list(self.settle(item)),
            other => other.clone(),
        }
    }

    fn item_type(&mut self) -> Type {
        if self.choices.one_in(3) { world::email() } else { self.some_type() }
    }

    /// An expression that may be of type `wanted`.
    pub(super) fn expr(&mut self, wanted: &Type, depth: usize) -> Ast {
        if depth == 0 {
            return self.leaf(wanted);
        }
        match self.choices.below(16) {
            0..=2 => self.leaf(wanted),
            3 => {
                let wanted = &self.settle(wanted);
                let condition = self.expr(&Type::Bool, depth - 1);
                let then = self.expr(wanted, depth - 1);
                let otherwise = if self.choices.one_in(4) { node(AstKind::Null) } else { self.expr(wanted, depth - 1) };
                call("if", vec![condition, then, otherwise])
            }
            4 => {
                let wanted = &self.settle(wanted);
                let left = self.expr(wanted, depth - 1);
                let right = self.expr(wanted, depth - 1);
                binary(Operator::Default, left, right)
            }
            5 => {
                let list = self.list_of(wanted, depth - 1);
                let name = self.choices.pick(&["first", "last"]);
                call(name, vec![list])
            }
            6 => {
                let list = self.list_of(wanted, depth - 1);
                let index = match self.choices.below(4) {
                    3 => self.expr(&Type::Number, depth - 1),
                    index => number(&index.to_string()),
                };
                node(AstKind::Index(Box::new(list), Box::new(index)))
            }
            7 | 8 => self.call_for(wanted, depth),
            _ => self.operation(wanted, depth),
        }
    }

    fn operation(&mut self, wanted: &Type, depth: usize) -> Ast {
        match wanted {
            Type::Bool => self.condition(depth),
            Type::Number => {
                if self.choices.one_in(6) {
                    let inner = self.expr(&Type::Number, depth - 1);
                    return node(AstKind::Minus(Box::new(inner)));
                }
                let operator =
                    self.choices.pick(&[Operator::Add, Operator::Subtract, Operator::Multiply, Operator::Divide]);
                let left = self.expr(&Type::Number, depth - 1);
                binary(operator, left, self.expr(&Type::Number, depth - 1))
            }
            Type::Text => {
                let (left, right) = (self.choices.pick(SCALARS), self.choices.pick(SCALARS));
                let left = self.expr(&left, depth - 1);
                binary(Operator::Join, left, self.expr(&right, depth - 1))
            }
            Type::List(item) => self.list_of(item, depth),
            _ => self.call_for(wanted, depth),
        }
    }

    fn condition(&mut self, depth: usize) -> Ast {
        use Operator as O;
        match self.choices.below(8) {
            0 | 1 => {
                let operator = self.choices.pick(&[O::And, O::Or]);
                let left = self.expr(&Type::Bool, depth - 1);
                binary(operator, left, self.expr(&Type::Bool, depth - 1))
            }
            2 => {
                let inner = self.expr(&Type::Bool, depth - 1);
                node(AstKind::Not(Box::new(inner)))
            }
            3 => {
                let ty = self.choices.pick(SCALARS);
                let before = std::mem::replace(&mut self.enums, false);
                let left = self.expr(&ty, depth - 1);
                let right = self.list_of(&ty, depth - 1);
                self.enums = before;
                binary(O::In, left, right)
            }
            4 => {
                let stage = key(name("record"), "stage");
                let value = text(STAGES[self.choices.below(STAGES.len())]);
                match self.choices.below(4) {
                    0 => binary(O::Equal, stage, value),
                    1 => binary(O::Unequal, value, stage),
                    2 => binary(O::In, stage, node(AstKind::List(vec![value]))),
                    _ => binary(O::In, value, key(name("record"), "stages")),
                }
            }
            5 => {
                let ty = self.item_type();
                let list = self.list_of(&ty, depth - 1);
                let name = self.choices.pick(&["any", "all"]);
                self.each(name, list, &ty, &Type::Bool, depth)
            }
            6 => {
                let ty = self.some_type();
                let name = self.choices.pick(&["exists", "is_null"]);
                call(name, vec![self.expr(&ty, depth - 1)])
            }
            _ => {
                let operator =
                    self.choices.pick(&[O::Equal, O::Unequal, O::Less, O::LessEqual, O::Greater, O::GreaterEqual]);
                let ty = self.choices.pick(&[Type::Number, Type::Text, Type::Date, Type::DateTime]);
                let before = std::mem::replace(&mut self.enums, false);
                let left = self.expr(&ty, depth - 1);
                let right = self.expr(&ty, depth - 1);
                self.enums = before;
                binary(operator, left, right)
            }
        }
    }

    fn each(&mut self, form: &str, list: Ast, item: &Type, body: &Type, depth: usize) -> Ast {
        // Of what is picked from anywhere nothing is known; only a payload's items have a payload's keys.
        let unknown = *item == Type::Any && !matches!(&list.kind, AstKind::Key(_, key, _) if key == "list");
        self.items.push(if unknown { Type::Nothing } else { item.clone() });
        let body = self.expr(body, depth.saturating_sub(1));
        self.items.pop();
        call(form, vec![list, body])
    }

    /// A list whose items may be of type `item`.
    fn list_of(&mut self, item: &Type, depth: usize) -> Ast {
        if depth == 0 {
            return self.leaf(&Type::list(item.clone()));
        }
        match self.choices.below(6) {
            0 | 1 => self.leaf(&Type::list(item.clone())),
            2 => {
                let items = (0..self.choices.below(4)).map(|_| self.expr(item, depth - 1)).collect();
                node(AstKind::List(items))
            }
            3 => {
                let list = self.list_of(item, depth - 1);
                self.each("where", list, item, &Type::Bool, depth)
            }
            4 => call("unique", vec![self.list_of(item, depth - 1)]),
            _ => {
                let of = self.item_type();
                let list = self.list_of(&of, depth - 1);
                self.each("map", list, &of, item, depth)
            }
        }
    }

    /// A call of some function whose result may be of type `wanted`.
    fn call_for(&mut self, wanted: &Type, depth: usize) -> Ast {
        let fits = |function: &&'static Function| {
            let types: Vec<Type> = function.parameters.iter().filter(|p| !p.optional).map(|p| p.ty.to_type()).collect();
            let result = (function.returns)(&types);
            let any_list = *wanted == Type::list(Type::Any) && matches!(result, Type::List(_));
            result == *wanted || *wanted == Type::Any || any_list
        };
        let known: Vec<&'static Function> = functions::all().filter(fits).collect();
        if known.is_empty() {
            return self.leaf(wanted);
        }
        let function = self.choices.pick(&known);
        // Formats, zones and the like are hard to guess: its example knows them.
        let example = parse(function.example.0).ok().map(|ast| ast.kind);
        if let Some(AstKind::Call(name, at, mut arguments)) = example
            && name == function.name
            && self.choices.one_in(3)
        {
            let index = self.choices.below(arguments.len().max(1));
            if let (Some(argument), Some(parameter)) = (arguments.get_mut(index), function.parameter(index)) {
                *argument = self.argument(parameter.ty, depth);
            }
            return node(AstKind::Call(name, at, arguments));
        }
        let optional = function.parameters.len() - function.least();
        let more = if function.repeats { 2 } else { 0 };
        let count = function.least() + self.choices.below(optional + more + 1);
        let arguments = (0..count)
            .map(|index| {
                let ty = function.parameter(index).map_or(Kind::Any, |parameter| parameter.ty);
                self.argument(ty, depth)
            })
            .collect();
        call(function.name, arguments)
    }

    fn argument(&mut self, kind: Kind, depth: usize) -> Ast {
        match kind {
            Kind::Any => {
                let ty = self.some_type();
                self.expr(&ty, depth - 1)
            }
            kind => self.expr(&kind.to_type(), depth - 1),
        }
    }

    fn leaf(&mut self, wanted: &Type) -> Ast {
        if self.choices.one_in(2)
            && let Some(path) = self.typed_path(wanted)
        {
            return path;
        }
        if self.choices.one_in(3) {
            return self.payload_path(wanted);
        }
        match wanted {
            Type::Nothing => node(AstKind::Null),
            Type::Bool => {
                let value = self.choices.one_in(2);
                node(AstKind::Bool(value))
            }
            Type::Number => {
                let literals: Vec<&str> =
                    NUMBERS.iter().copied().filter(|n| n.len() < 20 && !n.contains(['e', 'E'])).collect();
                number(self.choices.pick(&literals))
            }
            Type::Text => text(self.choices.pick(TEXTS)),
            Type::Date => {
                let day = world::day(self.choices).to_string();
                call("date", vec![text(&day)])
            }
            Type::DateTime => {
                let at = format!("{}T17:30:00.5+08:00", world::day(self.choices));
                call("datetime", vec![text(&at)])
            }
            Type::List(item) => {
                let items = (0..self.choices.below(3)).map(|_| self.leaf(item)).collect();
                node(AstKind::List(items))
            }
            Type::Any => {
                let ty = self.choices.pick(SCALARS);
                self.leaf(&ty)
            }
            Type::Record(_) => call("first", vec![key(name("record"), "emails")]),
            Type::Enum(_) => key(name("record"), "stage"),
        }
    }

    /// A path of the scope whose static type is the wanted one.
    fn typed_path(&mut self, wanted: &Type) -> Option<Ast> {
        fn collect(base: &Ast, ty: &Type, wanted: &Type, enums: bool, out: &mut Vec<Ast>) {
            let enum_as_text = enums && matches!(ty, Type::Enum(_)) && *wanted == Type::Text;
            if ty == wanted || enum_as_text || (*wanted == Type::list(Type::Any) && matches!(ty, Type::List(_))) {
                out.push(base.clone());
            }
            match ty {
                Type::Record(record) => {
                    for (field, ty) in &record.fields {
                        collect(&key(base.clone(), field), ty, wanted, enums, out);
                    }
                }
                Type::Enum(_) => collect(&key(base.clone(), "raw"), &Type::Text, wanted, enums, out),
                Type::List(item) => {
                    let first = node(AstKind::Index(Box::new(base.clone()), Box::new(number("0"))));
                    collect(&first, item, wanted, enums, out);
                }
                _ => {}
            }
        }
        let mut found = Vec::new();
        if let Some(item) = self.items.last() {
            collect(&name("item"), item, wanted, self.enums, &mut found);
        }
        for (slot, ty) in world::names() {
            collect(&name(slot), &ty, wanted, self.enums, &mut found);
        }
        (!found.is_empty()).then(|| self.choices.pick(&found))
    }

    /// A path into a payload, at whose end a value of the wanted type may lie.
    fn payload_path(&mut self, wanted: &Type) -> Ast {
        let mut base = match self.items.last() {
            Some(Type::Any) if self.choices.one_in(2) => name("item"),
            _ => name(self.choices.pick(&["payload", "alias"])),
        };
        for _ in 0..self.choices.below(3) {
            base = match self.choices.below(3) {
                0 => key(base, "deep"),
                1 => {
                    let index = self.choices.below(3).to_string();
                    node(AstKind::Index(Box::new(key(base, "list")), Box::new(number(&index))))
                }
                _ => call("get", vec![base, text("deep")]),
            };
        }
        let kinds = match wanted {
            Type::Number => "n",
            Type::Text | Type::Date | Type::DateTime => "t",
            Type::Bool => "b",
            Type::List(item) if **item == Type::Number => "N",
            Type::List(item) if **item == Type::Text => "T",
            Type::List(_) => "lNT",
            _ => "ntbm",
        };
        let keys: Vec<&str> = KEYS.iter().filter(|(_, kind)| kinds.contains(*kind)).map(|(key, _)| *key).collect();
        key(base, self.choices.pick(&keys))
    }
}
