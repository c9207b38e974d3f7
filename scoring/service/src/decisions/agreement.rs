//! Whether people followed what a machine proposed. A person who always does is a rubber stamp, and the machine decides.

use hub_model::entities::assessment::{DeciderKind, Decision, DecisionKind, DecisionLabel};

/// What a person made of a machine's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// They went the way that it proposed.
    Agreed,
    /// They went another way.
    Overturned,
    /// It proposed none: it said 待考虑, and they decided.
    Decided,
}

impl Agreement {
    /// How it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreed => "AGREED",
            Self::Overturned => "OVERTURNED",
            Self::Decided => "DECIDED",
        }
    }
}

/// The label that a machine gave; `None` for a person's decision and for one without a label.
#[must_use]
pub fn machine_label(decision: &Decision) -> Option<DecisionLabel> {
    let by = decision.made_by.as_ref()?.kind.as_ref()?.value;
    decision.label.as_ref().map(|label| label.value).filter(|_| by == DeciderKind::Rule)
}

/// What a person's decision makes of a machine's label; `None` when it says nothing of it, as a decision to wait does.
///
/// What was decided counts more than the label: that of the machine stays where nobody gave another one.
#[must_use]
pub fn agreement(machine: DecisionLabel, human: &Decision) -> Option<Agreement> {
    if human.made_by.as_ref()?.kind.as_ref()?.value != DeciderKind::Human {
        return None;
    }
    let said = match human.kind.as_ref().map(|kind| kind.value) {
        Some(DecisionKind::Hire | DecisionKind::Advance) => DecisionLabel::Recommended,
        Some(DecisionKind::Reject) => DecisionLabel::NotRecommended,
        _ => human.label.as_ref()?.value,
    };
    Some(match (machine, said) {
        (machine, said) if machine == said => Agreement::Agreed,
        (DecisionLabel::Consider, _) => Agreement::Decided,
        _ => Agreement::Overturned,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_model::Enum;
    use hub_model::entities::assessment::Decider;

    fn decision(by: DeciderKind, kind: DecisionKind, label: Option<DecisionLabel>) -> Decision {
        Decision {
            kind: Some(Enum::of(kind)),
            label: label.map(Enum::of),
            made_by: Some(Decider { kind: Some(Enum::of(by)), ..Decider::default() }),
            ..Decision::default()
        }
    }

    #[test]
    fn what_was_decided_tells_whether_people_agree() {
        use DecisionKind::{Advance, Hire, Hold, Reject, Reopen};
        use DecisionLabel::{Consider, NotRecommended, Recommended};
        for (machine, kind, label, found) in [
            (Recommended, Hire, None, Some(Agreement::Agreed)),
            (Recommended, Reject, Some(Recommended), Some(Agreement::Overturned)),
            (NotRecommended, Reject, Some(NotRecommended), Some(Agreement::Agreed)),
            (NotRecommended, Advance, None, Some(Agreement::Overturned)),
            (Consider, Hire, None, Some(Agreement::Decided)),
            (Consider, Hold, Some(Consider), Some(Agreement::Agreed)),
            (Recommended, Hold, Some(Consider), Some(Agreement::Overturned)),
            (Recommended, Reopen, None, None),
        ] {
            let human = decision(DeciderKind::Human, kind, label);
            assert_eq!(agreement(machine, &human), found, "{machine:?} {kind:?} {label:?}");
        }
        let machine = decision(DeciderKind::Rule, Hold, Some(Consider));
        assert_eq!(agreement(Consider, &machine), None, "a machine agrees with nobody");
        assert_eq!(
            (machine_label(&machine), machine_label(&decision(DeciderKind::Human, Hold, Some(Consider)))),
            (Some(Consider), None)
        );
    }
}
