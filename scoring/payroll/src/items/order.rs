//! The order in which items are worked out: each behind what it reads.

use super::rules::Step;

/// The order of steps, stable by their places in the file; or the steps of a cycle, each read by the one before it.
pub(super) fn order(steps: &[Step], before: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut order = Vec::with_capacity(steps.len());
    let mut marks = vec![Mark::New; steps.len()];
    for step in 0..steps.len() {
        let mut way = Vec::new();
        visit(step, before, &mut marks, &mut way, &mut order)?;
    }
    Ok(order)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Walks with a stack of its own: files may chain thousands of items.
fn visit(
    start: usize,
    before: &[Vec<usize>],
    marks: &mut [Mark],
    way: &mut Vec<(usize, usize)>,
    order: &mut Vec<usize>,
) -> Result<(), Vec<usize>> {
    if marks.get(start) != Some(&Mark::New) {
        return Ok(());
    }
    way.push((start, 0));
    set(marks, start, Mark::Open);
    while let Some((step, next)) = way.last_mut() {
        let step = *step;
        let read = before.get(step).and_then(|reads| reads.get(*next)).copied();
        *next += 1;
        match read.map(|read| (read, marks.get(read).copied())) {
            Some((read, Some(Mark::New))) => {
                set(marks, read, Mark::Open);
                way.push((read, 0));
            }
            Some((read, Some(Mark::Open))) => {
                return Err(way.iter().map(|(step, _)| *step).skip_while(|step| *step != read).collect());
            }
            Some(_) => {}
            None => {
                set(marks, step, Mark::Done);
                order.push(step);
                way.pop();
            }
        }
    }
    Ok(())
}

fn set(marks: &mut [Mark], at: usize, mark: Mark) {
    if let Some(found) = marks.get_mut(at) {
        *found = mark;
    }
}
