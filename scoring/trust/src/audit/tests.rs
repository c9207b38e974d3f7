use super::*;
use hub_tree::Decimal;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn about() -> About {
    About {
        tool: "Rowan <screening>".to_owned(),
        version: "3.2".to_owned(),
        audited: day("2026-10-05"),
        auditor: "Merle & Co".to_owned(),
        data_source: "Applications of 2025".to_owned(),
        period: (day("2025-01-01"), day("2025-12-31")),
        first_used: None,
    }
}

fn exclusion() -> Option<Exclusion> {
    Some(Exclusion::two_percent("too few people for a ratio"))
}

fn people<'a>(
    sex: Option<&'a str>,
    race: Option<&'a str>,
    all: usize,
    selected: usize,
) -> impl Iterator<Item = Row<'a>> {
    (0..all).map(move |at| Row { sex, race, selected: Some(at < selected), score: None })
}

fn fraction(above: u64, below: u64) -> Exact {
    Exact::from(above).over(&Exact::from(below)).unwrap()
}

/// 100 women and 80 men, 2 of another sex, 8 unknown; all but ten of the men Asian.
fn small() -> Audit {
    let rows = people(Some("Female"), Some("Asian"), 100, 60)
        .chain(people(Some("Male"), Some("Asian"), 70, 20))
        .chain(people(Some("Male"), Some("White"), 10, 5))
        .chain(people(Some("Other"), Some("White"), 2, 2))
        .chain(people(None, Some("White"), 5, 4))
        .chain(people(Some("unknown"), None, 3, 0));
    audit(rows, about(), exclusion())
}

#[test]
fn an_audit_has_the_three_tables_of_the_law() {
    let audit = small();
    let people = Headcount { assessed: 190, unknown_sex: 8, unknown_race: 3, unknown_intersection: 8 };
    assert_eq!(audit.people, people);
    assert!(audit.scoring.is_none());
    let found = audit.selection.unwrap();
    assert_eq!(found.people, people);
    let [female, male, other] = found.sex.categories.as_slice() else { panic!("{:?}", found.sex) };
    assert_eq!(female.standing.ratio(), Some(&Exact::one()));
    // 25/80 over 60/100 is 25/48, and the 180 people are too many for Fisher's test.
    assert_eq!(male.standing, Standing::Compared { ratio: fraction(25, 48), below_four_fifths: true });
    let chance = male.chance.unwrap();
    assert!(chance.test == Test::Z && chance.is_significant(), "{chance:?}");
    assert_eq!(other.standing, Standing::Small { share: fraction(2, 190) });
    assert_eq!((other.group.favoured, other.chance), (2, None));
    assert_eq!(found.sex.unknown, Group { assessed: 8, favoured: 4 });
    assert_eq!(found.sex.benchmark, Some(0));
    let races: Vec<_> =
        found.race.categories.iter().map(|one| (one.race.as_deref().unwrap(), one.group.assessed)).collect();
    assert_eq!(races, [("Asian", 170), ("White", 17)]);
    let both = &found.intersection;
    let names: Vec<_> =
        both.categories.iter().map(|one| (one.sex.as_deref().unwrap(), one.race.as_deref().unwrap())).collect();
    assert_eq!(names, [("Female", "Asian"), ("Male", "Asian"), ("Male", "White"), ("Other", "White")]);
    assert_eq!(both.categories[2].standing.ratio(), Some(&fraction(5, 6)));
    assert_eq!(both.unknown.assessed, 8);
}

#[test]
fn few_people_are_tested_by_fisher() {
    let rows = people(Some("F"), None, 4, 3).chain(people(Some("M"), None, 4, 1));
    let found = audit(rows, about(), None).selection.unwrap();
    let chance = found.sex.categories[1].chance.unwrap();
    assert_eq!(chance.test, Test::Fisher);
    assert!((chance.p - 34.0 / 70.0).abs() < 1e-12 && !chance.is_significant());
    assert!(found.race.categories.is_empty() && found.race.benchmark.is_none());
}

#[test]
fn scores_are_compared_with_the_median_of_all() {
    let score = |sex, score: i64| Row { sex, score: Some(Decimal::from(score)), ..Row::default() };
    let rows =
        [50, 60, 70, 80].map(|s| score(Some("X"), s)).into_iter().chain([60, 70, 90].map(|s| score(Some("Y"), s)));
    let (median, found) = audit(rows, about(), None).scoring.unwrap();
    assert_eq!(median, Exact::from(70));
    assert_eq!(found.sex.categories[0].standing.ratio(), Some(&fraction(3, 4)));
    assert_eq!(found.sex.categories[1].group, Group { assessed: 3, favoured: 1 });
}

#[test]
fn a_million_rows_add_up() {
    const RACES: [Option<&str>; 4] = [Some("Asian"), Some("White"), Some("Two or More Races"), None];
    let rows = (0..1_000_000_usize).map(|at| Row {
        sex: [Some("Female"), Some("Male"), None][at % 3],
        race: RACES[at % 4],
        selected: Some(at % 5 == 0),
        score: Some(Decimal::from((at * 7_919) % 1_000_003)),
    });
    let audit = audit(rows, about(), exclusion());
    let all =
        |table: &Table| table.categories.iter().map(|one| one.group.assessed).sum::<u64>() + table.unknown.assessed;
    let (_, scoring) = audit.scoring.as_ref().unwrap();
    let selection = audit.selection.as_ref().unwrap();
    for measure in [scoring, selection] {
        for table in [&measure.sex, &measure.race, &measure.intersection] {
            assert_eq!(all(table), 1_000_000);
        }
    }
    // All scores are different, so that exactly half of the people are above the median.
    let above = scoring.sex.categories.iter().map(|one| one.group.favoured).sum::<u64>() + scoring.sex.unknown.favoured;
    assert_eq!(above, 500_000);
    assert_eq!(audit.people.unknown_race, 250_000);
}

#[test]
fn the_page_says_all_that_must_be_public_and_trusts_no_name() {
    let audit = small();
    let english = page(&audit, Language::English);
    for said in [
        "<!DOCTYPE html>",
        "lang=\"en\"",
        "Rowan &lt;screening&gt;",
        "Merle &amp; Co",
        "2026-10-05",
        "Applications of 2025",
        "2025-01-01 – 2025-12-31",
        "not yet in use",
        "<dt>Sex unknown</dt><dd>8</dd>",
        "<dt>Either of them unknown</dt><dd>8</dd>",
        "share of all people assessed under 2%, reason: too few people for a ratio",
        "By sex and race/ethnicity",
        "<td data-head=\"Selection rate\"><span>31.25%</span></td>",
        "0.5208",
        "below 4/5",
        "left out of the ratios: 1.05% of all assessed",
        "Female · Asian",
    ] {
        assert!(english.contains(said), "the page does not say {said}");
    }
    assert!(!english.contains("<screening>"));
    // The page needs nothing from anywhere: no scripts, pictures, fonts or style sheets.
    assert!(["<script", "<link", "<img", "src=", "href=", "url("].iter().all(|outside| !english.contains(outside)));
    assert_eq!(english.matches("<svg").count(), 3);
    let chinese = page(&audit, Language::Chinese);
    for said in ["lang=\"zh-CN\"", "偏差审计", "影响比", "女 · 亚裔", "低于五分之四", "尚未使用"] {
        assert!(chinese.contains(said), "the page does not say {said}");
    }
    let nobody = page(&super::audit([], about(), None), Language::English);
    assert!(nobody.contains("Nobody was assessed.") && !nobody.contains("<svg"));
}

#[test]
fn a_bar_is_as_long_as_its_ratio() {
    let page = page(&small(), Language::English);
    // 334 units for 1; 25/48 of them are 173.96, and 4/5 stand at 12 + 267.2.
    assert!(page.contains("width=\"334.0\"") && page.contains("width=\"174.0\""), "{page}");
    assert!(page.contains("class=\"mark\" x1=\"279.2\""));
}

#[test]
fn a_language_is_found_by_its_tag() {
    assert_eq!(Language::from_tag("zh-CN"), Some(Language::Chinese));
    assert_eq!(Language::from_tag("EN-us"), Some(Language::English));
    assert_eq!(Language::from_tag("fr"), None);
}
