//! Which cases belong to which mapping, told from the names of files alone.
//!
//! Nothing is passed over in silence: a mapping without a case, a folder of cases without a mapping, half a case and a
//! file whose name is not understood are problems.

use hub_tree::finding::suggest;
use std::collections::{BTreeMap, BTreeSet};

/// A case's input, and whether it is a full one.
const INPUTS: &[(&str, bool)] = &[
    (".input.json", false),
    (".full.json", true),
    (".input.xml", false),
    (".input.csv", false),
    (".input.form", false),
];
const EXPECT: &str = ".expect.json";
const MAPPINGS: [&str; 2] = [".in.yaml", ".out.yaml"];

/// What there is to run, and what is wrong with how it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The mappings, by path.
    pub suites: Vec<Suite>,
    /// What is wrong, by path.
    pub problems: Vec<Problem>,
}

/// A mapping and its cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The path of the mapping file.
    pub path: String,
    /// `vendor/object.in`.
    pub id: String,
    /// Its cases, by name.
    pub cases: Vec<Case>,
}

/// An input with the result that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its name, such as `hired`.
    pub name: String,
    /// The path of the input.
    pub input: String,
    /// Whether the input holds more than the payload: headers, event, request, settings.
    pub full: bool,
    /// The path of the expectation.
    pub expect: String,
    /// Whether that file is there.
    pub expected: bool,
}

/// What is wrong with how files lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file or folder.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub suggestion: Option<String>,
}

impl Suite {
    /// `vendor/object.in/name`.
    #[must_use]
    pub fn id_of(&self, case: &Case) -> String {
        format!("{}/{}", self.id, case.name)
    }
}

/// Whether an input's name says that it holds more than the payload.
#[must_use]
pub fn is_full(path: &str) -> bool {
    INPUTS.iter().any(|(ending, full)| *full && path.ends_with(ending))
}

impl Plan {
    /// Sorts files, each by its path with `/`, into mappings and cases. `here` is the name of the folder that relative
    /// paths begin in.
    #[must_use]
    pub fn of(paths: &[String], here: &str) -> Self {
        let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for path in paths.iter().filter(|path| case_parts(path).is_none_or(|(_, rest)| rest.matches('/').count() > 1)) {
            let (folder, name) = split(path);
            if let Some(object) = name.strip_suffix(".yaml").filter(|_| is_mapping(name)) {
                folders.entry(folder).or_default().insert(object);
            }
        }
        let mut plan = Self::default();
        // The files of each folder of cases, by (folder of the mapping, object).
        let mut cases: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for path in paths {
            let Some((folder, rest)) = case_parts(path) else { continue };
            let known = folders.get(folder);
            let (object, file) = rest.split_once('/').unwrap_or(("", rest));
            let ours = known.is_some() || name_of(parent(folder)) == "mappings" || is_object(object);
            match (object, file) {
                _ if !ours => {}
                ("", _) => plan.problem(path, "a case lies in a folder of its mapping", Some(PLACE)),
                (_, file) if file.contains('/') => plan.problem(path, "this lies too deep for a case", Some(PLACE)),
                _ => cases.entry((folder, object)).or_default().push(file),
            }
        }
        for ((folder, object), files) in &cases {
            let known = folders.get(folder);
            if !known.is_some_and(|known| known.contains(object)) {
                let beside: Vec<String> = known.into_iter().flatten().map(|name| format!("{name}.yaml")).collect();
                let wanted = format!("{object}.yaml");
                let help = suggest(&wanted, beside.iter().map(String::as_str));
                let message = format!("cases without a mapping: there is no {}", join(folder, &wanted));
                plan.problem(&join(folder, &format!("cases/{object}")), &message, help.as_deref());
                continue;
            }
            plan.pair(&join(folder, &format!("cases/{object}")), files);
        }
        for (folder, objects) in &folders {
            let vendor = if matches!(name_of(folder), "" | ".") { here } else { name_of(folder) };
            for object in objects {
                let path = join(folder, &format!("{object}.yaml"));
                let found = cases.get(&(*folder, *object)).map(Vec::as_slice).unwrap_or_default();
                let cases = paired(&join(folder, &format!("cases/{object}")), found);
                if cases.is_empty() {
                    let help = format!("write cases/{object}/NAME.input.json beside it");
                    plan.problem(&path, "the mapping has no case", Some(&help));
                }
                plan.suites.push(Suite { id: format!("{vendor}/{object}"), path, cases });
            }
        }
        plan.problems.sort();
        plan
    }

    /// Keeps what `filter` is part of: a mapping's id with all its cases, a case's id (`vendor/object.in/name`) or
    /// path, and the problems of such paths. `false` when nothing is left.
    pub fn keep(&mut self, filter: &str) -> bool {
        self.suites.retain_mut(|suite| {
            let whole = suite.id.contains(filter) || suite.path.contains(filter);
            let id = suite.id.clone();
            let wanted = |case: &Case| format!("{id}/{}", case.name).contains(filter) || case.input.contains(filter);
            suite.cases.retain(|case| whole || wanted(case));
            whole || !suite.cases.is_empty()
        });
        self.problems.retain(|problem| problem.path.contains(filter));
        !self.suites.is_empty() || !self.problems.is_empty()
    }

    /// Keeps what lies at or below a path: a folder, a mapping with all that is its own, a file of a case.
    pub fn keep_below(&mut self, path: &str) {
        let at = |other: &str| other == path || other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        self.suites.retain_mut(|suite| {
            let whole = at(&suite.path);
            suite.cases.retain(|case| whole || at(&case.input) || at(&case.expect));
            whole || !suite.cases.is_empty()
        });
        let (folder, name) = split(path);
        let own = join(folder, &format!("cases/{}", name.strip_suffix(".yaml").unwrap_or(name)));
        let of_mapping = |other: &str| is_mapping(name) && other.starts_with(&own);
        self.problems.retain(|problem| at(&problem.path) || of_mapping(&problem.path));
    }

    fn problem(&mut self, path: &str, message: &str, suggestion: Option<&str>) {
        let (path, message) = (path.to_owned(), message.to_owned());
        self.problems.push(Problem { path, message, suggestion: suggestion.map(str::to_owned) });
    }

    /// What is wrong with the files of a mapping's cases.
    fn pair(&mut self, folder: &str, files: &[&str]) {
        for file in files {
            let path = join(folder, file);
            if let Some(stem) = file.strip_suffix(EXPECT) {
                if !files.iter().any(|other| input_of(other).is_some_and(|(name, _)| name == stem)) {
                    let help = format!("write {stem}.input.json, or remove it");
                    self.problem(&path, "an expectation without an input", Some(&help));
                }
            } else if let Some((stem, _)) = input_of(file) {
                let first = files.iter().find(|other| input_of(other).is_some_and(|(name, _)| name == stem));
                if first != Some(file) {
                    let message = format!("`{stem}` has two inputs and one expectation");
                    self.problem(&path, &message, Some("give one of them another name"));
                }
            } else {
                let (stem, ending) = file.split_once('.').unwrap_or((file, ""));
                let known = INPUTS.iter().map(|(ending, _)| *ending).chain([EXPECT]);
                let meant = hub_tree::nearest(ending, known.map(|ending| ending.trim_start_matches('.')))
                    .map(|ending| format!("did you mean `{stem}.{ending}`?"));
                let help = meant.unwrap_or_else(|| PLACE.to_owned());
                self.problem(&path, "this is neither an input nor an expectation", Some(&help));
            }
        }
    }
}

const PLACE: &str = "a case is cases/OBJECT.in/NAME.input.json (or NAME.full.json) with NAME.expect.json";

/// The cases among the files of a folder.
fn paired(folder: &str, files: &[&str]) -> Vec<Case> {
    let cases = files.iter().filter_map(|file| {
        let (name, full) = input_of(file)?;
        let expect = format!("{name}{EXPECT}");
        let expected = files.contains(&expect.as_str());
        Some(Case { name: name.to_owned(), input: join(folder, file), full, expect: join(folder, &expect), expected })
    });
    let mut cases: Vec<Case> = cases.collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// The name of the case whose input this is, and whether it is a full one.
fn input_of(file: &str) -> Option<(&str, bool)> {
    INPUTS.iter().find_map(|(ending, full)| Some((file.strip_suffix(ending)?, *full)))
}

/// Whether a file's name is that of a mapping.
#[must_use]
pub fn is_mapping(name: &str) -> bool {
    MAPPINGS.iter().any(|ending| name.ends_with(ending))
}

fn is_object(name: &str) -> bool {
    [".in", ".out"].iter().any(|ending| name.ends_with(ending))
}

/// The folder of the mapping and the rest, of a path below a folder `cases`. The last such folder counts: the project
/// itself may lie below another.
fn case_parts(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once("/cases/").or_else(|| Some(("", path.strip_prefix("cases/")?)))
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn parent(path: &str) -> &str {
    split(path).0
}

fn name_of(path: &str) -> &str {
    split(path).1
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(paths: &[&str]) -> Plan {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        Plan::of(&paths, "here")
    }

    fn problems(paths: &[&str]) -> Vec<String> {
        let shown = |problem: Problem| {
            format!("{}: {}; {}", problem.path, problem.message, problem.suggestion.unwrap_or_default())
        };
        plan(paths).problems.into_iter().map(shown).collect()
    }

    const SOUND: &[&str] = &[
        "mappings/kestrel/application.in.yaml",
        "mappings/kestrel/cases/application.in/a.input.json",
        "mappings/kestrel/cases/application.in/a.expect.json",
        "mappings/kestrel/cases/application.in/b.full.json",
    ];

    fn with(more: &str) -> Vec<String> {
        let mut paths = SOUND.to_vec();
        paths.push(more);
        problems(&paths)
    }

    #[test]
    fn cases_are_found_beside_their_mapping() {
        let plan = plan(SOUND);
        assert_eq!(plan.problems, []);
        let [suite] = plan.suites.as_slice() else { panic!("{plan:?}") };
        assert_eq!((suite.id.as_str(), suite.cases.len()), ("kestrel/application.in", 2));
        let [a, b] = suite.cases.as_slice() else { panic!("{suite:?}") };
        assert_eq!((a.name.as_str(), a.full, a.expected), ("a", false, true));
        assert_eq!((b.name.as_str(), b.full, b.expected), ("b", true, false));
        assert_eq!(b.expect, "mappings/kestrel/cases/application.in/b.expect.json");
    }

    #[test]
    fn a_vendors_own_folder_can_be_the_start() {
        let plan = plan(&["application.in.yaml", "cases/application.in/a.input.json", "./x.out.yaml"]);
        let ids: Vec<&str> = plan.suites.iter().map(|suite| suite.id.as_str()).collect();
        assert_eq!(ids, ["here/application.in", "here/x.out"]);
        assert_eq!(plan.problems.len(), 1, "x.out has no case");
    }

    #[test]
    fn the_project_may_lie_below_a_folder_called_cases() {
        let paths: Vec<String> = SOUND.iter().map(|path| format!("/home/cases/{path}")).collect();
        let plan = Plan::of(&paths, "here");
        assert_eq!((plan.problems.len(), plan.suites.len()), (0, 1));
        assert_eq!(plan.suites.iter().map(|suite| suite.cases.len()).sum::<usize>(), 2);
    }

    #[test]
    fn nothing_that_lies_wrong_is_passed_over() {
        let folder = "mappings/kestrel/cases/application.in";
        assert_eq!(
            with("mappings/kestrel/cases/application.in/c.inptu.json"),
            [format!(
                "{folder}/c.inptu.json: this is neither an input nor an expectation; did you mean `c.input.json`?"
            )]
        );
        assert!(with(&format!("{folder}/notes.txt"))[0].contains("neither an input nor an expectation; a case is"));
        assert!(with(&format!("{folder}/c.expect.json"))[0].contains("c.expect.json: an expectation without an input"));
        assert!(with(&format!("{folder}/a.full.json"))[0].contains("`a` has two inputs"));
        assert!(with(&format!("{folder}/a.input.csv"))[0].contains("`a` has two inputs"));
        assert!(with(&format!("{folder}/c.input.cvs"))[0].contains("did you mean `c.input.csv`?"));
        assert!(with("mappings/kestrel/cases/a.input.json")[0].contains("in a folder of its mapping"));
        assert!(with(&format!("{folder}/more/a.input.json"))[0].contains("too deep"));
        let orphan = with("mappings/kestrel/cases/aplication.in/a.input.json");
        assert_eq!(
            orphan,
            ["mappings/kestrel/cases/aplication.in: cases without a mapping: there is no \
              mappings/kestrel/aplication.in.yaml; did you mean `application.in.yaml`?"]
        );
        assert!(with("mappings/other/cases/x/a.input.json")[0].contains("cases without a mapping"));
        assert_eq!(with("docs/cases/x/a.input.json"), [] as [String; 0], "not ours");
        assert!(with("mappings/kestrel/candidate.in.yaml")[0].contains("candidate.in.yaml: the mapping has no case"));
    }

    #[test]
    fn a_filter_keeps_what_it_is_part_of() {
        let kept = |filter: &str| {
            let mut plan = plan(SOUND);
            let some = plan.keep(filter);
            let cases: Vec<String> = plan.suites.iter().flat_map(|s| s.cases.iter().map(|c| c.name.clone())).collect();
            (some, cases)
        };
        assert_eq!(kept("kestrel/application"), (true, vec!["a".into(), "b".into()]));
        assert_eq!(kept("application.in/b"), (true, vec!["b".into()]));
        assert_eq!(kept("hired"), (false, vec![]));
        let below = |path: &str| {
            let mut plan = plan(SOUND);
            plan.keep_below(path);
            plan.suites.iter().map(|suite| suite.cases.len()).sum::<usize>()
        };
        assert_eq!(below("mappings/kestrel"), 2);
        assert_eq!(below("mappings/kestrel/application.in.yaml"), 2);
        assert_eq!(below("mappings/kestrel/cases/application.in/a.expect.json"), 1);
        assert_eq!(below("mappings/kest"), 0);
    }
}
