use super::*;
use hub_tree::jiff::civil::date;

const PACK: &str = "
version: 1
pack: atlantis
currency: XTS
brackets:
  tax:
    - from: 2020-01-01
      to: 2020-12-31
      source: first law
      bands: [{ up_to: 100, rate: 10 }, { up_to: 200, rate: 20, less: 10 }, { rate: 50 }]
    - from: 2022-01-01
      source: second law
      bands: [{ rate: 7.5 }]
numbers:
  cap: [{ from: 2020-01-01, value: 12.5, source: notice }]
rows:
  ages: [{ from: 2020-01-01, source: notice, rows: [{ above: 0, group: young }, { above: 55, group: old }] }]
";

#[test]
fn a_version_holds_from_its_first_to_its_last_day() {
    let pack = Pack::read("atlantis.yaml", PACK).unwrap();
    assert_eq!(pack.brackets("tax", date(2020, 1, 1)).unwrap().source, "first law");
    assert_eq!(pack.brackets("tax", date(2020, 12, 31)).unwrap().source, "first law");
    assert_eq!(pack.brackets("tax", date(2022, 1, 1)).unwrap().source, "second law");
    for day in [date(2019, 12, 31), date(2021, 1, 1), date(2021, 12, 31)] {
        let missing = pack.brackets("tax", day).unwrap_err().to_string();
        assert!(missing.contains("2020-01-01 to 2020-12-31; from 2022-01-01"), "{missing}");
    }
    assert!(pack.number("floor", date(2020, 1, 1)).unwrap_err().to_string().contains("for no day"));
    assert_eq!(pack.newest(), date(2022, 1, 1));
    assert_eq!(pack.number("cap", date(2030, 1, 1)).unwrap().rule.to_string(), "12.5");
    let rows = &pack.rows("ages", date(2020, 1, 1)).unwrap().rule;
    let cells: Vec<_> = rows.iter().map(|row| (row.number("above").unwrap().to_string(), row.word("group"))).collect();
    assert_eq!(cells, [("0".to_owned(), Some("young")), ("55".to_owned(), Some("old"))]);
    assert_eq!((rows[0].number("group"), rows[0].word("above"), rows[0].word("none")), (None, None, None));
}

#[test]
fn the_end_of_a_band_belongs_to_it_and_quick_deductions_follow() {
    let pack = Pack::read("atlantis.yaml", PACK).unwrap();
    let brackets = &pack.brackets("tax", date(2020, 6, 1)).unwrap().rule;
    let less: Vec<String> = brackets.bands().map(|band| band.less.to_string()).collect();
    assert_eq!(less, ["0", "10", "70"]);
    let tax = |amount: i64| brackets.tax(&Exact::from(amount)).to_string();
    let wanted = [(-5, "0"), (0, "0"), (100, "10"), (101, "10.2"), (200, "30"), (201, "30.5"), (1000, "430")];
    for (amount, wanted) in wanted {
        assert_eq!(tax(amount), wanted, "{amount}");
    }
    assert_eq!(brackets.band(&Exact::from(100)).percent, Exact::from(10));
    assert_eq!(brackets.band(&Exact::from(-1)).percent, Exact::from(10));
}

#[test]
fn what_is_wrong_with_a_pack_is_told_with_its_place() {
    for (old, new, wanted) in [
        ("rate: 20, less: 10", "rate: 20, less: 11", "`less` should be 10"),
        ("{ up_to: 200", "{ up_to: 100", "above that of the band before"),
        ("{ rate: 50 }", "{ up_to: 300, rate: 50 }", "the last band should have no `up_to`"),
        ("{ up_to: 100, rate: 10 }", "{ rate: 10 }", "the band above it has no end"),
        ("from: 2022-01-01", "from: 2020-12-31", "before the version above it ends"),
        ("to: 2020-12-31", "to: 2019-12-31", "`to` is before `from`"),
        ("from: 2022-01-01", "from: 2022-02-30", "a day of the calendar"),
        ("value: 12.5", "value: twelve", "expected a number"),
        ("value: 12.5, source: notice", "value: 12.5", "`source` is missing"),
        ("version: 1", "version: 2", "version"),
        ("currency: XTS", "money: XTS", "`currency` is missing"),
        ("  cap: [{ from: 2020-01-01, value: 12.5, source: notice }]", "  cap: []", "`cap` has no version"),
    ] {
        let text = PACK.replacen(old, new, 1);
        assert_ne!(text, PACK, "{old}");
        let wrong = Pack::read("atlantis.yaml", &text).unwrap_err().to_string();
        assert!(wrong.contains(wanted) && wrong.contains("atlantis.yaml:"), "{wanted}: {wrong}");
    }
}

#[test]
fn every_pack_that_ships_is_read_and_found_by_its_name() {
    let mut names = Vec::new();
    for embedded in crate::china::PACKS.iter().chain(crate::elsewhere::PACKS) {
        let pack = embedded.pack().unwrap();
        assert!(embedded.path.ends_with(&format!("/{}.yaml", pack.id)), "{}", embedded.path);
        assert_eq!(Pack::load(&pack.id).unwrap(), pack);
        names.push(pack.id.as_str());
    }
    assert!(names.contains(&"china"), "{names:?}");
    assert!(Pack::load("atlantis").unwrap_err().to_string().contains("`atlantis`"));
}

#[test]
fn the_pack_of_the_page_is_one() {
    let page = include_str!("../../../../docs/payroll.md");
    let text = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let pack = Pack::read("docs/payroll.md", text).unwrap();
    let wages = &pack.brackets("wages", date(2026, 12, 31)).unwrap().rule;
    assert_eq!(wages.tax(&Exact::from(200_000)).to_string(), "23080");
    assert_eq!(pack.rows("classes", date(2026, 1, 1)).unwrap().rule[0].number("rate").unwrap().to_string(), "0.2");
}
