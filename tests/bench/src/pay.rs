//! Payslips made per second on one core: rules of a file beside the same rules written by hand.
//!
//! The rules are those that ship for mainland China, 15 lines and the tax. By hand they are the same arithmetic in
//! decimals, with rates and bands as constants of the program: the limit of what rules in files could reach. `hub` reads a
//! map of inputs by name and makes a whole payslip, as `hub, explained` does with its texts; `hub, by slot` sets all inputs
//! of everybody by slot and leaves the amounts as numbers, as `hand` does. All
//! contestants pay the same people, and their net pay is compared to the cent before anything is timed.

use crate::report::Report;
use anyhow::{Context as _, ensure};
use hub_payroll::items::{Desk, Paid, PayRules, Period, Slip};
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::RoundingStrategy;
use hub_tree::{Arena, Decimal, Findings, Source, Value};
use std::path::Path;
use std::time::Instant;

const EXPLAINED: &str = "hub, explained";
const QUIET: &str = "hub";
const BY_SLOT: &str = "hub, by slot";
const HAND: &str = "hand";

/// What the rules are given, of one of the people.
struct Person {
    salary: Decimal,
    grade: &'static str,
    unpaid_days: u32,
}

/// People that differ in what the rules look at.
fn person(number: usize) -> Person {
    let fen = 800_000 + (number * 7919) % 4_000_000;
    let salary = Decimal::new(i64::try_from(fen).unwrap_or(0), 2);
    let grade = ["S", "A", "B", "C"][number % 4];
    Person { salary, grade, unpaid_days: 1 + u32::try_from(number % 3).unwrap_or(0) }
}

fn period() -> anyhow::Result<Period> {
    let day = |month, day| Date::new(2026, month, day);
    Ok(Period { start: day(7, 1)?, end: day(7, 31)?, pay_on: day(7, 31)? })
}

/// Times payslips of `people`, each round anew; of `only` one contestant, for a profiler.
pub fn run(rounds: usize, people: usize, only: Option<&str>) -> anyhow::Result<Report> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scoring/models/pay/china-monthly.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let findings = Findings::new();
    let rules = PayRules::compile(&Source::new("china-monthly.yaml", text), &findings);
    let rules = rules.with_context(|| format!("{:?}", findings.into_sorted()))?;
    let period = period()?;
    let slots = Slots::of(&rules)?;
    for number in 0..people.min(1000) {
        let (person, arena) = (person(number), Arena::new());
        let (slip, by_hand) = (hub(&rules, &person, period, true, &arena)?, hand(&person));
        let quiet = hub(&rules, &person, period, false, &arena)?;
        let payer = rules.payer(period);
        let mut desk = payer.desk();
        let by_slot = slots.pay(&mut desk, &person)?;
        ensure!(by_slot.is_quick(), "the rules were paid in the long way");
        let same = |slip: &Slip, other: &Slip| {
            let amounts =
                |slip: &Slip| slip.lines.iter().map(|line| (line.code.clone(), line.amount)).collect::<Vec<_>>();
            amounts(slip) == amounts(other) && (slip.net, slip.employer_cost) == (other.net, other.employer_cost)
        };
        ensure!(same(&slip, &quiet) && same(&slip, &by_slot.into_slip()), "payslips of our own differ");
        ensure!(slip.lines.len() == 16, "{} lines", slip.lines.len());
        let differs = slip
            .lines
            .iter()
            .find(|line| by_hand.lines.iter().all(|(name, amount)| *name != &*line.code || *amount != line.amount));
        ensure!(differs.is_none(), "by hand there is no such line: {differs:?}");
        ensure!(slip.net == by_hand.net, "net {} and by hand {}", slip.net, by_hand.net);
        ensure!(slip.employer_cost == by_hand.employer_cost, "the employer's cost differs");
    }
    let mut report = Report::new("pay", "payslips of 16 lines per second on one core");
    for _ in 0..rounds {
        for name in [EXPLAINED, QUIET, BY_SLOT, HAND] {
            if only.is_some_and(|only| only != name) {
                continue;
            }
            let payer = rules.payer(period);
            let mut desk = payer.desk();
            let started = Instant::now();
            let mut sum = Decimal::ZERO;
            let mut arena = Arena::new();
            // What takes longest pays fewer, so that all take about as long.
            let people = if name == EXPLAINED { people.div_ceil(20) } else { people };
            for number in 0..people {
                let person = person(number);
                sum += match name {
                    HAND => hand(&person).net,
                    BY_SLOT => slots.pay(&mut desk, &person)?.net(),
                    _ => hub(&rules, &person, period, name == EXPLAINED, &arena)?.net,
                };
                arena.reset();
            }
            ensure!(sum > Decimal::ZERO, "nobody was paid");
            report.row(name).values.push(people as f64 / started.elapsed().as_secs_f64());
        }
    }
    for ours in [EXPLAINED, QUIET, BY_SLOT].into_iter().filter(|_| only.is_none()) {
        report.pair(ours.to_owned(), HAND.to_owned());
    }
    Ok(report)
}

/// Where the inputs are.
struct Slots {
    numbers: [usize; 17],
    grade: usize,
    destination: usize,
    city: usize,
}

/// Inputs that are numbers, as [`Slots::numbers`].
const NUMBERS: [&str; 17] = [
    "月薪",
    "奖金基数",
    "津贴标准",
    "缺勤天数",
    "出差天数",
    "内推奖励金额",
    "社保基数",
    "公积金基数",
    "公积金比例",
    "工伤类别",
    "本月专项附加扣除",
    "起算月",
    "累计收入",
    "累计专项扣除",
    "累计专项附加扣除",
    "累计已预缴税额",
    "月计薪天数",
];

impl Slots {
    fn of(rules: &PayRules) -> anyhow::Result<Self> {
        let slot = |name: &str| rules.slot(name).with_context(|| format!("the rules have no input {name}"));
        let mut numbers = [0; NUMBERS.len()];
        for (name, found) in NUMBERS.iter().zip(&mut numbers) {
            *found = slot(name)?;
        }
        Ok(Self { numbers, grade: slot("绩效等级")?, destination: slot("出差地区")?, city: slot("城市")? })
    }

    /// Every input is set anew for everybody.
    fn pay<'d>(&self, desk: &'d mut Desk<'_>, person: &Person) -> anyhow::Result<Paid<'d>> {
        let whole = |number: i64| Decimal::from(number);
        let salary = person.salary;
        let numbers = [
            salary,
            whole(1500),
            whole(300),
            person.unpaid_days.into(),
            whole(2),
            whole(1000),
            salary,
            salary,
            whole(7),
            whole(1),
            whole(2000),
            whole(1),
            whole(90_000),
            whole(15_000),
            whole(12_000),
            whole(990),
            Decimal::new(2175, 2),
        ];
        for (slot, number) in self.numbers.iter().zip(numbers) {
            desk.set_number(*slot, number);
        }
        desk.set_text(self.grade, person.grade);
        desk.set_text(self.destination, "一线城市");
        desk.set_text(self.city, "CN-SH");
        desk.pay("E-1").map_err(|problems| anyhow::anyhow!("{problems:?}"))
    }
}

fn hub(rules: &PayRules, person: &Person, period: Period, explain: bool, arena: &Arena) -> anyhow::Result<Slip> {
    let given = arena.map(&inputs(person));
    rules.slip("E-1", given, period, explain).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// How many inputs each of them is given.
const INPUTS: usize = 19;

/// All that the rules are given of a person.
fn inputs(person: &Person) -> [(&'static str, Value<'static>); INPUTS] {
    let number = Value::Decimal;
    [
        ("月薪", number(person.salary)),
        ("奖金基数", number(Decimal::from(1500))),
        ("绩效等级", Value::Text(person.grade)),
        ("津贴标准", number(Decimal::from(300))),
        ("缺勤天数", number(person.unpaid_days.into())),
        ("出差天数", number(Decimal::from(2))),
        ("出差地区", Value::Text("一线城市")),
        ("内推奖励金额", number(Decimal::from(1000))),
        ("城市", Value::Text("CN-SH")),
        ("社保基数", number(person.salary)),
        ("公积金基数", number(person.salary)),
        ("公积金比例", number(Decimal::from(7))),
        ("工伤类别", number(Decimal::ONE)),
        ("本月专项附加扣除", number(Decimal::from(2000))),
        ("起算月", number(Decimal::ONE)),
        ("累计收入", number(Decimal::from(90_000))),
        ("累计专项扣除", number(Decimal::from(15_000))),
        ("累计专项附加扣除", number(Decimal::from(12_000))),
        ("累计已预缴税额", number(Decimal::from(990))),
    ]
}

/// A payslip by hand: names, amounts, sums.
struct ByHand {
    lines: [(&'static str, Decimal); 16],
    net: Decimal,
    employer_cost: Decimal,
}

/// The bands of the year, in yuan: the end, the rate in per cent, the quick deduction.
const BANDS: [(i64, i64, i64); 7] = [
    (36_000, 3, 0),
    (144_000, 10, 2_520),
    (300_000, 20, 16_920),
    (420_000, 25, 31_920),
    (660_000, 30, 52_920),
    (960_000, 35, 85_920),
    (i64::MAX, 45, 181_920),
];

/// The same rules in decimals.
fn hand(person: &Person) -> ByHand {
    let half_up =
        |amount: Decimal, places| amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    let cents = |amount| half_up(amount, 2);
    let whole = |number: i64| Decimal::from(number);
    let percent = |base: Decimal, tenths: i64| cents(base * Decimal::new(tenths, 3));
    let salary = cents(person.salary);
    let day = person.salary / Decimal::new(2175, 2);
    let absence = cents((day * Decimal::from(person.unpaid_days)).min(person.salary));
    let coefficient = match person.grade {
        "S" => Decimal::new(15, 1),
        "A" => Decimal::new(12, 1),
        "B" => Decimal::ONE,
        _ => Decimal::new(8, 1),
    };
    let (bonus, allowance, travel, referral) = (cents(whole(1500) * coefficient), whole(300), whole(300), whole(1000));
    let base = person.salary.clamp(whole(7546), whole(37_731));
    let fund = half_up(person.salary.clamp(whole(2740), whole(37_731)) * Decimal::new(7, 2), 0);
    let own = [percent(base, 80), percent(base, 20), percent(base, 5), fund];
    let employer = [percent(base, 160), percent(base, 90), percent(base, 5), percent(base, 2), fund];
    let special: Decimal = own.iter().sum();
    let gross = salary + bonus + allowance + referral;
    let remainder = whole(90_000 - 15_000 - 12_000) + gross - absence - special - whole(2000);
    let balance = remainder - whole(5000 * 7);
    let band = BANDS.iter().find(|(end, ..)| balance <= whole(*end)).unwrap_or(&BANDS[6]);
    let due = if balance > Decimal::ZERO { balance * Decimal::new(band.1, 2) - whole(band.2) } else { Decimal::ZERO };
    let tax = cents(due - whole(990)).max(Decimal::ZERO);
    let [pension, medical, unemployment, fund] = own;
    let [pension_er, medical_er, unemployment_er, injury_er, fund_er] = employer;
    let lines = [
        ("基本工资", salary),
        ("缺勤扣款", -absence),
        ("绩效奖金", bonus),
        ("津贴", allowance),
        ("差旅补贴", travel),
        ("内推奖励", referral),
        ("养老保险个人", -pension),
        ("医疗保险个人", -medical),
        ("失业保险个人", -unemployment),
        ("住房公积金个人", -fund),
        ("养老保险单位", pension_er),
        ("医疗保险单位", medical_er),
        ("失业保险单位", unemployment_er),
        ("工伤保险单位", injury_er),
        ("住房公积金单位", fund_er),
        ("个人所得税", -tax),
    ];
    let is_employer = |name: &str| name.ends_with("单位");
    let net = lines.iter().filter(|(name, _)| !is_employer(name)).map(|(_, amount)| amount).sum();
    let paid: Decimal = employer.iter().sum();
    ByHand { lines, net, employer_cost: gross - absence + paid }
}
