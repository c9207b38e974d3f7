//! What the hub offers others to call: a manifest's section `serves`.
//!
//! ```yaml
//! serves:
//!   name: HubPush                                  # what the description is named after
//!   fault: HubFault                                # the type in the detail of faults
//!   operations:
//!     PushEmployees:
//!       action: "urn:hub:push:v1:PushEmployees"
//!       reply: PushEmployeesResponse               # element and type of the answer; default: the name and `Response`
//!       push: { source: …, batch: …, rows: employee, name: …, refuse: […], known: […] }
//!       answer: object("result", …)
//!     GetPushStatus: { status: payload.batchId, answer: … }
//!     TakeDocument: { element: { name: Doc, namespace: "urn:x" }, answer: object("ok", true) }
//! ```
//!
//! What comes is kept like a web hook's payload, under the event that is named like the operation. A **push** brings
//! rows that are judged one by one, once for each batch; a **status** tells what became of a batch; everything else is a
//! document of any shape.

use crate::manifest::{Compiler, QName};
use crate::types::Types;
use hub_expr::{Located, Scope, Type};
use hub_tree::Span;
use hub_tree::yaml::Node;

/// What a vendor's connections offer.
#[derive(Debug)]
pub struct Serves {
    /// What the description is named after.
    pub name: String,
    /// The namespace of its elements.
    pub namespace: String,
    /// The type that stands in the detail of faults; its name is that of the element.
    pub fault: Option<String>,
    /// What can be asked.
    pub operations: Vec<Served>,
    /// Where it is said.
    pub span: Span,
}

/// Something that can be asked.
#[derive(Debug)]
pub struct Served {
    /// Its name; also that of the event under which a payload is kept.
    pub name: String,
    /// Its action.
    pub action: String,
    /// The body's element.
    pub element: QName,
    /// The type of its content, if it is described.
    pub message: Option<String>,
    /// The element of the answer.
    pub reply: QName,
    /// The type of its content, if it is described.
    pub reply_type: Option<String>,
    /// What is done with it.
    pub does: Does,
    /// What the answer says; empty without it.
    pub answer: Option<Located>,
    /// Where it is described.
    pub span: Span,
}

/// What is done with a message.
#[derive(Debug)]
pub enum Does {
    /// It is kept as it is.
    Keep,
    /// Its rows are judged and kept, once for each batch.
    Push(Box<Push>),
    /// What became of a batch is told.
    Status {
        /// The batch.
        batch: Located,
    },
}

/// Rows that come in batches.
#[derive(Debug)]
pub struct Push {
    /// What a batch is named by.
    pub batch: Located,
    /// Whose names they are; batches of different sources have nothing to do with each other.
    pub source: Option<Located>,
    /// The element that is a row.
    pub rows: String,
    /// What a row is named by: told in answers; of two rows with one name the later is refused.
    pub name: Option<Located>,
    /// What makes a row bad; the first of the list that holds.
    pub refuse: Vec<Refuse>,
    /// What a row must not name unless the hub knows it.
    pub known: Vec<Known>,
}

/// A rule that refuses a row.
#[derive(Debug)]
pub struct Refuse {
    /// When it does.
    pub when: Located,
    /// The code of the refusal.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// A rule by which a row names something that the hub must know, if it knows any of its kind.
#[derive(Debug)]
pub struct Known {
    /// Of which entity.
    pub entity: String,
    /// A field of it that may hold the name, beside the ids that the connection knows records by.
    pub field: Option<String>,
    /// What the row names.
    pub key: Located,
    /// The code of the refusal.
    pub code: String,
}

/// Slots of expressions: `settings`, `payload`, then `item` of a row, or `push` of an answer.
impl Compiler<'_, '_> {
    /// Reads `serves`.
    pub(crate) fn serves(&self, node: &Node, types: &Types) -> Option<Serves> {
        let mut fields = node.fields(self.cx)?;
        let name = fields.required_text("name");
        let namespace = match fields.text("namespace") {
            Some(namespace) => Some(namespace),
            None => types.namespace().map(ToOwned::to_owned),
        };
        if namespace.is_none() {
            self.cx.error(node.span, "what is offered has a `namespace`, here or the first of `namespaces`");
        }
        let namespace = namespace.unwrap_or_default();
        let fault = fields.optional("fault").and_then(|node| self.type_name(node, types));
        let entries = fields.required("operations").map(|node| node.entries(self.cx)).unwrap_or_default();
        let operations = entries.iter().filter_map(|(key, value)| self.served(&key.name, value, &namespace, types));
        let operations: Vec<Served> = operations.collect();
        for (index, one) in operations.iter().enumerate() {
            if operations.iter().take(index).any(|other| other.element == one.element) {
                self.cx.error(one.span, format!("another operation takes the element `{}`, too", one.element.name));
            }
        }
        fields.finish();
        Some(Serves { name: name?, namespace, fault, operations, span: node.span })
    }

    fn served(&self, name: &str, node: &Node, namespace: &str, types: &Types) -> Option<Served> {
        let mut fields = node.fields(self.cx)?;
        let action = fields.text("action").unwrap_or_default();
        let own = |name: &str| QName { namespace: namespace.to_owned(), name: name.to_owned() };
        let element = match fields.optional("element") {
            Some(node) => self.qname(node)?,
            None => own(name),
        };
        let message = match fields.optional("type") {
            Some(node) => self.type_name(node, types),
            None => types.get(name).map(|one| one.key.clone()),
        };
        let reply = match fields.optional("reply") {
            Some(node) if node.scalar().is_some() => own(&node.text(self.cx)?),
            Some(node) => self.qname(node)?,
            None => own(&format!("{name}Response")),
        };
        let reply_type = match fields.optional("reply_type") {
            Some(node) => self.type_name(node, types),
            None => types.get(&reply.name).map(|one| one.key.clone()),
        };
        let request = Scope::new([("settings", self.settings.clone()), ("payload", Type::Any)]);
        let mut answering = request.clone();
        answering.push("push", Type::Any);
        let push = fields.optional("push");
        let status = fields.optional("status").and_then(|node| self.expr(node, &request));
        let answer = fields.optional("answer").and_then(|node| self.expr(node, &answering));
        let does = match (push, status) {
            (Some(node), None) => {
                let push = self.push(node, &request)?;
                let described = message.as_ref().is_some_and(|message| {
                    types.fields(message).iter().any(|field| field.name == push.rows && field.list)
                });
                if !described {
                    let message = format!("`rows` is a list among the fields of the type of `{name}`");
                    self.cx.error(node.span, message);
                }
                Does::Push(Box::new(push))
            }
            (None, Some(batch)) => Does::Status { batch },
            (None, None) => Does::Keep,
            (Some(_), Some(_)) => {
                self.cx.error(node.span, "an operation is a `push` or tells a `status`, not both");
                return None;
            }
        };
        fields.finish();
        let (name, span) = (name.to_owned(), node.span);
        Some(Served { name, action, element, message, reply, reply_type, does, answer, span })
    }

    fn push(&self, node: &Node, request: &Scope) -> Option<Push> {
        let mut fields = node.fields(self.cx)?;
        let mut row = request.clone();
        row.push("item", Type::Any);
        let batch = fields.required("batch").and_then(|node| self.expr(node, request));
        let source = fields.optional("source").and_then(|node| self.expr(node, request));
        let rows = fields.required_text("rows");
        let name = fields.optional("name").and_then(|node| self.expr(node, &row));
        let mut refuse = Vec::new();
        for node in fields.optional("refuse").map(|node| node.items(self.cx)).unwrap_or_default() {
            let Some(mut fields) = node.fields(self.cx) else { continue };
            let when = fields.required("when").and_then(|node| self.condition(node, &row));
            let code = fields.required_text("code");
            let message = fields.text("message").unwrap_or_default();
            fields.finish();
            refuse.extend(when.zip(code).map(|(when, code)| Refuse { when, code, message }));
        }
        let mut known = Vec::new();
        for node in fields.optional("known").map(|node| node.items(self.cx)).unwrap_or_default() {
            let Some(mut fields) = node.fields(self.cx) else { continue };
            let entity = fields.required_text("entity");
            let key = fields.required("key").and_then(|node| self.expr(node, &row));
            let field = fields.text("field");
            let code = fields.required_text("code");
            fields.finish();
            if let (Some(entity), Some(key), Some(code)) = (entity, key, code) {
                known.push(Known { entity, field, key, code });
            }
        }
        fields.finish();
        Some(Push { batch: batch?, source, rows: rows?, name, refuse, known })
    }

    fn type_name(&self, node: &Node, types: &Types) -> Option<String> {
        let key = node.text(self.cx)?;
        types.check_name(&key, node.span, self.cx);
        Some(key)
    }
}

impl Serves {
    /// The operation that a body's element asks for.
    #[must_use]
    pub fn of_element(&self, namespace: &str, name: &str) -> Option<&Served> {
        self.operations.iter().find(|one| one.element.namespace == namespace && one.element.name == name)
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::Manifest;
    use hub_tree::{Findings, Source};

    fn errors(serves: &str) -> Vec<String> {
        let text = format!(
            "version: 1\nvendor: v\nname: V\nfamily: erp\ndriver: soap\nnamespaces: {{ t: 'urn:t' }}\n\
             types:\n  Ask: {{ fields: {{ row: string*, one: string }} }}\nserves:\n{serves}"
        );
        let findings = Findings::new();
        let _ = Manifest::compile("v", &Source::new("m.yaml", text), &findings);
        findings.into_sorted().iter().map(|f| f.to_string().lines().next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_is_offered_is_checked_with_its_place() {
        let good = "  name: V\n  operations:\n    Ask:\n      push: { batch: payload.b, rows: row, name: item.n, \
                    refuse: [{ when: item.n == 'x', code: X }], known: [{ entity: department, key: item.d, code: D }] }\n      \
                    answer: object('n', push.accepted)\n    Tell: { status: payload.b }\n    Any: { element: { name: doc } }\n";
        assert_eq!(errors(good), [""; 0]);
        for (serves, wanted) in [
            ("  operations: {}\n", "m.yaml:10:3: error: `name` is missing"),
            (
                "  name: V\n  operations: { Ask: { push: { batch: payload.b, rows: one } } }\n",
                "m.yaml:11:30: error: `rows` is a list among the fields of the type of `Ask`",
            ),
            ("  name: V\n  operations: { Ask: { type: Aks } }\n", "m.yaml:11:30: error: unknown type `Aks`"),
            ("  name: V\n  operations: { Ask: { answer: item.x } }\n", "m.yaml:11:32: error: unknown name `item`"),
            (
                "  name: V\n  operations: { A: { element: { name: x } }, B: { element: { name: x } } }\n",
                "m.yaml:11:49: error: another operation takes the element `x`, too",
            ),
        ] {
            assert_eq!(errors(serves), [wanted], "{serves}");
        }
    }
}
