//! Working time, time off and travel. All durations of attendance are whole minutes.

use crate::describe::When;
use crate::entities::approvals::ApprovalStatus;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, File, Localized, Money, Rate, Ref, TimeZone, to};
use hub_tree::Decimal;

enumeration! {
    /// What a punch says.
    pub enum PunchKind { In = "IN", Out = "OUT", BreakStart = "BREAK_START", BreakEnd = "BREAK_END" }
    /// How a punch was made.
    pub enum PunchSource {
        Device = "DEVICE", App = "APP", Web = "WEB", Gps = "GPS", Wifi = "WIFI", Import = "IMPORT",
        Correction = "CORRECTION",
    }
    /// Which kind of day overtime was done on.
    pub enum OvertimeKind { Weekday = "WEEKDAY", Restday = "RESTDAY", Holiday = "HOLIDAY" }
    /// How overtime is given back.
    pub enum OvertimeReturn { Paid = "PAID", Toil = "TOIL" }
    /// Where a day of attendance stands.
    pub enum AttendanceDayStatus { Open = "OPEN", Closed = "CLOSED", Approved = "APPROVED", Locked = "LOCKED" }
    /// What time off is counted in.
    pub enum TimeOffUnit { Minutes = "MINUTES", Hours = "HOURS", HalfDays = "HALF_DAYS", Days = "DAYS" }
    /// The kinds of time off.
    pub enum TimeOffKind {
        Annual = "ANNUAL", Sick = "SICK", Personal = "PERSONAL", Marriage = "MARRIAGE", Maternity = "MATERNITY",
        Paternity = "PATERNITY", Parental = "PARENTAL", Bereavement = "BEREAVEMENT", WorkInjury = "WORK_INJURY",
        Toil = "TOIL", Jury = "JURY", Volunteer = "VOLUNTEER", Unpaid = "UNPAID", Study = "STUDY",
    }
    /// Where a request stands.
    pub enum TimeOffStatus {
        Draft = "DRAFT", Requested = "REQUESTED", Approved = "APPROVED", Declined = "DECLINED",
        Cancelled = "CANCELLED", ReturnedEarly = "RETURNED_EARLY",
    }
    /// Half of a day.
    pub enum DayHalf { Am = "AM", Pm = "PM" }
    /// A journey, or some hours outside in the same town.
    pub enum TripKind { Trip = "TRIP", Outing = "OUTING" }
}

part! {
    /// A point on the earth.
    pub struct Geo {
        /// Degrees north.
        S2 latitude: Decimal;
        /// Degrees east.
        S2 longitude: Decimal;
        /// Radius of the error in metres.
        S2 accuracy_m: Decimal;
    }
}

entity! {
    /// One clocking in or out.
    pub struct Punch("punch", "punches", "punch") as PUNCH {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// When.
        S0 at: DateTime, required;
        /// Time zone.
        S0 time_zone: TimeZone;
        /// In or out.
        S0 kind: Enum<PunchKind>, indexed;
        /// How made.
        S0 source: Enum<PunchSource>;
        /// The device.
        S0 device_id: String;
        /// The place by name.
        S2 location: String;
        /// The place on the map.
        S2 geo: Geo;
        /// The correction that made it.
        S0 correction: Ref<to::Approval>;
    }
}

part! {
    /// Overtime of a day.
    pub struct Overtime {
        /// How long.
        S2 minutes: i64, required;
        /// On which kind of day.
        S2 kind: Enum<OvertimeKind>;
        /// Whether it is paid or given back as time.
        S2 paid_or_toil: Enum<OvertimeReturn>;
    }
}

entity! {
    /// The attendance of one employee on one day. A shift over midnight belongs to the day on which it starts.
    pub struct AttendanceDay("attendance_day", "attendance-days", "attendance_day") as ATTENDANCE_DAY {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Which day.
        S0 on: Date, required, indexed;
        /// The shift.
        S0 shift: Ref<to::Shift>;
        /// Minutes planned.
        S2 planned_minutes: i64;
        /// Minutes worked.
        S2 worked_minutes: i64;
        /// Minutes of break.
        S2 break_minutes: i64;
        /// Minutes late.
        S2 late_minutes: i64;
        /// Minutes gone early.
        S2 early_leave_minutes: i64;
        /// Minutes absent.
        S2 absent_minutes: i64;
        /// Overtime.
        S2 overtime: Vec<Overtime>;
        /// What is odd about the day, in the source's words.
        S2 exceptions: Vec<String>;
        /// Where it stands.
        S0 status: Enum<AttendanceDayStatus>, indexed;
        /// Who approved it.
        S1 approved_by: Ref<to::Employee>;
    }
}

entity! {
    /// A kind of time off as the enterprise grants it.
    pub struct TimeOffType("time_off_type", "time-off-types", "time_off_type") as TIME_OFF_TYPE {
        /// Code.
        S0 code: String, indexed;
        /// Name.
        S0 name: Localized, required;
        /// What it is counted in.
        S0 unit: Enum<TimeOffUnit>;
        /// How much of the pay goes on.
        S0 paid: Rate;
        /// Kind.
        S0 kind: Enum<TimeOffKind>, indexed;
        /// How it is earned.
        S0 accrual: String;
        /// How it is carried over.
        S0 carry_over: String;
        /// Whether a document is needed.
        S0 needs_document: bool;
    }
}

entity! {
    /// How much time off of one kind an employee has in a period, in the unit of the type.
    pub struct TimeOffBalance("time_off_balance", "time-off-balances", "time_off_balance") as TIME_OFF_BALANCE {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Of which type.
        S0 time_off_type: Ref<to::TimeOffType> as "type", required, indexed;
        /// First day of the period.
        S0 period_start: Date;
        /// Last day of the period.
        S0 period_end: Date;
        /// Granted for the period.
        S2 granted: Decimal;
        /// Carried over.
        S2 carried: Decimal;
        /// Taken.
        S2 used: Decimal;
        /// Asked for.
        S2 pending: Decimal;
        /// Lost.
        S2 expired: Decimal;
        /// Left.
        S2 available: Decimal;
    }
}

part! {
    /// Where time off begins or ends: a day, half of it, or an instant.
    pub struct TimeOffPoint {
        /// The day.
        S1 on: Date;
        /// The half of the day.
        S1 half: Enum<DayHalf>;
        /// The instant.
        S1 at: DateTime;
    }
}

part! {
    /// How much of a request falls on a day.
    pub struct TimeOffDetail {
        /// The day.
        S1 on: Date, required;
        /// How much.
        S1 amount: Decimal;
    }
}

entity! {
    /// A request for time off.
    pub struct TimeOffRequest("time_off_request", "time-off-requests", "time_off") as TIME_OFF_REQUEST {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Of which type.
        S2 time_off_type: Ref<to::TimeOffType> as "type";
        /// When it starts.
        S1 starts: TimeOffPoint;
        /// When it ends.
        S1 ends: TimeOffPoint;
        /// How much.
        S1 amount: Decimal;
        /// In which unit.
        S0 unit: Enum<TimeOffUnit>;
        /// Why.
        S2 reason: String;
        /// Documents.
        S3 documents: Vec<File>;
        /// Where it stands.
        S0 status: Enum<TimeOffStatus>, required, indexed;
        /// The approval.
        S0 approval: Ref<to::Approval>;
        /// When approved.
        S0 approved_at: DateTime;
        /// When it really ended.
        S1 actual_end: TimeOffPoint;
        /// How much falls on which day.
        S1 details: Vec<TimeOffDetail>;
    }
    on "approved" = When::Becomes("status", "APPROVED");
}

part! {
    /// A leg of a trip.
    pub struct TripLeg {
        /// From where.
        S1 from: String;
        /// To where.
        S1 to: String;
        /// By what.
        S1 transport: String;
        /// When it starts.
        S1 starts: DateTime;
        /// When it ends.
        S1 ends: DateTime;
    }
}

entity! {
    /// A business trip, or an outing in town.
    pub struct Trip("trip", "trips", "trip") as TRIP {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Trip or outing.
        S0 kind: Enum<TripKind>, indexed;
        /// What for.
        S1 purpose: String;
        /// Its legs.
        S1 legs: Vec<TripLeg>;
        /// Who comes along.
        S1 companions: Vec<Ref<to::Employee>>;
        /// Budget.
        S2 budget: Money;
        /// Paid in advance.
        S2 advance: Money;
        /// Where its approval stands.
        S0 status: Enum<ApprovalStatus>, required, indexed;
        /// The approval.
        S0 approval: Ref<to::Approval>;
        /// Who bears the cost.
        S0 cost_center: Ref<to::CostCenter>;
        /// The claim for its cost.
        S0 expense_report: Ref<to::ExpenseClaim>;
    }
    on "approved" = When::Becomes("status", "APPROVED");
}
