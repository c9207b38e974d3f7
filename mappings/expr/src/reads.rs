//! Which source paths an expression may read: known before it runs, so that what nobody reads can be reported.

use crate::check::{Constant, Each, Node, NodeKind};

/// A path from a slot; the value at its end is read with all that lies below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The slot of the scope that it begins at.
    pub slot: usize,
    /// The way from there.
    pub path: Vec<Segment>,
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of an object.
    Key(Box<str>),
    /// Any item of a list.
    Items,
    /// The item of a list at a place, from 0.
    Item(usize),
}

/// What computing `root` reads on the way, and the path that its value lies at, if it is taken from one place.
pub(crate) fn of(root: &Node) -> (Vec<Read>, Option<Read>) {
    let mut reads = Vec::new();
    let source = Walk { reads: &mut reads, items: Vec::new() }.path(root);
    (reads, source)
}

struct Walk<'w> {
    reads: &'w mut Vec<Read>,
    /// Where the items of the enclosing list functions come from, if that is a path.
    items: Vec<Option<Read>>,
}

impl Walk<'_> {
    /// The value of `node` is used: its path, if it has one, is read to the ground.
    fn whole(&mut self, node: &Node) {
        if let Some(read) = self.path(node)
            && !self.reads.contains(&read)
        {
            self.reads.push(read);
        }
    }

    /// The source path that `node` leads to, if it is one; what else it computes on the way counts as read.
    fn path(&mut self, node: &Node) -> Option<Read> {
        match &node.kind {
            NodeKind::Slot(slot) => Some(Read { slot: *slot, path: Vec::new() }),
            NodeKind::Item => self.items.last().cloned().flatten(),
            NodeKind::Key(base, key) => self.path(base).map(|read| read.then(Segment::Key(key.clone()))),
            NodeKind::Index(base, index) => {
                self.whole(index);
                let segment = match &index.kind {
                    NodeKind::Constant(Constant::Number(number)) => item(base, usize::try_from(*number).ok()),
                    _ => Segment::Items,
                };
                self.path(base).map(|read| read.then(segment))
            }
            NodeKind::Each(each, list, body) => {
                let list = self.path(list);
                self.items.push(list.clone().map(|read| read.then(Segment::Items)));
                self.whole(body);
                self.items.pop();
                match each {
                    Each::Where | Each::SortBy | Each::UniqueBy => list,
                    Each::GroupBy => {
                        // The items are in the result, whatever is done with it.
                        self.reads.extend(list);
                        None
                    }
                    Each::Map | Each::Any | Each::All => None,
                }
            }
            NodeKind::Call(function, arguments) if function.picks_item => {
                let first = (function.name == "first").then_some(0);
                self.path(&arguments[0]).map(|read| read.then(item(&arguments[0], first)))
            }
            NodeKind::Call(_, nodes) | NodeKind::List(nodes) => {
                nodes.iter().for_each(|node| self.whole(node));
                None
            }
            NodeKind::Not(inner) | NodeKind::Minus(inner) => {
                self.whole(inner);
                None
            }
            NodeKind::Binary(_, left, right) => {
                self.whole(left);
                self.whole(right);
                None
            }
            NodeKind::If(parts) => {
                parts.iter().for_each(|node| self.whole(node));
                None
            }
            NodeKind::Constant(_) => None,
        }
    }
}

/// An item of `list`: the one at `index` where that is the place in the source, too.
fn item(list: &Node, index: Option<usize>) -> Segment {
    let is_the_source =
        matches!(list.kind, NodeKind::Slot(_) | NodeKind::Item | NodeKind::Key(..) | NodeKind::Index(..));
    index.filter(|_| is_the_source).map_or(Segment::Items, Segment::Item)
}

impl Read {
    fn then(mut self, segment: Segment) -> Self {
        self.path.push(segment);
        self
    }
}
