//! Companies of many random people over a quarter: sums to the cent, the same when calculated again, and late data comes
//! to what would have been paid had it been known in time.

use crate::payroll::{Desk, batch, cny, listed, reference, run_of};
use hub_support::{Backends, Place};
use hub_tree::rust_decimal::RoundingStrategy;
use hub_tree::{Decimal, env};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MONTHS: [(&str, &str); 3] =
    [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-31")];
const CITIES: [&str; 2] = ["CN-BJ", "CN-SH"];
const GRADES: [&str; 4] = ["S", "A", "B", "C"];

/// Numbers that are the same in every run: SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn of<'v>(&mut self, all: &[&'v str]) -> &'v str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    fn amount(&mut self, least: u64, most: u64) -> String {
        let fen = least * 100 + self.below((most - least) * 100);
        format!("{}.{:02}", fen / 100, fen % 100)
    }

    fn day(&mut self, month: usize) -> String {
        format!("2026-{:02}-{:02}", month + 1, 2 + self.below(26))
    }
}

/// What is known about somebody.
#[derive(Clone, Debug)]
struct Known {
    base: String,
    bonus: String,
    grades: [&'static str; 3],
    /// Day and minutes.
    absences: Vec<(String, u64)>,
}

/// Somebody, as they were known in time and as they came to be known after February.
#[derive(Debug)]
struct Human {
    city: &'static str,
    hired: String,
    left: Option<String>,
    first: Known,
    last: Known,
}

fn human(random: &mut Random) -> Human {
    let hired = if random.chance(15) {
        let month = usize::try_from(random.below(3)).unwrap();
        random.day(month)
    } else {
        "2026-01-01".to_owned()
    };
    let known = Known {
        base: random.amount(8_000, 90_000),
        bonus: if random.chance(60) { random.amount(500, 9_000) } else { "0".to_owned() },
        grades: [random.of(&GRADES), random.of(&GRADES), random.of(&GRADES)],
        absences: (0..3)
            .filter(|_| random.chance(30))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|month| (random.day(month), 60 + random.below(420)))
            .collect(),
    };
    let left = random.chance(10).then(|| random.day(2)).filter(|left| *left > hired);
    let mut last = known.clone();
    if random.chance(30) {
        last.base = random.amount(8_000, 90_000);
    }
    if random.chance(30) {
        last.grades[usize::try_from(random.below(2)).unwrap()] = random.of(&GRADES);
    }
    if random.chance(20) {
        let month = usize::try_from(random.below(2)).unwrap();
        last.absences.push((random.day(month), 60 + random.below(420)));
    }
    // Two absences on one day would be one record.
    last.absences.sort();
    last.absences.dedup_by(|one, other| one.0 == other.0);
    let first =
        Known { absences: known.absences.iter().filter(|one| last.absences.contains(one)).cloned().collect(), ..known };
    Human { city: random.of(&CITIES), hired, left, first, last }
}

/// A company, told under keys that begin with a letter.
struct Company<'c, 'p> {
    clerk: &'c Desk<'p>,
    letter: char,
    group: String,
    employees: BTreeMap<String, String>,
}

/// Some items of a batch: their keys and data.
type Items = Vec<(String, Value)>;

impl Company<'_, '_> {
    /// A record of the hub's own, by its key.
    fn own(key: &str) -> Value {
        json!({ "connection": "hub", "remote_id": key })
    }

    fn tell(&self, humans: &[Human], as_known: impl Fn(&Human) -> &Known) {
        let of = |make: &dyn Fn(usize, &Human) -> Items| {
            let all = humans.iter().enumerate().flat_map(|(n, human)| make(n, human));
            all.map(|(key, data)| json!({ "key": format!("{}{key}", self.letter), "data": data })).collect::<Vec<_>>()
        };
        let who = |n: usize| Self::own(&format!("{}{n}", self.letter));
        let compensations = of(&|n, human| {
            let known = as_known(human);
            let line = |kind: &str, amount: &str| json!({ "code": kind, "kind": kind, "amount": cny(amount), "period": "MONTH" });
            let data = json!({
                "employee": who(n), "valid_from": "2026-01-01", "pay_group": reference("pay_group", &self.group),
                "lines": [line("BASE", &known.base), line("VARIABLE", &known.bonus)],
            });
            vec![(format!("-pay-{n}"), data)]
        });
        batch(self.clerk, "compensations", &compensations);
        let appraisals = of(&|n, human| {
            let grades = as_known(human).grades.into_iter().enumerate();
            let one = |(month, grade): (usize, &str)| {
                let data = json!({
                    "employee": who(n), "cycle": Self::own(&format!("cycle-{month}")), "grade": grade,
                    "finalised_at": format!("{}T10:00:00Z", MONTHS[month].1),
                });
                (format!("-grade-{n}-{month}"), data)
            };
            grades.map(one).collect()
        });
        batch(self.clerk, "appraisals", &appraisals);
        let days = of(&|n, human| {
            let one = |(day, minutes): &(String, u64)| {
                let data = json!({ "employee": who(n), "on": day, "status": "CLOSED", "absent_minutes": minutes });
                (format!("-day-{n}-{day}"), data)
            };
            as_known(human).absences.iter().map(one).collect()
        });
        if !days.is_empty() {
            batch(self.clerk, "attendance-days", &days);
        }
    }

    fn found<'c, 'p>(clerk: &'c Desk<'p>, letter: char, humans: &[Human]) -> Company<'c, 'p> {
        let group =
            json!({ "name": format!("Group {letter}"), "currency": "CNY", "frequency": "MONTHLY", "calendar": "CN" });
        let people: Vec<Value> = humans
            .iter()
            .enumerate()
            .map(|(n, human)| {
                let custom = json!({
                    "insured_city": human.city, "insurance_base": "10000", "fund_base": "10000", "fund_rate": "7",
                    "injury_class": "1",
                });
                json!({ "key": format!("{letter}{n}"), "data": {
                    "employee_number": format!("{letter}{n:05}"), "display_name": format!("Person {n}"), "status": "ACTIVE",
                    "latest_hire_on": human.hired, "terminated_on": human.left, "custom": custom } })
            })
            .collect();
        batch(clerk, "employees", &people);
        let employees = listed(clerk, "employees").into_iter().map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            (text("id"), text("employee_number"))
        });
        let employees = employees.filter(|(_, number)| number.starts_with(letter)).collect();
        Company { clerk, letter, group: clerk.make("pay-groups", &group), employees }
    }

    /// A month is calculated twice, looked at and locked; its payslips by the number of the employee.
    fn pays(&self, owner: &Desk<'_>, month: usize) -> BTreeMap<String, Value> {
        let run = run_of(self.clerk, &self.group, MONTHS[month]);
        let calculate = || {
            let made = self.clerk.calculated(&run);
            assert_eq!(made["status"]["value"], "CALCULATED", "{made:#}");
            let slips = listed(self.clerk, &format!("payslips?run={run}"));
            let number = |slip: &Value| self.employees[slip["employee"]["id"].as_str().unwrap()].clone();
            (made, slips.into_iter().map(|slip| (number(&slip), slip)).collect::<BTreeMap<_, _>>())
        };
        let (made, slips) = calculate();
        let (again, same) = calculate();
        assert_eq!(
            (&made["totals"], &made["input_snapshot"]["sha256"]),
            (&again["totals"], &again["input_snapshot"]["sha256"])
        );
        for (number, slip) in &slips {
            assert_eq!((&slip["lines"], &slip["ytd"]), (&same[number]["lines"], &same[number]["ytd"]), "{number}");
            sums_are_those_of_its_lines(slip);
        }
        for field in ["gross", "net", "employer_cost"] {
            let sum: Decimal = slips.values().map(|slip| number(&slip[field]["amount"])).sum();
            assert_eq!(number(&made["totals"][field]["amount"]), sum, "{field} of {month}");
        }
        assert_eq!(made["headcount"].as_i64(), i64::try_from(slips.len()).ok());
        for (who, step) in [(self.clerk, "review"), (owner, "approve"), (self.clerk, "lock")] {
            assert_eq!(who.step(&run, step).0, 200, "{step}");
        }
        slips
    }
}

fn number(value: &Value) -> Decimal {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no number"))
}

/// The sum of the employee's lines of some kinds.
fn sum_of(slip: &Value, counts: impl Fn(&str) -> bool) -> Decimal {
    let lines = slip["lines"].as_array().unwrap().iter();
    let own =
        lines.filter(|line| line["side"]["value"] == "EMPLOYEE" && counts(line["kind"]["value"].as_str().unwrap()));
    own.map(|line| number(&line["amount"]["amount"])).sum()
}

fn sums_are_those_of_its_lines(slip: &Value) {
    assert_eq!(number(&slip["gross"]["amount"]), sum_of(slip, |kind| kind.starts_with("EARNING")), "{slip:#}");
    assert_eq!(number(&slip["net"]["amount"]), sum_of(slip, |_| true), "{slip:#}");
}

/// The tax of a year's taxable income so far (个人所得税法, 综合所得).
fn tax_of(taxable: Decimal) -> Decimal {
    let bands =
        [(36_000, 3, 0), (144_000, 10, 2_520), (300_000, 20, 16_920), (420_000, 25, 31_920), (660_000, 30, 52_920)];
    let taxable = taxable.max(Decimal::ZERO);
    let (_, rate, quick) =
        *bands.iter().find(|(most, _, _)| taxable <= Decimal::from(*most)).unwrap_or(&(0, 35, 85_920));
    (taxable * Decimal::from(rate) / Decimal::from(100) - Decimal::from(quick))
        .round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

#[test]
fn what_is_known_late_is_paid_as_if_it_had_been_known_in_time() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    let mut random = Random(20_260_131);
    let count = if env::read("HRHUB_LONG").is_some() { 10_000 } else { 60 };
    let humans: Vec<Human> = (0..count).map(|_| human(&mut random)).collect();
    for (month, (first, last)) in MONTHS.into_iter().enumerate() {
        let cycle = json!({ "name": first, "kind": "MONTH", "period_start": first, "period_end": last });
        batch(&clerk, "review-cycles", &[json!({ "key": format!("cycle-{month}"), "data": cycle })]);
    }
    let late = Company::found(&clerk, 'L', &humans);
    let timely = Company::found(&clerk, 'T', &humans);
    late.tell(&humans, |human| &human.first);
    timely.tell(&humans, |human| &human.last);
    let mut paid: BTreeMap<String, (Decimal, Vec<String>)> = BTreeMap::new();
    let (mut retro, mut taxed) = (0, 0);
    for month in 0..3 {
        if month == 2 {
            late.tell(&humans, |human| &human.last);
        }
        for company in [&late, &timely] {
            for (who, slip) in company.pays(&owner, month) {
                // What is paid before tax; what the last pay could not bear is owed.
                let (sum, lines) = paid.entry(who).or_default();
                *sum += sum_of(&slip, |kind| kind != "TAX_INCOME");
                if month == 2 {
                    *sum -= number(&slip["carried_forward"]["amount"]);
                }
                lines.extend(slip["lines"].as_array().unwrap().iter().map(|line| line["formula"]["text"].to_string()));
                retro += slip["lines"].as_array().unwrap().iter().filter(|line| line["code"] == "补发补扣").count();
                let ytd = |name: &str| number(&slip["ytd"][name]);
                let months = Decimal::from(slip["ytd"]["month_count"].as_i64().unwrap());
                let due = tax_of(ytd("income") - ytd("special") - Decimal::from(5_000) * months);
                // Only a month whose income shrank may have withheld more than the year owes so far.
                if due >= ytd("tax") || sum_of(&slip, |kind| kind == "TAX_INCOME") < Decimal::ZERO {
                    assert_eq!(ytd("tax"), due, "{slip:#}");
                    taxed += 1;
                }
            }
        }
    }
    for (n, human) in humans.iter().enumerate() {
        let (late, timely) = (format!("L{n:05}"), format!("T{n:05}"));
        let [(late_sum, late), (timely_sum, timely)] =
            [late, timely].map(|who| paid.get(&who).cloned().unwrap_or_default());
        assert_eq!(late_sum, timely_sum, "{human:#?}\n{late:#?}\n{timely:#?}");
    }
    assert!(
        paid.len() > humans.len() && retro > humans.len() / 4 && taxed > humans.len(),
        "{} {retro} {taxed}",
        paid.len()
    );
}

/// A hub that begins in the middle of a year is told the sums of the months before, and goes on from them.
#[test]
fn sums_of_the_year_that_somebody_gave_reach_the_months_after() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    let mut random = Random(7);
    let mut one = human(&mut random);
    one.first.absences.clear();
    (one.hired, one.left, one.first.base) = ("2024-05-01".to_owned(), None, "20000".to_owned());
    for (month, (first, last)) in MONTHS.into_iter().enumerate() {
        let cycle = json!({ "name": first, "kind": "MONTH", "period_start": first, "period_end": last });
        batch(&clerk, "review-cycles", &[json!({ "key": format!("cycle-{month}"), "data": cycle })]);
    }
    let company = Company::found(&clerk, 'T', std::slice::from_ref(&one));
    company.tell(std::slice::from_ref(&one), |human| &human.first);
    let february = run_of(&clerk, &company.group, MONTHS[1]);
    let draft = clerk.calculated(&february);
    assert_eq!(draft["status"]["value"], "DRAFT", "{draft:#}");
    assert!(draft["problems"].to_string().contains("give 0, else the sum so far"), "{draft:#}");
    let employee = company.employees.keys().next().unwrap();
    let inputs = listed(&clerk, &format!("payroll-inputs?run={february}"));
    let given = json!({ "given": {
        "累计收入": "30000.00", "累计专项扣除": "1750.00", "累计专项附加扣除": "0", "累计已预缴税额": "697.50", "起算月": "1" } });
    match inputs.first() {
        Some(input) => {
            let path = format!("/v1/payroll-inputs/{}", input["id"].as_str().unwrap());
            assert_eq!(clerk.send("PATCH", &path, &given).0, 200);
        }
        None => {
            let mut input = given;
            input["run"] = reference("payroll_run", &february);
            input["employee"] = reference("employee", employee);
            clerk.make("payroll-inputs", &input);
        }
    }
    let made = clerk.calculated(&february);
    assert_eq!(made["status"]["value"], "CALCULATED", "{made:#}");
    for (who, step) in [(&clerk, "review"), (&owner, "approve"), (&clerk, "lock")] {
        assert_eq!(who.step(&february, step).0, 200, "{step}");
    }
    let slip = clerk.payslip(&february, employee);
    let march = company.pays(&owner, 2).into_values().next().unwrap();
    let paid = |slip: &Value| number(&slip["gross"]["amount"]);
    assert_eq!(number(&slip["ytd"]["income"]), Decimal::from(30_000) + paid(&slip), "{slip:#}");
    assert_eq!(number(&march["ytd"]["income"]), Decimal::from(30_000) + paid(&slip) + paid(&march), "{march:#}");
    let input = clerk.get(&format!("/v1/payroll-inputs/{}", march["input"]["id"].as_str().unwrap()));
    assert_eq!(number(&input["values"]["累计收入"]), number(&slip["ytd"]["income"]), "{input:#}");
}
