//! What was written, before names and types are known.

/// A place in the expression, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl At {
    pub(crate) fn to(self, end: At) -> At {
        At { start: self.start, len: (end.start + end.len).saturating_sub(self.start) }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Ast {
    pub(crate) at: At,
    pub(crate) kind: AstKind,
    /// The height of the tree; known as it grows, so that none is built that is too high to walk.
    pub(crate) levels: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum AstKind {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Name(String),
    List(Vec<Ast>),
    Key(Box<Ast>, String, At),
    Index(Box<Ast>, Box<Ast>),
    Not(Box<Ast>),
    Minus(Box<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
    Call(String, At, Vec<Ast>),
}

impl Ast {
    pub(crate) fn new(at: At, kind: AstKind) -> Self {
        let highest = |children: &[Ast]| children.iter().map(|child| child.levels).max().unwrap_or(0);
        let below = match &kind {
            AstKind::Key(inner, ..) | AstKind::Not(inner) | AstKind::Minus(inner) => inner.levels,
            AstKind::Index(a, b) | AstKind::Binary(_, a, b) => a.levels.max(b.levels),
            AstKind::List(children) | AstKind::Call(_, _, children) => highest(children),
            AstKind::Null | AstKind::Bool(_) | AstKind::Number(_) | AstKind::Text(_) | AstKind::Name(_) => 0,
        };
        Self { at, kind, levels: below + 1 }
    }
}

/// Operators of two operands, by rising precedence group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Default,
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operator {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Default => "??",
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
            Self::Join => "&",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// The groups bind tighter as the number grows.
    pub(crate) const fn precedence(self) -> u8 {
        match self {
            Self::Default => 1,
            Self::Or => 2,
            Self::And => 3,
            Self::Equal
            | Self::Unequal
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::In => 5,
            Self::Join => 6,
            Self::Add | Self::Subtract => 7,
            Self::Multiply | Self::Divide => 8,
        }
    }
}
