//! Interviews, assessments, scorecards and the decisions that rest on them.

use crate::describe::When;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, File, Localized, Rate, Ref, Score, TimeZone, to};
use hub_tree::Decimal;

enumeration! {
    /// Education levels (ISCED 2011 and GB/T 4658 in the code lists).
    pub enum EducationLevel {
        BelowSecondary = "BELOW_SECONDARY", Secondary = "SECONDARY", Vocational = "VOCATIONAL", Associate = "ASSOCIATE",
        Bachelor = "BACHELOR", Master = "MASTER", Doctorate = "DOCTORATE", Postdoc = "POSTDOC",
    }
    /// The kinds of interview.
    pub enum InterviewKind {
        Phone = "PHONE", Video = "VIDEO", OnSite = "ON_SITE", AiAsync = "AI_ASYNC", AiLive = "AI_LIVE",
        Written = "WRITTEN", Group = "GROUP",
    }
    /// Where an interview stands.
    pub enum InterviewStatus {
        NeedsScheduling = "NEEDS_SCHEDULING", Scheduled = "SCHEDULED", InProgress = "IN_PROGRESS",
        AwaitingFeedback = "AWAITING_FEEDBACK", Completed = "COMPLETED", Cancelled = "CANCELLED",
    }
    /// Whether the candidate came.
    pub enum Attendance { Pending = "PENDING", Attended = "ATTENDED", NoShow = "NO_SHOW" }
    /// An interviewer's answer to the invitation.
    pub enum InviteResponse {
        Accepted = "ACCEPTED", Declined = "DECLINED", Tentative = "TENTATIVE", Pending = "PENDING",
    }
    /// The kinds of assessment package.
    pub enum PackageType {
        SkillsTest = "SKILLS_TEST", Behavioral = "BEHAVIORAL", VideoInterview = "VIDEO_INTERVIEW",
        AiInterview = "AI_INTERVIEW", Cognitive = "COGNITIVE", Language = "LANGUAGE",
    }
    /// Where an assessment stands.
    pub enum AssessmentStatus {
        Open = "OPEN", InProgress = "IN_PROGRESS", Completed = "COMPLETED", Cancelled = "CANCELLED",
        Rejected = "REJECTED", Failed = "FAILED", Expired = "EXPIRED",
    }
    /// Who scored.
    pub enum RaterKind { Human = "HUMAN", Ai = "AI", Vendor = "VENDOR" }
    /// A rater's overall word.
    pub enum Recommendation {
        StrongNo = "STRONG_NO", No = "NO", Undecided = "UNDECIDED", Yes = "YES", StrongYes = "STRONG_YES",
    }
    /// Where a scorecard stands.
    pub enum ScorecardStatus { Draft = "DRAFT", Submitted = "SUBMITTED", Amended = "AMENDED", Void = "VOID" }
    /// How far a machine decided.
    pub enum AutomationLevel {
        None = "NONE", Assisted = "ASSISTED", AutomatedReviewed = "AUTOMATED_REVIEWED", Automated = "AUTOMATED",
    }
    /// What kind of evidence it is.
    pub enum EvidenceKind {
        TranscriptSpan = "TRANSCRIPT_SPAN", VideoSpan = "VIDEO_SPAN", Answer = "ANSWER", CodeRun = "CODE_RUN",
        Document = "DOCUMENT",
    }
    /// What a scorecard warns of.
    pub enum FlagKind {
        Plagiarism = "PLAGIARISM", Impersonation = "IMPERSONATION", TabSwitch = "TAB_SWITCH",
        MultipleFaces = "MULTIPLE_FACES", OffTopic = "OFF_TOPIC",
    }
    /// What a decision does.
    pub enum DecisionKind {
        Screen = "SCREEN", Advance = "ADVANCE", Hire = "HIRE", Reject = "REJECT", Hold = "HOLD", Reopen = "REOPEN",
    }
    /// What a decision says.
    pub enum DecisionLabel {
        Recommended = "RECOMMENDED", Consider = "CONSIDER", NotRecommended = "NOT_RECOMMENDED",
    }
    /// Who decided. A HIRE or REJECT is made by a human, or by a rule that a named human approved.
    pub enum DeciderKind { Human = "HUMAN", Rule = "RULE" }
    /// Which class of sensing a feature comes from; regions can switch classes off.
    pub enum FeatureClass { Speech = "SPEECH", Text = "TEXT", Expression = "EXPRESSION" }
    /// What somebody asks about a decision: why it is so; that a person looks at it again; that what it rests on is put
    /// right; that no machine decides about them.
    pub enum RequestKind {
        Explanation = "EXPLANATION", Review = "REVIEW", Correction = "CORRECTION", Refusal = "REFUSAL",
    }
    /// Whether such a request was answered.
    pub enum RequestStatus { Open = "OPEN", Answered = "ANSWERED" }
    /// What the answer comes to.
    pub enum RequestOutcome {
        Explained = "EXPLAINED", Upheld = "UPHELD", Overturned = "OVERTURNED", Corrected = "CORRECTED",
    }
    /// Who speaks in a turn.
    pub enum Speaker { Candidate = "CANDIDATE", Interviewer = "INTERVIEWER" }
}

part! {
    /// Somebody who interviews.
    pub struct Interviewer {
        /// Who.
        S1 user: Ref<to::User>;
        /// Whether the interview needs them.
        S0 required: bool;
        /// Their answer.
        S0 response: Enum<InviteResponse>;
    }
}

part! {
    /// One turn of a transcript.
    pub struct Turn {
        /// Who speaks.
        S0 speaker: Enum<Speaker>;
        /// The question that it answers or asks.
        S0 question_id: String;
        /// Milliseconds from the start of the recording.
        S0 start_ms: i64;
        /// Milliseconds from the start of the recording.
        S0 end_ms: i64;
        /// What was said.
        S3 text: String;
    }
}

entity! {
    /// An interview.
    pub struct Interview("interview", "interviews", "interview") as INTERVIEW {
        /// Of which application.
        S0 application: Ref<to::Application>, required, indexed;
        /// Which round, from 1.
        S0 round: i64;
        /// Title.
        S1 title: String;
        /// Kind.
        S0 kind: Enum<InterviewKind>, indexed;
        /// When it begins.
        S0 starts_at: DateTime;
        /// When it ends.
        S0 ends_at: DateTime;
        /// Time zone.
        S0 time_zone: TimeZone;
        /// Place.
        S1 location: String;
        /// Link to the meeting.
        S2 meeting_url: String;
        /// Who organises it.
        S1 organizer: Ref<to::User>;
        /// Who interviews.
        S1 interviewers: Vec<Interviewer>;
        /// Whether the candidate came.
        S0 candidate_attendance: Enum<Attendance>;
        /// Where it stands.
        S0 status: Enum<InterviewStatus>, required, indexed;
        /// The calendar entry.
        S0 calendar_event: Ref<to::CalendarEvent>;
        /// Recording.
        S3 recording: File;
        /// Transcript as a file.
        S3 transcript: File;
        /// Transcript as turns, where the vendor sends it so.
        S3 turns: Vec<Turn>;
        /// The vendor's id of the session.
        S0 vendor_session_id: String;
    }
    on "scheduled" = When::Becomes("status", "SCHEDULED");
    on "completed" = When::Becomes("status", "COMPLETED");
}

part! {
    /// What was ordered.
    pub struct Package {
        /// Its id: for an AI interview the competency model that scores it.
        S0 id: String, required;
        /// Its name.
        S0 name: String;
        /// Its kind.
        S0 kind: Enum<PackageType> as "type";
    }
}

entity! {
    /// An assessment ordered for an application: a test, or an AI interview.
    pub struct AssessmentOrder("assessment_order", "assessment-orders", "assessment") as ASSESSMENT_ORDER {
        /// For which application.
        S0 application: Ref<to::Application>, required, indexed;
        /// What was ordered.
        S0 package: Package, required;
        /// The connection that it was ordered through.
        S0 vendor: String;
        /// Where the candidate takes it.
        S2 invite_url: String;
        /// When invited.
        S0 invited_at: DateTime;
        /// Until when it can be taken.
        S0 expires_at: DateTime;
        /// When begun.
        S0 started_at: DateTime;
        /// When completed.
        S0 completed_at: DateTime;
        /// Where it stands.
        S0 status: Enum<AssessmentStatus>, required, indexed;
        /// Its result.
        S0 result: Ref<to::Scorecard>;
    }
    on "completed" = When::Becomes("status", "COMPLETED");
}

part! {
    /// A model that scored.
    pub struct RaterModel {
        /// Its name.
        S0 name: String;
        /// Its version.
        S0 version: String;
    }
}

part! {
    /// Who scored.
    pub struct Rater {
        /// What kind of rater.
        S0 kind: Enum<RaterKind>, required;
        /// The person.
        S1 user: Ref<to::User>;
        /// The model.
        S0 model: RaterModel;
        /// The vendor.
        S0 vendor: String;
    }
}

part! {
    /// The rubric that was scored by.
    pub struct Rubric {
        /// Its id.
        S0 id: String, required;
        /// Its version.
        S0 version: String;
    }
}

part! {
    /// What a score rests on. A score without evidence is legal, and reported as unsupported.
    pub struct Evidence {
        /// What kind.
        S0 kind: Enum<EvidenceKind>;
        /// What it points at.
        S0 reference: String as "ref";
        /// Milliseconds from the start.
        S0 start_ms: i64;
        /// Milliseconds from the start.
        S0 end_ms: i64;
        /// SHA-256 of the quoted text, hex.
        S0 quote_sha256: String;
        /// The quoted text.
        S2 text: String;
        /// The rule that it fired, for scores made by rules.
        S0 rule: String;
        /// How many points it moved the score.
        S2 points: Decimal;
    }
}

part! {
    /// One dimension of a scorecard.
    pub struct Dimension {
        /// Its id in the rubric.
        S0 id: String, required;
        /// Its name.
        S0 name: Localized;
        /// The competency behind it.
        S0 competency: Ref<to::Competency>;
        /// Its share of the total; the shares of a rubric sum to 1.
        S0 weight: Rate;
        /// The score as given.
        S2 score: Score;
        /// The score from 0 to 1.
        S2 normalised: Rate;
        /// What the rubric asks for, on the scale of the score; absent where the dimension does not decide.
        S0 required: Decimal;
        /// How sure the rater is.
        S2 confidence: Rate;
        /// Comment.
        S2 comment: String;
        /// The questions that it rests on.
        S0 question_ids: Vec<String>;
        /// What it rests on.
        S2 evidence: Vec<Evidence>;
    }
}

part! {
    /// A measured feature of an interview, such as speech rate.
    pub struct Feature {
        /// Its name, such as `speech_rate`.
        S0 name: String, required;
        /// What it was sensed from.
        S0 class: Enum<FeatureClass>;
        /// Its value.
        S2 value: Decimal;
        /// The unit, such as `chars/s`.
        S0 unit: String;
        /// The answer that it was measured in.
        S0 question_id: String;
    }
}

part! {
    /// A warning of a scorecard.
    pub struct ScoreFlag {
        /// What kind.
        S2 kind: Enum<FlagKind>;
        /// How bad.
        S2 severity: String;
        /// What it rests on.
        S2 evidence: Vec<Evidence>;
    }
}

entity! {
    /// Scores given by a person, a model or a vendor.
    pub struct Scorecard("scorecard", "scorecards", "scorecard") as SCORECARD {
        /// Of which application.
        S0 application: Ref<to::Application>, required, indexed;
        /// Of which interview.
        S0 interview: Ref<to::Interview>;
        /// Of which assessment.
        S0 order: Ref<to::AssessmentOrder>, indexed;
        /// Who scored.
        S0 rater: Rater, required;
        /// By which rubric.
        S0 rubric: Rubric;
        /// The scores.
        S2 dimensions: Vec<Dimension>;
        /// Total.
        S2 total: Score;
        /// The total from 0 to 1, four digits, half-even.
        S2 total_normalised: Rate;
        /// How well the candidate fits the job, from 0 to 10, unrounded.
        S2 match_score: Score;
        /// The share of the rubric's weight that has a score.
        S2 coverage: Rate;
        /// The rater's word.
        S2 recommendation: Enum<Recommendation>;
        /// Summary.
        S2 summary: String;
        /// Strengths: the ids of dimensions.
        S2 strengths: Vec<String>;
        /// Risks: what to work on, the ids of dimensions.
        S2 risks: Vec<String>;
        /// What the candidate is told of the result, without thresholds and without the decision.
        S2 feedback: Localized;
        /// Measured features.
        S2 features: Vec<Feature>;
        /// Keywords found.
        S2 keywords: Vec<String>;
        /// Warnings.
        S2 flags: Vec<ScoreFlag>;
        /// When submitted.
        S0 submitted_at: DateTime;
        /// Where it stands.
        S0 status: Enum<ScorecardStatus>, required, indexed;
        /// The scorecard that it corrects.
        S0 amends: Ref<to::Scorecard>;
        /// How far a machine scored.
        S0 automation_level: Enum<AutomationLevel>;
        /// Who looked at it.
        S1 human_reviewer: Ref<to::User>;
        /// The report.
        S3 file: File;
    }
    on "submitted" = When::Becomes("status", "SUBMITTED");
}

part! {
    /// Why a decision is what it is.
    pub struct Reason {
        /// A stable code, such as `below_min`.
        S0 code: String, required;
        /// The dimension that it speaks of.
        S0 dimension: String;
        /// The sentence, with value and threshold.
        S2 text: String, required;
    }
}

part! {
    /// Who decided.
    pub struct Decider {
        /// Person or rule.
        S0 kind: Enum<DeciderKind>, required;
        /// The person.
        S1 user: Ref<to::User>;
        /// The rule: model and version.
        S0 rule_id: String;
    }
}

part! {
    /// An appeal against a decision.
    pub struct Appeal {
        /// Where it stands.
        S2 status: String;
        /// Since when.
        S2 opened_at: DateTime;
        /// When it was resolved.
        S2 resolved_at: DateTime;
    }
}

part! {
    /// What the person asks about a decision, and what they were answered.
    pub struct DecisionRequest {
        /// Its id.
        S0 id: String, required;
        /// What they ask for.
        S0 kind: Enum<RequestKind>, required;
        /// Why, in their words.
        S2 reason: String;
        /// The day on which they asked.
        S0 asked_on: Date;
        /// When it was written down.
        S0 opened_at: DateTime;
        /// Until when it is to be answered.
        S0 due_on: Date;
        /// Whether it was answered.
        S0 status: Enum<RequestStatus>;
        /// When it was answered.
        S0 answered_at: DateTime;
        /// Who answered.
        S1 answered_by: Ref<to::User>;
        /// What the answer comes to.
        S0 outcome: Enum<RequestOutcome>;
        /// The answer.
        S2 answer: String;
        /// The decision that takes the place of the one that was overturned.
        S0 decision: Ref<to::Decision>;
    }
}

entity! {
    /// A decision about an application, with its reasons and what it rests on.
    pub struct Decision("decision", "decisions", "decision") as DECISION {
        /// About which application.
        S0 application: Ref<to::Application>, required, indexed;
        /// What it does.
        S0 kind: Enum<DecisionKind>, required, indexed;
        /// What it says: 推荐, 待考虑 or 不推荐.
        S2 label: Enum<DecisionLabel>;
        /// Whether a person must decide.
        S0 human_review_required: bool;
        /// Who decided.
        S0 made_by: Decider, required;
        /// When.
        S0 at: DateTime;
        /// Why.
        S2 reasons: Vec<Reason>;
        /// The composite score that it rests on.
        S2 score: Score;
        /// How well the candidate fits the job, from 0 to 10, unrounded.
        S2 match_score: Score;
        /// The draft of an offer that it proposes. It is never sent by itself.
        S0 offer: Ref<to::Offer>;
        /// The records seen.
        S0 inputs: Vec<Ref<to::Any>>;
        /// How far a machine decided.
        S0 automation_level: Enum<AutomationLevel>;
        /// What the candidate is told on request.
        S2 explanation: Localized;
        /// Every step of the calculation.
        S2 calculation: serde_json::Value;
        /// Classes of features that did not count where it was made, though the model knows them.
        S0 switched_off: Vec<Enum<FeatureClass>>;
        /// The appeal, as a system tells of it.
        S2 appeal: Appeal;
        /// What the person asks about it; set by the hub: `POST /v1/decisions/{id}:request` and `:answer`.
        S0 requests: Vec<DecisionRequest>;
        /// Whether one of these requests is open, or all are answered; absent where there are none.
        S0 request_status: Enum<RequestStatus>, indexed;
        /// The approval behind it.
        S0 approval: Ref<to::Approval>;
    }
    on "made" = When::Created;
    on "request_changed" = When::Changed("requests");
}
