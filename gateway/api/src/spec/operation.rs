//! What one operation of the API is: the row of the table that everything else is made from.

use super::shape::{Member, Shape};

/// An operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// The verb, such as `GET`.
    pub(crate) method: &'static str,
    /// The address, with an action where it has one: `/v1/subscriptions/{id}:rotate`.
    pub(crate) path: &'static str,
    /// Its name in generated clients; stable. `{entity}` and `{collection}` stand for the entity's names.
    pub(crate) id: &'static str,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// What a key needs for it, as scopes; one of several will do. Empty: nothing.
    pub(crate) needs: &'static [&'static str],
    /// Of which entities there is one; none for what is there once.
    pub(crate) each: Each,
    /// Parameters of the query and the headers.
    pub(crate) parameters: &'static [Parameter],
    /// What is sent.
    pub(crate) body: Body,
    /// What is answered when all is well.
    pub(crate) answers: &'static [Answer],
    /// Codes of problems beside those that every such operation has.
    pub(crate) problems: &'static [&'static str],
    /// Bodies that are sent as examples; a test sends each of them.
    pub(crate) examples: &'static [&'static str],
}

/// For which entities an operation is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    /// It has nothing to do with entities.
    Once,
    /// For every entity of the model.
    Entity,
    /// For these.
    Of(&'static [&'static str]),
    /// For all but these.
    But(&'static [&'static str]),
}

/// A parameter of the query or a header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `query` or `header`.
    pub(crate) place: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// JSON of this shape.
    Json(Shape),
    /// JSON of this shape, or nothing.
    Optional(Shape),
    /// Bytes of one of these kinds.
    Bytes(&'static [&'static str]),
}

/// What is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type; empty for an answer without a body.
    pub(crate) kind: &'static str,
    pub(crate) shape: Shape,
    /// Headers that matter: name and meaning.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

const fn operation(method: &'static str, path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        needs: &[],
        each: Each::Once,
        parameters: &[],
        body: Body::None,
        answers: &[],
        problems: &[],
        examples: &[],
    }
}

/// `GET`.
pub(crate) const fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("GET", path, id, summary)
}

/// `POST`.
pub(crate) const fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("POST", path, id, summary)
}

/// `PUT`, as only other standards ask for it.
pub(crate) const fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("PUT", path, id, summary)
}

/// `PATCH`.
pub(crate) const fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("PATCH", path, id, summary)
}

/// `DELETE`.
pub(crate) const fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation("DELETE", path, id, summary)
}

impl Operation {
    pub(crate) const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    pub(crate) const fn each(self, each: Each) -> Self {
        Self { each, ..self }
    }

    pub(crate) const fn parameters(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    pub(crate) const fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    pub(crate) const fn answers(self, answers: &'static [Answer]) -> Self {
        Self { answers, ..self }
    }

    pub(crate) const fn problems(self, problems: &'static [&'static str]) -> Self {
        Self { problems, ..self }
    }

    pub(crate) const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }

    /// The address as the router knows it: an action behind a parameter belongs to the parameter's route.
    pub(crate) fn route(&self) -> &'static str {
        match self.path.rsplit_once("}:") {
            Some((route, _)) => self.path.get(..=route.len()).unwrap_or(self.path),
            None => self.path,
        }
    }
}

/// A parameter of the query.
pub(crate) const fn query(name: &'static str, shape: Shape, doc: &'static str) -> Parameter {
    Parameter { name, place: "query", shape, required: false, doc }
}

/// A parameter of the query that must be there.
pub(crate) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Parameter {
    Parameter { name, place: "query", shape, required: true, doc }
}

/// A header.
pub(crate) const fn header(name: &'static str, doc: &'static str) -> Parameter {
    Parameter { name, place: "header", shape: Shape::Text, required: false, doc }
}

/// An answer in JSON.
pub(crate) const fn json(status: u16, shape: Shape) -> Answer {
    Answer { status, kind: "application/json", shape, headers: &[] }
}

/// An answer without a body.
pub(crate) const fn empty(status: u16) -> Answer {
    Answer { status, kind: "", shape: Shape::Any, headers: &[] }
}

/// Bytes of a kind.
pub(crate) const fn bytes(status: u16, kind: &'static str) -> Answer {
    Answer { status, kind, shape: Shape::Text, headers: &[] }
}

impl Answer {
    pub(crate) const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }
}

/// The members of an object without a name of its own.
#[allow(dead_code, reason = "for topics that come")]
pub(crate) const fn members(members: &'static [Member]) -> Shape {
    Shape::Object("", members)
}

/// How many at most.
pub(crate) const LIMIT: Parameter = query("limit", Shape::Between(1, 500), "How many at most; 50 if absent.");
/// Where to go on.
pub(crate) const CURSOR: Parameter = query("cursor", Shape::Text, "`next_cursor` of the page before, as it is.");
/// Under which a request is known again.
pub(crate) const IDEMPOTENCY_KEY: Parameter = Parameter {
    name: "Idempotency-Key",
    place: "header",
    shape: Shape::Long(1, 200),
    required: false,
    doc: "Repeated under the same key, the request is carried out once.",
};
