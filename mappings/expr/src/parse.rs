//! Tokens to a syntax tree, by precedence climbing.

use crate::ast::{Ast, AstKind, At, Operator};
use crate::lex::{Spanned, Token, lex};
use crate::scope::Problem;

const MAX_CHARS: usize = 4_000;
const MAX_DEPTH: usize = 64;
/// Deepest tree: chains such as `a + b + c …` grow one level per operator without nesting.
const MAX_LEVELS: usize = 200;
const NOT_PRECEDENCE: u8 = 4;

pub(crate) fn parse(text: &str) -> Result<Ast, Problem> {
    if text.chars().count() > MAX_CHARS {
        return Err(Problem::new(0, 1, format!("an expression may have at most {MAX_CHARS} characters")));
    }
    let mut parser = Parser { tokens: lex(text)?, next: 0, depth: 0 };
    if parser.peek() == &Token::End {
        return Err(Problem::new(0, 1, "the expression is empty"));
    }
    let ast = parser.pipe()?;
    if parser.peek() != &Token::End {
        return Err(parser.unexpected("an operator"));
    }
    Ok(ast)
}

struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn at(&self) -> At {
        let Spanned { at, len, .. } = self.tokens[self.next];
        At { start: at, len }
    }

    fn advance(&mut self) -> Token {
        let token = self.tokens[self.next].token.clone();
        if token != Token::End {
            self.next += 1;
        }
        token
    }

    fn eat(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == &Token::Sign(sign);
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<At, Problem> {
        let at = self.at();
        if self.eat(sign) { Ok(at) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        let At { start, len } = self.at();
        let found = match self.peek() {
            Token::Name(name) => format!("`{name}`"),
            Token::Number(number) => format!("`{number}`"),
            Token::Text(_) => "text".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        let problem = Problem::new(start, len, format!("expected {wanted}, found {found}"));
        match self.peek() {
            // The usual cause: YAML ended the text at a comma.
            Token::End => problem.with_suggestion("inside {…}, an expression that holds a comma must stand in quotes"),
            _ => problem,
        }
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Problem>) -> Result<T, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let At { start, len } = self.at();
            return Err(Problem::new(start, len, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// A tree one level higher, unless that is too high to walk.
    fn grown(&self, at: At, kind: AstKind) -> Result<Ast, Problem> {
        let ast = Ast::new(at, kind);
        if ast.levels > MAX_LEVELS {
            return Err(Problem::new(at.start, at.len, format!("more than {MAX_LEVELS} operations in a row")));
        }
        Ok(ast)
    }

    /// `value | function | function(argument)`: the value becomes the first argument.
    fn pipe(&mut self) -> Result<Ast, Problem> {
        let mut left = self.deeper(|p| p.binary(0))?;
        while self.eat("|") {
            let at = self.at();
            let Token::Name(name) = self.peek().clone() else {
                return Err(self.unexpected("a function after `|`"));
            };
            self.next += 1;
            let start = left.at;
            let mut arguments = vec![left];
            let mut end = at;
            if self.eat("(") {
                end = self.arguments(&mut arguments)?;
            }
            left = self.grown(start.to(end), AstKind::Call(name, at, arguments))?;
        }
        Ok(left)
    }

    fn arguments(&mut self, into: &mut Vec<Ast>) -> Result<At, Problem> {
        let at = self.at();
        if self.eat(")") {
            return Ok(at);
        }
        loop {
            into.push(self.pipe()?);
            let at = self.at();
            if self.eat(")") {
                return Ok(at);
            }
            self.expect(",")?;
        }
    }

    fn operator(&self) -> Option<Operator> {
        use Operator as O;
        Some(match self.peek() {
            Token::Name(name) => match name.as_str() {
                "or" => O::Or,
                "and" => O::And,
                "in" => O::In,
                _ => return None,
            },
            Token::Sign(sign) => match *sign {
                "??" => O::Default,
                "==" => O::Equal,
                "!=" => O::Unequal,
                "<" => O::Less,
                "<=" => O::LessEqual,
                ">" => O::Greater,
                ">=" => O::GreaterEqual,
                "&" => O::Join,
                "+" => O::Add,
                "-" => O::Subtract,
                "*" => O::Multiply,
                "/" => O::Divide,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn binary(&mut self, least: u8) -> Result<Ast, Problem> {
        let mut left = self.unary(least)?;
        while let Some(operator) = self.operator() {
            let precedence = operator.precedence();
            if precedence < least {
                break;
            }
            self.next += 1;
            let right = self.deeper(|p| p.binary(precedence + 1))?;
            if precedence == Operator::Equal.precedence()
                && self.operator().is_some_and(|next| next.precedence() == precedence)
            {
                let At { start, len } = self.at();
                return Err(Problem::new(start, len, "comparisons cannot be chained")
                    .with_suggestion("write `a < b and b < c`"));
            }
            left = self.grown(left.at.to(right.at), AstKind::Binary(operator, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn unary(&mut self, least: u8) -> Result<Ast, Problem> {
        let at = self.at();
        if self.peek() == &Token::Name("not".to_owned()) {
            self.next += 1;
            if least > NOT_PRECEDENCE {
                return Err(
                    Problem::new(at.start, at.len, "`not` needs brackets here").with_suggestion("write `(not …)`")
                );
            }
            let inner = self.deeper(|p| p.binary(NOT_PRECEDENCE))?;
            return self.grown(at.to(inner.at), AstKind::Not(Box::new(inner)));
        }
        if self.eat("-") {
            let inner = self.deeper(|p| p.unary(u8::MAX))?;
            return self.grown(at.to(inner.at), AstKind::Minus(Box::new(inner)));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Result<Ast, Problem> {
        let mut left = self.primary()?;
        loop {
            if self.eat(".") {
                let at = self.at();
                let key = match self.advance() {
                    Token::Name(name) | Token::Text(name) => name,
                    Token::Number(number) => {
                        return Err(Problem::new(at.start, at.len, "a key cannot be a number").with_suggestion(
                            format!("write `[{number}]` for an item of a list, `[\"{number}\"]` for a key"),
                        ));
                    }
                    _ => return Err(Problem::new(at.start, at.len, "expected a key after `.`")),
                };
                left = self.grown(left.at.to(at), AstKind::Key(Box::new(left), key, at))?;
            } else if self.eat("[") {
                let index = self.pipe()?;
                let end = self.expect("]")?;
                let at = left.at.to(end);
                let kind = match index.kind {
                    AstKind::Text(key) => AstKind::Key(Box::new(left), key, index.at),
                    _ => AstKind::Index(Box::new(left), Box::new(index)),
                };
                left = self.grown(at, kind)?;
            } else {
                return Ok(left);
            }
        }
    }

    fn primary(&mut self) -> Result<Ast, Problem> {
        let at = self.at();
        let kind = match self.peek().clone() {
            Token::Number(number) => {
                self.next += 1;
                AstKind::Number(number)
            }
            Token::Text(text) => {
                self.next += 1;
                AstKind::Text(text)
            }
            Token::Name(name) => {
                self.next += 1;
                match name.as_str() {
                    "null" => AstKind::Null,
                    "true" => AstKind::Bool(true),
                    "false" => AstKind::Bool(false),
                    "and" | "or" | "in" => {
                        self.next -= 1;
                        return Err(self.unexpected("a value"));
                    }
                    _ if self.eat("(") => {
                        let mut arguments = Vec::new();
                        let end = self.deeper(|p| p.arguments(&mut arguments))?;
                        return self.grown(at.to(end), AstKind::Call(name, at, arguments));
                    }
                    _ => AstKind::Name(name),
                }
            }
            Token::Sign("(") => {
                self.next += 1;
                let inner = self.pipe()?;
                // The brackets belong to its text, so that `(a + b)` can be quoted and read again.
                let end = self.expect(")")?;
                return Ok(Ast { at: at.to(end), ..inner });
            }
            Token::Sign("[") => {
                self.next += 1;
                let mut items = Vec::new();
                let mut end = self.at();
                if !self.eat("]") {
                    loop {
                        items.push(self.pipe()?);
                        end = self.at();
                        if self.eat("]") {
                            break;
                        }
                        self.expect(",")?;
                    }
                }
                return self.grown(at.to(end), AstKind::List(items));
            }
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Ast::new(at, kind))
    }
}
