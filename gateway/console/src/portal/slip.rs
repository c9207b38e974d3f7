//! A payslip as its owner reads it: every line says how it came to be.

use super::{LONGEST_QUESTION, Seen};
use crate::words::Lang;
use hub_model::entities::pay::{PayLineItem, PaySide};
use hub_model::scalars::Money;
use hub_payroll::out::payslip::{GROUPS, amount};
use hub_tree::Decimal;
use maud::{Markup, html};
use serde_json::Value;

fn money(money: Option<&Money>) -> String {
    money.and_then(|money| money.amount).map(amount).unwrap_or_else(|| "–".to_owned())
}

/// The page's content; `printed`: it can be had as PDF.
pub(super) fn shown(lang: Lang, seen: &Seen, printed: bool) -> Markup {
    let slip = &seen.payslip.record;
    let currency = slip.currency.as_ref().map(|currency| currency.0.as_str()).unwrap_or_default();
    let name = seen.employee.as_ref().and_then(|employee| employee.display_name.clone()).unwrap_or_default();
    let number = seen.employee.as_ref().and_then(|employee| employee.employee_number.clone()).unwrap_or_default();
    let day = |date: Option<&hub_model::scalars::Date>| date.map(|date| date.0.clone()).unwrap_or_default();
    let run = seen.run.as_ref();
    let period = run.map(|run| format!("{} – {}", day(run.period_start.as_ref()), day(run.period_end.as_ref())));
    let own = |line: &&PayLineItem| line.side.as_ref().is_none_or(|side| side.value == PaySide::Employee);
    let lines: Vec<&PayLineItem> = slip.lines.iter().flatten().filter(own).collect();
    html! {
        article.card.slip {
            header.head {
                div {
                    h1 { (lang.say("Payslip", "工资单")) }
                    p.lead { (name) @if !number.is_empty() { " · " span.mono { (number) } } }
                }
                dl.facts {
                    @if let Some(period) = &period { dt { (lang.say("Period", "期间")) } dd { (period) } }
                    dt { (lang.say("Paid on", "发薪日")) }
                    dd { (day(run.and_then(|run| run.pay_on.as_ref()))) }
                }
            }
            p.net { span { (lang.say("Net pay", "实发工资")) } strong { (money(slip.net.as_ref())) " " small { (currency) } } }
            @for (en, zh, belongs) in GROUPS {
                @let group: Vec<&&PayLineItem> = lines.iter().filter(|line| line.kind.as_ref().is_some_and(|kind| belongs(kind.value))).collect();
                @if !group.is_empty() {
                    h2 { (lang.say(en, zh)) }
                    ul.lines {
                        @for line in group { (row(lang, line)) }
                    }
                }
            }
            @if slip.carried_forward.as_ref().and_then(|money| money.amount).is_some_and(|amount| !amount.is_zero()) {
                p.alert { (lang.say("Carried to the next payslip: ", "结转至下期：")) (money(slip.carried_forward.as_ref())) }
            }
            @if let Some(Value::Object(ytd)) = &slip.ytd { (year(lang, ytd)) }
            @if printed {
                p { a href=(format!("/portal/payslip.pdf?lang={}", lang.code())) { (lang.say("Save as PDF", "下载 PDF")) } }
            }
            (question(lang, seen, &lines))
        }
    }
}

fn row(lang: Lang, line: &PayLineItem) -> Markup {
    let name = line.name.clone().or_else(|| line.code.clone()).unwrap_or_default();
    let how = line.formula.as_ref().and_then(|formula| formula.text.clone());
    let version = line.formula.as_ref().and_then(|formula| formula.version.clone()).unwrap_or_default();
    let inputs = line.formula.as_ref().and_then(|formula| formula.inputs.as_ref()).and_then(Value::as_object);
    html! {
        li {
            details {
                summary { span { (name) } span.amount { (money(line.amount.as_ref())) } }
                @if let Some(inputs) = inputs {
                    dl.facts {
                        @for (name, value) in inputs {
                            dt { (name) } dd { (value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)) }
                        }
                    }
                }
                p.dim { (lang.say("Rules: ", "规则版本：")) span.mono { (version) } }
            }
            @if let Some(how) = &how { p.how { (how) } }
        }
    }
}

fn year(lang: Lang, ytd: &serde_json::Map<String, Value>) -> Markup {
    let text = |name: &str| {
        let found = ytd.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Decimal>().ok());
        found.map(amount).unwrap_or_else(|| "–".to_owned())
    };
    html! {
        h2 { (lang.say("This year so far", "本年累计")) }
        dl.facts {
            dt { (lang.say("Gross", "应发")) } dd { (text("gross")) }
            dt { (lang.say("Tax withheld", "已预扣税额")) } dd { (text("tax")) }
            dt { (lang.say("Net", "实发")) } dd { (text("net")) }
        }
    }
}

fn question(lang: Lang, seen: &Seen, lines: &[&PayLineItem]) -> Markup {
    let dispute = seen.payslip.record.dispute.as_ref();
    let code = dispute.and_then(|dispute| dispute.line.as_ref());
    let about = lines.iter().find(|line| line.code.is_some() && line.code.as_ref() == code);
    let about = about.and_then(|line| line.name.as_ref().or(line.code.as_ref()));
    html! {
        section id="question" {
            h2 { (lang.say("A question about it?", "对工资单有疑问？")) }
            @if let Some(asked) = dispute.and_then(|dispute| dispute.question.as_ref()) {
                p {
                    strong { (lang.say("You asked: ", "您的提问：")) }
                    @if let Some(about) = about { (about) (lang.say(": ", "：")) }
                    (asked)
                }
                @match dispute.and_then(|dispute| dispute.answer.as_ref()) {
                    Some(answer) => p { strong { (lang.say("Answer: ", "答复：")) } (answer) },
                    None => p.dim { (lang.say("Your payroll department will answer.", "薪酬部门将尽快答复。")) },
                }
            }
            form.stack method="post" action="/portal/payslip" {
                label for="line" { (lang.say("Which line", "相关项目")) }
                select id="line" name="line" {
                    option value="" { (lang.say("The payslip as a whole", "整张工资单")) }
                    @for line in lines {
                        @let code = line.code.clone().unwrap_or_default();
                        option value=(code) { (line.name.clone().unwrap_or_else(|| code.clone())) }
                    }
                }
                label for="text" { (lang.say("Your question", "您的问题")) }
                textarea id="text" name="question" rows="3" maxlength=(LONGEST_QUESTION) required {}
                div { button type="submit" { (lang.say("Ask", "提交")) } }
            }
        }
    }
}
