//! What the page says, in its languages.

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese as written on the mainland.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// As in the `lang` of a page.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// By a tag such as `zh-CN`, `zh` or `en-US`; `None` for other languages.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next()? {
            language if language.eq_ignore_ascii_case("zh") => Some(Self::Chinese),
            language if language.eq_ignore_ascii_case("en") => Some(Self::English),
            _ => None,
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Chinese => &CHINESE,
            Self::English => &ENGLISH,
        }
    }
}

/// The texts of the page.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) summary: &'static str,
    pub(super) tool: &'static str,
    pub(super) version: &'static str,
    pub(super) audited: &'static str,
    pub(super) auditor: &'static str,
    pub(super) data_source: &'static str,
    pub(super) period: &'static str,
    pub(super) first_used: &'static str,
    pub(super) not_yet_used: &'static str,
    pub(super) assessed: &'static str,
    pub(super) unknown_sex: &'static str,
    pub(super) unknown_race: &'static str,
    pub(super) unknown_both: &'static str,
    pub(super) selection: &'static str,
    pub(super) scoring: &'static str,
    pub(super) median: &'static str,
    pub(super) by_sex: &'static str,
    pub(super) by_race: &'static str,
    pub(super) by_both: &'static str,
    pub(super) category: &'static str,
    pub(super) selected: &'static str,
    pub(super) above: &'static str,
    pub(super) selection_rate: &'static str,
    pub(super) scoring_rate: &'static str,
    pub(super) ratio: &'static str,
    pub(super) note: &'static str,
    pub(super) unknown: &'static str,
    pub(super) unknown_note: &'static str,
    pub(super) highest: &'static str,
    pub(super) below: &'static str,
    pub(super) significant: &'static str,
    pub(super) chance: &'static str,
    pub(super) no_benchmark: &'static str,
    pub(super) excluded: &'static str,
    pub(super) of_all: &'static str,
    pub(super) exclusion: &'static str,
    pub(super) exclusion_below: &'static str,
    pub(super) reason: &'static str,
    pub(super) four_fifths: &'static str,
    pub(super) method: &'static str,
    pub(super) explained: &'static [&'static str],
    pub(super) nobody: &'static str,
    pub(super) colon: &'static str,
    pub(super) comma: &'static str,
}

const ENGLISH: Words = Words {
    title: "Bias audit",
    summary: "Summary",
    tool: "Tool",
    version: "Version",
    audited: "Date of the audit",
    auditor: "Auditor",
    data_source: "Source of the data",
    period: "Period of the data",
    first_used: "Tool first used",
    not_yet_used: "not yet in use",
    assessed: "Assessed",
    unknown_sex: "Sex unknown",
    unknown_race: "Race/ethnicity unknown",
    unknown_both: "Either of them unknown",
    selection: "Selection rates",
    scoring: "Scoring rates",
    median: "Median score",
    by_sex: "By sex",
    by_race: "By race/ethnicity",
    by_both: "By sex and race/ethnicity",
    category: "Category",
    selected: "Selected",
    above: "Above the median",
    selection_rate: "Selection rate",
    scoring_rate: "Scoring rate",
    ratio: "Impact ratio",
    note: "Note",
    unknown: "Unknown",
    unknown_note: "in no ratio",
    highest: "highest rate",
    below: "below 4/5",
    significant: "significant",
    chance: "may be chance",
    no_benchmark: "the highest rate is 0: no ratio",
    excluded: "left out of the ratios",
    of_all: "of all assessed",
    exclusion: "Categories left out",
    exclusion_below: "share of all people assessed under",
    reason: "reason",
    four_fifths: "4/5",
    method: "How to read this",
    explained: &[
        "Selection rate: selected ÷ assessed. Scoring rate: the share with a score strictly above the median of all people; a score on the median is not above it.",
        "Impact ratio: the rate of a category ÷ the highest rate of the table. A category that is left out is not the benchmark.",
        "Below 4/5 is a sign to look closer, not a verdict: the law sets no pass mark. Ratios are compared before they are rounded.",
        "Significance: the z test of two proportions, or Fisher's exact test when the two groups together are under 30 people; significant is p < 0.05.",
    ],
    nobody: "Nobody was assessed.",
    colon: ": ",
    comma: ", ",
};

const CHINESE: Words = Words {
    title: "偏差审计",
    summary: "摘要",
    tool: "工具",
    version: "版本",
    audited: "审计日期",
    auditor: "审计方",
    data_source: "数据来源",
    period: "数据期间",
    first_used: "工具首次使用日期",
    not_yet_used: "尚未使用",
    assessed: "评估人数",
    unknown_sex: "性别未知",
    unknown_race: "种族/族裔未知",
    unknown_both: "任一未知",
    selection: "入选率",
    scoring: "得分率",
    median: "得分中位数",
    by_sex: "按性别",
    by_race: "按种族/族裔",
    by_both: "按性别与种族/族裔",
    category: "类别",
    selected: "入选人数",
    above: "高于中位数人数",
    selection_rate: "入选率",
    scoring_rate: "得分率",
    ratio: "影响比",
    note: "说明",
    unknown: "未知",
    unknown_note: "不计入任何影响比",
    highest: "比率最高",
    below: "低于五分之四",
    significant: "差异显著",
    chance: "可能出于偶然",
    no_benchmark: "最高比率为 0，无影响比",
    excluded: "未计入影响比",
    of_all: "占全部评估人数",
    exclusion: "未计入的类别",
    exclusion_below: "占全部评估人数不足",
    reason: "理由",
    four_fifths: "4/5",
    method: "如何阅读",
    explained: &[
        "入选率＝入选人数 ÷ 评估人数。得分率＝得分严格高于全体中位数者所占比例；恰为中位数者不算高于。",
        "影响比＝该类别的比率 ÷ 表中最高的比率。未计入的类别不能作为基准。",
        "低于五分之四提示需进一步查看，并非结论：法律未设合格线。比较在四舍五入之前进行。",
        "显著性：两比例 z 检验；两组合计不足 30 人时用 Fisher 精确检验；p < 0.05 为显著。",
    ],
    nobody: "没有评估任何人。",
    colon: "：",
    comma: "，",
};

/// The categories of the EEO-1 report and their Chinese names.
const CATEGORIES: &[(&str, &str)] = &[
    ("Male", "男"),
    ("Female", "女"),
    ("M", "男"),
    ("F", "女"),
    ("Hispanic or Latino", "西班牙裔或拉丁裔"),
    ("White", "白人"),
    ("Black or African American", "黑人或非裔美国人"),
    ("Native Hawaiian or Pacific Islander", "夏威夷原住民或太平洋岛民"),
    ("Asian", "亚裔"),
    ("Native American or Alaska Native", "美洲原住民或阿拉斯加原住民"),
    ("Two or More Races", "两个或以上种族"),
];

/// A category as the language says it; as it was told, where there is no word for it.
pub(super) fn category(language: Language, told: &str) -> &str {
    let known =
        CATEGORIES.iter().find(|(english, _)| language == Language::Chinese && told.eq_ignore_ascii_case(english));
    known.map_or(told, |(_, chinese)| chinese)
}
