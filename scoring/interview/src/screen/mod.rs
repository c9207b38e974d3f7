//! Screening résumés by the words that a competency model asks for. Whoever lacks them is held for a person to look at, never
//! turned down.

mod read;
mod words;

pub(crate) use read::screen as read;

use crate::model::Model;
use crate::text::plain;
use hub_expr::Explain;
use hub_model::entities::assessment::Reason;
use hub_model::entities::hiring::Resume;
use hub_tree::Value;

/// What a model asks of a résumé.
#[derive(Debug)]
pub struct Screen {
    /// It applies to requisitions whose title has one of these words.
    pub titles: Vec<String>,
    /// In how many of the dimensions a word must be found.
    pub needed: usize,
    /// Words that hold a listed one and mean something else: 大数据 is not 数据.
    pub compounds: Vec<String>,
    /// Dimensions with the words that show them.
    pub words: Vec<(String, Vec<String>)>,
}

/// What a résumé was found to say.
#[derive(Debug)]
pub struct Screened {
    /// Dimensions with the listed words that were found, in the order of the model.
    pub matched: Vec<(String, Vec<String>)>,
    /// Dimensions of which no word was found.
    pub missing: Vec<String>,
    /// Whether enough was found.
    pub passed: bool,
    /// A sentence for each dimension.
    pub reasons: Vec<Reason>,
    /// Every step.
    pub explain: Explain,
}

/// The length of the longest word of the model's `titles` that a requisition's title has; `None` when it has none. Of several
/// models that apply, the one with the longest word knows the job best.
#[must_use]
pub fn applies(model: &Model, title: &str) -> Option<usize> {
    let screen = model.screen.as_ref()?;
    let title = plain(title);
    let found = screen.titles.iter().map(|word| plain(word)).filter(|word| title.contains(word.as_str()));
    found.map(|word| word.chars().count()).max()
}

/// Screens a résumé's text; `None` when the model does not screen.
#[must_use]
pub fn screen(model: &Model, text: &str) -> Option<Screened> {
    let screen = model.screen.as_ref()?;
    let text = plain(text);
    let (mut matched, mut missing, mut reasons, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let listed = || screen.words.iter().flat_map(|(_, words)| words).chain(&screen.compounds);
    let found = words::found(&text, listed().map(String::as_str));
    for (dimension, words) in &screen.words {
        let own: Vec<String> = words.iter().filter(|word| found.contains(word.as_str())).cloned().collect();
        let (code, sentence) = if own.is_empty() {
            ("screen_missing", format!("{dimension}: none of {} is in the résumé", words.join(", ")))
        } else {
            ("screen_matched", format!("{dimension}: {}", own.join(", ")))
        };
        steps.push(Explain::leaf(sentence.clone(), None, Value::Bool(!own.is_empty())));
        reasons.push(Reason { code: Some(code.to_owned()), dimension: Some(dimension.clone()), text: Some(sentence) });
        if own.is_empty() {
            missing.push(dimension.clone());
        } else {
            matched.push((dimension.clone(), own));
        }
    }
    let passed = matched.len() >= screen.needed;
    let sign = if passed { "≥" } else { "<" };
    let text = format!("dimensions with a word of theirs: {} {sign} {}", matched.len(), screen.needed);
    reasons.push(Reason {
        code: Some(if passed { "screen_passed" } else { "screen_held" }.to_owned()),
        dimension: None,
        text: Some(text.clone()),
    });
    let explain = Explain::leaf(text, None, Value::Bool(passed)).because(steps);
    Some(Screened { matched, missing, passed, reasons, explain })
}

/// What of a résumé is screened: what somebody can do and has done, without names, schools, employers and dates.
#[must_use]
pub fn screened_text(resume: &Resume) -> String {
    let works = resume.works.iter().flatten().flat_map(|work| [&work.title, &work.description]);
    let projects = resume.projects.iter().flatten();
    let projects = projects.flat_map(|project| [&project.name, &project.role, &project.description]);
    let skills = resume.skills.iter().flatten().map(|skill| &skill.name);
    let certificates = resume.certificates.iter().flatten().map(|certificate| &certificate.name);
    let parts = [&resume.summary].into_iter().chain(works).chain(projects).chain(skills).chain(certificates);
    let texts: Vec<&str> = parts.filter_map(|part| part.as_deref()).collect();
    texts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{from_json, shipped};

    #[test]
    fn a_resume_passes_by_the_words_that_it_has_and_is_else_held_with_the_reason() {
        let model = shipped("customer-service");
        let found = screen(&model, "五年客户服务经验，擅长安抚情绪、快速响应，沟通能力强").unwrap();
        assert!(found.passed, "{found:?}");
        assert!(
            found
                .matched
                .iter()
                .any(|(dimension, words)| dimension == "客户导向" && words.contains(&"客户服务".to_owned()))
        );
        let other = screen(&model, "负责大数据平台开发").unwrap();
        assert!(!other.passed && other.matched.is_empty());
        let last = other.reasons.last().unwrap();
        assert_eq!(
            (last.code.as_deref(), last.text.as_deref()),
            (Some("screen_held"), Some("dimensions with a word of theirs: 0 < 2"))
        );
        assert!(other.reasons[0].text.as_deref().unwrap().contains("none of"));
        assert!(screen(&shipped("phone-interview"), "客户服务").is_none(), "it does not screen");
    }

    #[test]
    fn full_width_and_capital_letters_are_the_same_words() {
        let model = shipped("customer-service");
        let found = screen(&model, "ＣＵＳＴＯＭＥＲ　Service; good Communication").unwrap();
        assert_eq!(found.matched.len(), 2, "{found:?}");
    }

    #[test]
    fn the_model_with_the_longest_word_knows_the_job_best() {
        assert_eq!(applies(&shipped("customer-service"), "高级客服专员"), Some(2));
        assert!(
            applies(&shipped("retail-ai-service"), "AI客服专员") > applies(&shipped("customer-service"), "AI客服专员")
        );
        assert_eq!(applies(&shipped("customer-service"), "会计"), None);
    }

    #[test]
    fn employers_schools_and_names_are_not_screened() {
        let resume: Resume = from_json(
            r#"{"summary":"沟通","works":[{"company":"客户服务公司","title":"专员","description":"处理投诉"}],
                "educations":[{"school":"沟通大学"}],"skills":[{"name":"Excel"}]}"#,
        );
        assert_eq!(screened_text(&resume), "沟通\n专员\n处理投诉\nExcel");
    }
}
