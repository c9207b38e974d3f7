//! What the pages say, in Chinese and English.

use axum::http::{HeaderMap, header};

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    Zh,
    En,
}

pub(crate) const COOKIE: &str = "hrhub_lang";

impl Lang {
    /// The language that was chosen (`?lang=`), else that of the cookie, else the browser's.
    pub(crate) fn of(chosen: Option<&str>, headers: &HeaderMap) -> Self {
        let cookie = cookie(headers, COOKIE);
        let preferred = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        chosen
            .and_then(Self::parse)
            .or_else(|| cookie.and_then(Self::parse))
            .or_else(|| preferred.and_then(|text| text.split(',').find_map(Self::parse)))
            .unwrap_or(Self::En)
    }

    fn parse(text: &str) -> Option<Self> {
        let primary = text.trim().split(['-', ';', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The tag of HTML's `lang`.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    pub(crate) const fn other(self) -> (Self, &'static str) {
        match self {
            Self::Zh => (Self::En, "English"),
            Self::En => (Self::Zh, "中文"),
        }
    }

    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }

    /// One of two texts.
    pub(crate) const fn say(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// A step of a journey.
    pub(crate) fn step(self, step: &str) -> String {
        let found = STEPS.iter().find(|(name, _, _)| *name == step);
        found.map_or_else(|| step.to_owned(), |(_, en, zh)| self.say(en, zh).to_owned())
    }

    /// How a step went.
    pub(crate) fn result(self, result: &str) -> String {
        match result {
            "ok" => self.say("done", "完成"),
            "retry" => self.say("tried again", "重试"),
            "parked" => self.say("needs a person", "待人工处理"),
            other => return other.to_owned(),
        }
        .to_owned()
    }

    /// A kind of record.
    pub(crate) fn entity(self, entity: &str) -> String {
        let found = ENTITIES.iter().find(|(name, _, _)| *name == entity);
        found.map_or_else(|| entity.to_owned(), |(_, en, zh)| self.say(en, zh).to_owned())
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

const STEPS: &[(&str, &str, &str)] = &[
    ("receive", "Received", "接收"),
    ("map", "Mapped", "映射"),
    ("ignore", "Ignored", "忽略"),
    ("finding", "Findings", "提示"),
    ("rule", "Rule", "规则"),
    ("create", "Created", "新建"),
    ("call", "Call", "调用"),
    ("score", "Scored", "评分"),
    ("decide", "Decided", "决策"),
    ("flow", "Flow", "流程"),
    ("redrive", "Tried again", "重新处理"),
    ("discard", "Discarded", "放弃"),
    ("link", "Linked", "关联"),
    ("replay", "Replayed", "重放"),
    ("undo", "Undone", "撤销"),
    ("identities", "Identities", "身份关联"),
    ("interview", "Interview scoring", "面试评分"),
];

const ENTITIES: &[(&str, &str, &str)] = &[
    ("activity", "Activity", "活动记录"),
    ("application", "Application", "应聘申请"),
    ("appraisal", "Appraisal", "考核结果"),
    ("approval", "Approval", "审批"),
    ("assessment_order", "Assessment order", "测评订单"),
    ("attendance_day", "Attendance day", "考勤日"),
    ("audit_event", "Audit event", "审计记录"),
    ("background_check", "Background check", "背景调查"),
    ("bank_account", "Bank account", "银行账户"),
    ("benefit_enrolment", "Benefit enrolment", "福利参保"),
    ("benefit_plan", "Benefit plan", "福利计划"),
    ("calendar_event", "Calendar event", "日程"),
    ("candidate", "Candidate", "候选人"),
    ("compensation", "Compensation", "薪酬"),
    ("competency", "Competency", "能力素质"),
    ("consent", "Consent", "授权同意"),
    ("cost_center", "Cost centre", "成本中心"),
    ("course", "Course", "课程"),
    ("decision", "Decision", "决策"),
    ("department", "Department", "部门"),
    ("development_plan", "Development plan", "发展计划"),
    ("education_verification", "Education verification", "学历验证"),
    ("employee", "Employee", "员工"),
    ("employment", "Employment", "雇佣关系"),
    ("enrolment", "Enrolment", "学习登记"),
    ("expense_claim", "Expense claim", "费用报销"),
    ("feedback", "Feedback", "反馈"),
    ("goal", "Goal", "目标"),
    ("identity_link", "Identity link", "身份关联"),
    ("interview", "Interview", "面试"),
    ("job", "Job", "职务"),
    ("job_assignment", "Job assignment", "任职记录"),
    ("job_family", "Job family", "职务序列"),
    ("job_grade", "Job grade", "职等"),
    ("job_level", "Job level", "职级"),
    ("job_posting", "Job posting", "职位发布"),
    ("learning_result", "Learning result", "学习结果"),
    ("learning_session", "Learning session", "培训班次"),
    ("legal_entity", "Legal entity", "法人实体"),
    ("location", "Location", "工作地点"),
    ("message", "Message", "消息"),
    ("offboarding", "Offboarding", "离职"),
    ("offer", "Offer", "录用通知"),
    ("organization", "Organization", "企业"),
    ("pay_group", "Pay group", "薪资组"),
    ("payroll_input", "Payroll input", "薪资数据"),
    ("payroll_run", "Payroll run", "薪资核算"),
    ("payslip", "Payslip", "工资单"),
    ("person", "Person", "人员"),
    ("position", "Position", "岗位"),
    ("pre_hire", "Pre-hire", "待入职"),
    ("punch", "Punch", "打卡"),
    ("raw", "Payload", "原始报文"),
    ("referral", "Referral", "内推"),
    ("requisition", "Requisition", "招聘需求"),
    ("resume", "Résumé", "简历"),
    ("review", "Review", "评审"),
    ("review_cycle", "Review cycle", "考核周期"),
    ("scorecard", "Scorecard", "评分表"),
    ("signature_envelope", "Signature envelope", "签署信封"),
    ("stage", "Stage", "阶段"),
    ("time_off_balance", "Time off balance", "假期余额"),
    ("time_off_request", "Time off request", "请假申请"),
    ("time_off_type", "Time off type", "假期类型"),
    ("training_plan", "Training plan", "培训计划"),
    ("trip", "Trip", "出差外出"),
    ("user", "User", "用户"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_chosen_language_wins_over_cookie_and_browser() {
        let mut headers = HeaderMap::new();
        assert_eq!(Lang::of(None, &headers), Lang::En);
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("fr-FR, zh-CN;q=0.9, en;q=0.8"));
        assert_eq!(Lang::of(None, &headers), Lang::Zh);
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; hrhub_lang=en"));
        assert_eq!(Lang::of(None, &headers), Lang::En);
        assert_eq!(Lang::of(Some("zh"), &headers), Lang::Zh);
        assert_eq!(Lang::of(Some("nonsense"), &headers), Lang::En);
    }

    #[test]
    fn every_entity_of_the_model_has_a_word() {
        for entity in hub_model::ENTITIES {
            assert!(ENTITIES.iter().any(|(name, _, _)| *name == entity.name), "{} has no word", entity.name);
        }
    }
}
