//! Whether two names could be one human's.

use std::collections::BTreeSet;

/// Letters that a Latin name has at least for one slip of the keyboard to be forgiven.
const LONG_ENOUGH: usize = 5;

/// The forms in which a record gives a name, each as it compares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    forms: BTreeSet<String>,
    /// The given name, where it is known apart from the family name.
    given: BTreeSet<String>,
}

/// Whether a text is written in characters that need no spaces between words.
fn is_han(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{20000}'..='\u{3FFFF}'))
}

/// A name as it compares: Latin ones in lower case, their words in alphabetical order; others without spaces and dots.
fn form(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if is_han(&lower) {
        return words.concat();
    }
    words.sort_unstable();
    words.join(" ")
}

impl Names {
    pub(crate) fn add(&mut self, text: &str) {
        let form = form(text);
        if form.is_empty() {
            return;
        }
        // Of three characters the first is the family name; of two or four that cannot be told.
        let mut rest = form.chars();
        if is_han(&form) && form.chars().count() == 3 && rest.next().is_some() {
            self.given.insert(rest.collect());
        }
        self.forms.insert(form);
    }

    pub(crate) fn add_given(&mut self, text: &str) {
        let form = form(text);
        if form.chars().count() >= 2 {
            self.given.insert(form);
        }
    }

    pub(crate) fn forms(&self) -> impl Iterator<Item = &str> {
        self.forms.iter().map(String::as_str)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.forms.intersection(&other.forms).next().is_some()
    }

    /// The same but for a slip, or for the family name.
    pub(crate) fn similar(&self, other: &Self) -> bool {
        let close = |one: &String| {
            other.forms.iter().any(|two| {
                let (first, second) = (one.chars().count(), two.chars().count());
                let latin = !is_han(one) && !is_han(two) && first.min(second) >= LONG_ENOUGH;
                latin && strsim::osa_distance(one, two) <= 1
            })
        };
        self.same(other) || self.given.intersection(&other.given).next().is_some() || self.forms.iter().any(close)
    }

    /// Whether both are written in one script and are no forms of one name.
    pub(crate) fn contradict(&self, other: &Self) -> bool {
        let comparable = |han: bool| {
            let in_script = |names: &Self| names.forms.iter().any(|form| is_han(form) == han);
            in_script(self) && in_script(other)
        };
        (comparable(true) || comparable(false)) && !self.similar(other) && !self.part_of(other) && !other.part_of(self)
    }

    /// Whether one of the forms leaves out words of another: a chat account that says the given name alone.
    fn part_of(&self, other: &Self) -> bool {
        let words = |form: &str| form.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        self.forms.iter().any(|form| other.forms.iter().any(|whole| words(form).is_subset(&words(whole))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(forms: &[&str]) -> Names {
        let mut names = Names::default();
        forms.iter().for_each(|form| names.add(form));
        names
    }

    #[test]
    fn order_case_and_spaces_do_not_make_another_name() {
        assert!(names(&["Wei ZHANG"]).same(&names(&["Zhang, Wei"])));
        assert!(names(&["张 伟"]).same(&names(&["张伟"])));
        assert!(names(&["阿依古丽·买买提"]).same(&names(&["阿依古丽 买买提"])));
        assert!(!names(&["张伟"]).same(&names(&["张玮"])));
    }

    #[test]
    fn one_slip_is_forgiven_in_long_latin_names_only() {
        assert!(names(&["Zhang Wei"]).similar(&names(&["Zhang Wie"])));
        assert!(names(&["Katarina Nowak"]).similar(&names(&["Katarina Novak"])));
        assert!(!names(&["Li Na"]).similar(&names(&["Li Bo"])));
        assert!(!names(&["张伟"]).similar(&names(&["张玮"])), "one other character is another name");
    }

    #[test]
    fn a_family_name_may_change_and_scripts_do_not_contradict() {
        assert!(names(&["王晓梅"]).similar(&names(&["陈晓梅"])));
        assert!(!names(&["王建国"]).similar(&names(&["王晓明"])), "father and son");
        assert!(!names(&["李娜"]).contradict(&names(&["Li Na"])));
        assert!(names(&["李娜"]).contradict(&names(&["王强"])));
        assert!(!names(&["Aisha"]).contradict(&names(&["Aisha Rahman"])), "less is no contradiction");
        assert!(!names(&["Aisha"]).similar(&names(&["Aisha Rahman"])), "and no reason either");
    }
}
