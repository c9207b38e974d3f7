//! The words of the feedback.

use super::{Kind, Level};
use crate::model::Dimension;

/// A language of the feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// The BCP 47 tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// A dimension's name.
    pub(super) fn name(self, dimension: &Dimension) -> &str {
        match self {
            Self::Chinese => &dimension.id,
            Self::English => &dimension.english,
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        }
    }
}

pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) thanks: &'static str,
    pub(super) performance: &'static str,
    pub(super) strengths: &'static str,
    pub(super) improve: &'static str,
    pub(super) closing: &'static str,
    pub(super) not_assessed: &'static str,
    pub(super) colon: &'static str,
    pub(super) comma: &'static str,
    /// From the lowest.
    levels: [&'static str; 4],
    figures: &'static str,
    speech: &'static str,
    example: &'static str,
}

impl Words {
    pub(super) const fn level(&self, level: Level) -> &'static str {
        let [developing, sound, good, outstanding] = self.levels;
        match level {
            Level::Developing => developing,
            Level::Sound => sound,
            Level::Good => good,
            Level::Outstanding => outstanding,
        }
    }

    pub(super) const fn advice(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Figures => self.figures,
            Kind::Speech => self.speech,
            Kind::Example => self.example,
        }
    }
}

const CHINESE: Words = Words {
    title: "面试反馈",
    thanks: "感谢您参加本次面试。以下反馈根据您的回答整理，供您参考。",
    performance: "各方面表现",
    strengths: "优势",
    improve: "待提升方向与建议",
    closing: "本反馈不是录用结果。如有疑问，或希望由招聘人员人工复核，请与我们联系。",
    not_assessed: "本次未评估",
    colon: "：",
    comma: "、",
    levels: ["有待提升", "合格", "良好", "突出"],
    figures: "介绍项目经历时补充数据，例如提升了多少、涉及多少用户、用了多长时间。",
    speech: "注意语速和停顿：每说完一个要点稍停一下，再说下一个。",
    example: "用一个具体的例子来回答：当时的情况、您做了什么、结果如何。",
};

const ENGLISH: Words = Words {
    title: "Interview feedback",
    thanks: "Thank you for your interview. This feedback was made from your answers, for your own use.",
    performance: "How you did",
    strengths: "Strengths",
    improve: "What to work on",
    closing: "This feedback is not the outcome of your application. If you have a question, or want a person to look at your \
              interview again, please write to us.",
    not_assessed: "not assessed this time",
    colon: ": ",
    comma: ", ",
    levels: ["still developing", "sound", "good", "outstanding"],
    figures: "Add figures when you describe a project, such as how much better it became, for how many users and in what time.",
    speech: "Mind pace and pauses: stop for a moment after each point before you go on.",
    example: "Answer with one real example: the situation, what you did, and how it ended.",
};
