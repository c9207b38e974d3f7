//! Names and types, checked before anything runs; the result is what the evaluator walks.

use crate::ast::{Ast, AstKind, At, Operator};
use crate::functions::{self, Function};
use crate::parse::parse;
use crate::reads::{self, Read};
use crate::scope::{Problem, Scope};
use crate::types::Type;
use crate::warn;
use hub_tree::finding::suggest;
use hub_tree::rust_decimal::Decimal;
use std::sync::Arc;

/// A checked expression, ready to run any number of times.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(crate) text: Arc<str>,
    pub(crate) root: Node,
    pub(crate) names: Arc<[String]>,
    ty: Type,
    reads: Vec<Read>,
    source: Option<Read>,
    warnings: Vec<Problem>,
    /// The slot and keys of an expression that is nothing but those, which need no walk over a tree.
    pub(crate) keys: Option<(usize, Box<[Box<str>]>)>,
}

impl Expr {
    /// Parses and checks `text` against the names of `scope`.
    ///
    /// # Errors
    /// Every name and type problem found, or the one syntax error.
    pub fn compile(text: &str, scope: &Scope) -> Result<Self, Vec<Problem>> {
        let ast = parse(text).map_err(|problem| vec![problem])?;
        let mut checker = Checker { scope, items: Vec::new(), problems: Vec::new() };
        let (root, ty) = checker.lower(&ast);
        if checker.problems.is_empty() {
            let names = scope.names().map(str::to_owned).collect();
            let (reads, source) = reads::of(&root);
            let warnings = warn::of(&root);
            let keys = keys_of(&root);
            Ok(Self { text: text.into(), root, names, ty, reads, source, warnings, keys })
        } else {
            Err(checker.problems)
        }
    }

    /// The text it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What compiles but cannot be meant, such as a branch that is never reached.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The static type of its value.
    #[must_use]
    pub const fn ty(&self) -> &Type {
        &self.ty
    }

    /// The source paths that it may read on the way to its value, without [`Expr::source`].
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.reads
    }

    /// The source path that its value lies at, when it is taken from one place and not computed.
    #[must_use]
    pub const fn source(&self) -> Option<&Read> {
        self.source.as_ref()
    }

    /// Whether it is nothing but a path: names, keys and numbered items.
    #[must_use]
    pub fn is_path(&self) -> bool {
        fn path(node: &Node) -> bool {
            match &node.kind {
                NodeKind::Slot(_) | NodeKind::Item => true,
                NodeKind::Key(base, _) => path(base),
                NodeKind::Index(base, index) => path(base) && matches!(index.kind, NodeKind::Constant(_)),
                _ => false,
            }
        }
        path(&self.root)
    }
}

/// The slot and keys of `payload.person.name`, and of nothing else.
fn keys_of(root: &Node) -> Option<(usize, Box<[Box<str>]>)> {
    let (mut node, mut keys) = (root, Vec::new());
    loop {
        match &node.kind {
            NodeKind::Key(base, key) => {
                keys.push(key.clone());
                node = base;
            }
            NodeKind::Slot(slot) => {
                keys.reverse();
                return Some((*slot, keys.into_boxed_slice()));
            }
            _ => return None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) kind: NodeKind,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    Constant(Constant),
    Slot(usize),
    /// The item of the innermost form that works on each item.
    Item,
    List(Vec<Node>),
    Key(Box<Node>, Box<str>),
    Index(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Minus(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    If(Box<[Node; 3]>),
    Each(Each, Box<Node>, Box<Node>),
    Call(&'static Function, Vec<Node>),
}

#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
}

/// Functions whose second argument is evaluated once per item, as `item`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    Map,
    Where,
    Any,
    All,
    SortBy,
    UniqueBy,
    GroupBy,
}

impl Each {
    pub(crate) const NAMES: [(&'static str, Each); 7] = [
        ("map", Self::Map),
        ("where", Self::Where),
        ("any", Self::Any),
        ("all", Self::All),
        ("sort_by", Self::SortBy),
        ("unique_by", Self::UniqueBy),
        ("group_by", Self::GroupBy),
    ];

    /// Whether the second argument is a condition.
    pub(crate) const fn asks(self) -> bool {
        matches!(self, Self::Where | Self::Any | Self::All)
    }
}

struct Checker<'s> {
    scope: &'s Scope,
    items: Vec<Type>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn problem(&mut self, at: At, message: impl Into<String>, suggestion: Option<String>) {
        self.problems.push(Problem { start: at.start, len: at.len, message: message.into(), suggestion });
    }

    fn lower(&mut self, ast: &Ast) -> (Node, Type) {
        let at = ast.at;
        let constant = |constant| NodeKind::Constant(constant);
        let (kind, ty) = match &ast.kind {
            AstKind::Null => (constant(Constant::Null), Type::Nothing),
            AstKind::Bool(value) => (constant(Constant::Bool(*value)), Type::Bool),
            AstKind::Text(text) => (constant(Constant::Text(text.as_str().into())), Type::Text),
            AstKind::Number(text) => match hub_tree::value::parse_decimal(text) {
                Some(number) => (constant(Constant::Number(number)), Type::Number),
                None => {
                    self.problem(at, "a number may have at most 28 digits", None);
                    (constant(Constant::Null), Type::Number)
                }
            },
            AstKind::Name(name) => self.name(at, name),
            AstKind::List(items) => {
                let lowered: Vec<(Node, Type)> = items.iter().map(|item| self.lower(item)).collect();
                let common = lowered.iter().try_fold(Type::Nothing, |ty, (_, item_ty)| ty.unify(item_ty));
                let ty = common.filter(|ty| *ty != Type::Nothing).unwrap_or(Type::Any);
                let nodes = lowered.into_iter().map(|(node, item_ty)| as_type(node, &item_ty, &ty)).collect();
                (NodeKind::List(nodes), Type::list(ty))
            }
            AstKind::Key(base, key, key_at) => self.key(base, key, *key_at),
            AstKind::Index(base, index) => {
                let (base_node, base_ty) = self.lower(base);
                let index_node = self.expect(index, &Type::Number, "an index");
                if !matches!(base_ty, Type::Any | Type::List(_)) {
                    self.problem(base.at, format!("only a list has items, this is {base_ty}"), None);
                }
                (NodeKind::Index(Box::new(base_node), Box::new(index_node)), base_ty.item())
            }
            AstKind::Not(inner) => {
                let node = self.expect(inner, &Type::Bool, "`not`");
                (NodeKind::Not(Box::new(node)), Type::Bool)
            }
            AstKind::Minus(inner) => {
                let node = self.expect(inner, &Type::Number, "`-`");
                (NodeKind::Minus(Box::new(node)), Type::Number)
            }
            AstKind::Binary(operator, left, right) => self.binary(at, *operator, left, right),
            AstKind::Call(name, name_at, arguments) => self.call(at, name, *name_at, arguments),
        };
        (Node { at, kind }, ty)
    }

    fn name(&mut self, at: At, name: &str) -> (NodeKind, Type) {
        if name == "item"
            && let Some(ty) = self.items.last()
        {
            return (NodeKind::Item, ty.clone());
        }
        if let Some((slot, ty)) = self.scope.find(name) {
            return (NodeKind::Slot(slot), ty.clone());
        }
        let suggestion = if functions::find(name).is_some() {
            Some(format!("`{name}` is a function: write `{name}(…)`"))
        } else {
            suggest(name, self.scope.names())
        };
        self.problem(at, format!("unknown name `{name}`"), suggestion);
        (NodeKind::Constant(Constant::Null), Type::Any)
    }

    fn key(&mut self, base: &Ast, key: &str, key_at: At) -> (NodeKind, Type) {
        let (node, base_ty) = self.lower(base);
        let ty = match &base_ty {
            Type::Any => Type::Any,
            Type::Record(record) => match record.fields.get(key) {
                Some(ty) => ty.clone(),
                None => {
                    let known = record.fields.keys().map(String::as_str);
                    self.problem(key_at, format!("{} has no `{key}`", record.name), suggest(key, known));
                    Type::Any
                }
            },
            Type::Enum(_) => match key {
                "value" | "raw" => Type::Text,
                "label" => Type::Any,
                _ => {
                    self.problem(key_at, format!("an enum has no `{key}`"), Some("one of: value, raw, label".into()));
                    Type::Any
                }
            },
            Type::List(_) => {
                let help = format!("write `first(…).{key}`, `…[0].{key}` or `map(…, item.{key})`");
                self.problem(key_at, format!("a list has no key `{key}`"), Some(help));
                Type::Any
            }
            other => {
                self.problem(key_at, format!("{other} has no key `{key}`"), None);
                Type::Any
            }
        };
        (NodeKind::Key(Box::new(node), key.into()), ty)
    }

    /// Lowers `ast` and reports when it cannot be of type `wanted`.
    fn expect(&mut self, ast: &Ast, wanted: &Type, whose: &str) -> Node {
        self.expect_typed(ast, wanted, whose).0
    }

    fn expect_typed(&mut self, ast: &Ast, wanted: &Type, whose: &str) -> (Node, Type) {
        let (node, ty) = self.lower(ast);
        if !ty.may_be(wanted) {
            let suggestion = match (&ty, wanted) {
                (Type::Text, Type::Number) => Some("write `number(…)`".to_owned()),
                (Type::Text, Type::Date) => Some("write `date(…)`".to_owned()),
                (Type::Text, Type::DateTime) => Some("write `datetime(…)`".to_owned()),
                (Type::Number, Type::Text) => Some("write `text(…)`".to_owned()),
                _ => None,
            };
            self.problem(ast.at, format!("{whose} needs {wanted}, this is {ty}"), suggestion);
        }
        (as_type(node, &ty, wanted), ty)
    }

    fn binary(&mut self, at: At, operator: Operator, left: &Ast, right: &Ast) -> (NodeKind, Type) {
        use Operator as O;
        let sign = format!("`{}`", operator.sign());
        let make = |l, r| NodeKind::Binary(operator, Box::new(l), Box::new(r));
        match operator {
            O::And | O::Or => {
                let l = self.expect(left, &Type::Bool, &sign);
                let r = self.expect(right, &Type::Bool, &sign);
                (make(l, r), Type::Bool)
            }
            O::Add | O::Subtract | O::Multiply | O::Divide => {
                let l = self.expect(left, &Type::Number, &sign);
                let r = self.expect(right, &Type::Number, &sign);
                (make(l, r), Type::Number)
            }
            O::Join => {
                let mut side = |ast: &Ast| {
                    let (node, ty) = self.lower(ast);
                    if !ty.may_be_scalar() {
                        self.problem(ast.at, format!("`&` joins text, this is {ty}"), None);
                    }
                    plain(node, &ty)
                };
                let l = side(left);
                let r = side(right);
                (make(l, r), Type::Text)
            }
            O::Default => {
                let (l, l_ty) = self.lower(left);
                let (r, r_ty) = self.lower(right);
                let ty = self.together(at, &l_ty, &r_ty);
                (make(as_type(l, &l_ty, &ty), as_type(r, &r_ty, &ty)), ty)
            }
            O::Equal | O::Unequal | O::Less | O::LessEqual | O::Greater | O::GreaterEqual => {
                let (l, l_ty) = self.lower(left);
                let (r, r_ty) = self.lower(right);
                self.comparable(at, operator, (left, &l_ty), (right, &r_ty));
                (make(plain(l, &l_ty), plain(r, &r_ty)), Type::Bool)
            }
            O::In => {
                let (l, l_ty) = self.lower(left);
                let r = if let AstKind::List(items) = &right.kind {
                    let lowered: Vec<(Node, Type)> = items.iter().map(|item| self.lower(item)).collect();
                    for (item, (_, ty)) in items.iter().zip(&lowered) {
                        self.comparable(item.at, O::Equal, (left, &l_ty), (item, ty));
                    }
                    let nodes = lowered.into_iter().map(|(node, ty)| plain(node, &ty)).collect();
                    Node { at: right.at, kind: NodeKind::List(nodes) }
                } else {
                    let (r, r_ty) = self.lower(right);
                    if !matches!(r_ty, Type::Any | Type::List(_)) {
                        self.problem(right.at, format!("`in` needs a list, this is {r_ty}"), None);
                    }
                    self.comparable(at, O::Equal, (left, &l_ty), (right, &r_ty.item()));
                    as_type(r, &r_ty, &Type::list(Type::Text))
                };
                (make(plain(l, &l_ty), r), Type::Bool)
            }
        }
    }

    fn comparable(&mut self, at: At, operator: Operator, left: (&Ast, &Type), right: (&Ast, &Type)) {
        for ((_, ty), (other, _)) in [(left, right), (right, left)] {
            if let (Type::Enum(of), AstKind::Text(text)) = (ty, &other.kind)
                && !of.values.iter().any(|value| value == text)
            {
                let known = of.values.iter().map(String::as_str);
                self.problem(other.at, format!("{} has no value `{text}`", of.name), suggest(text, known));
            }
        }
        let (l, r) = (left.1, right.1);
        if !l.may_be(r) && !r.may_be(l) {
            let verb = if matches!(operator, Operator::Equal | Operator::Unequal) {
                "is never equal to"
            } else {
                "cannot be compared with"
            };
            self.problem(at, format!("{l} {verb} {r}"), None);
        }
        if !matches!(operator, Operator::Equal | Operator::Unequal) {
            for (ast, ty) in [left, right] {
                if !ordered(ty) {
                    self.problem(ast.at, format!("{ty} has no order"), None);
                }
            }
        }
    }

    fn together(&mut self, at: At, left: &Type, right: &Type) -> Type {
        left.unify(right).unwrap_or_else(|| {
            self.problem(at, format!("one side is {left}, the other {right}"), Some("both need one type".to_owned()));
            Type::Any
        })
    }

    fn call(&mut self, at: At, name: &str, name_at: At, arguments: &[Ast]) -> (NodeKind, Type) {
        if name == "if" {
            let [condition, then, otherwise] = arguments else {
                self.problem(at, "`if` takes a condition, a value and an alternative", None);
                return self.unknown_call(arguments);
            };
            let condition = self.expect(condition, &Type::Bool, "a condition");
            let (then, then_ty) = self.lower(then);
            let (otherwise, otherwise_ty) = self.lower(otherwise);
            let ty = self.together(at, &then_ty, &otherwise_ty);
            let (then, otherwise) = (as_type(then, &then_ty, &ty), as_type(otherwise, &otherwise_ty, &ty));
            return (NodeKind::If(Box::new([condition, then, otherwise])), ty);
        }
        if let Some((_, each)) = Each::NAMES.iter().find(|(n, _)| *n == name) {
            return self.each(at, name, *each, arguments);
        }
        let Some(function) = functions::find(name) else {
            self.problem(name_at, format!("unknown function `{name}`"), suggest(name, functions::names()));
            return self.unknown_call(arguments);
        };
        let given = arguments.len();
        if given < function.least() || given > function.most() {
            self.problem(at, format!("`{name}` is called as `{}`", function.signature()), None);
        }
        let mut nodes = Vec::with_capacity(given);
        let mut types = Vec::with_capacity(given);
        for (index, argument) in arguments.iter().enumerate() {
            let wanted = function.parameter(index).map_or(Type::Any, |p| p.ty.to_type());
            let (node, ty) = self.expect_typed(argument, &wanted, &format!("`{name}`"));
            nodes.push(node);
            types.push(ty);
        }
        if given < function.least() {
            return (NodeKind::Constant(Constant::Null), Type::Any);
        }
        let ty = (function.returns)(&types);
        (NodeKind::Call(function, nodes), ty)
    }

    /// Reports what is wrong inside a call that is wrong itself; `item` may be anything there.
    fn unknown_call(&mut self, arguments: &[Ast]) -> (NodeKind, Type) {
        self.items.push(Type::Any);
        for argument in arguments {
            self.lower(argument);
        }
        self.items.pop();
        (NodeKind::Constant(Constant::Null), Type::Any)
    }

    fn each(&mut self, at: At, name: &str, each: Each, arguments: &[Ast]) -> (NodeKind, Type) {
        let [list, body] = arguments else {
            self.problem(at, format!("`{name}` is called as `{name}(list, … item …)`"), None);
            return self.unknown_call(arguments);
        };
        let (list_node, list_ty) = self.lower(list);
        if !matches!(list_ty, Type::Any | Type::List(_)) {
            self.problem(list.at, format!("`{name}` needs a list, this is {list_ty}"), None);
        }
        self.items.push(list_ty.item());
        let (body_node, body_ty) =
            if each.asks() { (self.expect(body, &Type::Bool, "a condition"), Type::Bool) } else { self.lower(body) };
        if each == Each::SortBy && !(ordered(&body_ty) || matches!(body_ty, Type::Enum(_))) {
            self.problem(body.at, format!("{body_ty} has no order"), None);
        }
        // Enums are compared as their values.
        let body_node = if each == Each::Map { body_node } else { plain(body_node, &body_ty) };
        self.items.pop();
        let ty = match each {
            Each::Map if body_ty == Type::Nothing => Type::list(Type::Any),
            Each::Map => Type::list(body_ty),
            Each::Where | Each::SortBy | Each::UniqueBy => Type::list(list_ty.item()),
            Each::GroupBy => Type::list(Type::Any),
            Each::Any | Each::All => Type::Bool,
        };
        (NodeKind::Each(each, Box::new(list_node), Box::new(body_node)), ty)
    }
}

/// Whether `<` can compare two values of this type.
fn ordered(ty: &Type) -> bool {
    !matches!(ty, Type::Bool | Type::List(_) | Type::Record(_) | Type::Nothing | Type::Enum(_))
}

/// An enum stands for its value wherever text is needed.
fn plain(node: Node, ty: &Type) -> Node {
    if matches!(ty, Type::Enum(_)) {
        let at = node.at;
        return Node { at, kind: NodeKind::Key(Box::new(node), "value".into()) };
    }
    node
}

/// The node as a value of type `wanted`: enums become their values where text is wanted, in lists too.
fn as_type(node: Node, ty: &Type, wanted: &Type) -> Node {
    match (ty, wanted) {
        (Type::Enum(_), Type::Text) => plain(node, ty),
        (Type::List(item), Type::List(wanted_item)) if holds_enum(item) => {
            let at = node.at;
            let body = as_type(Node { at, kind: NodeKind::Item }, item, wanted_item);
            if matches!(body.kind, NodeKind::Item) {
                return node;
            }
            Node { at, kind: NodeKind::Each(Each::Map, Box::new(node), Box::new(body)) }
        }
        _ => node,
    }
}

fn holds_enum(ty: &Type) -> bool {
    match ty {
        Type::Enum(_) => true,
        Type::List(item) => holds_enum(item),
        _ => false,
    }
}
