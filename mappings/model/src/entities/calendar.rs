//! Events in people's calendars.

use crate::entities::assessment::InviteResponse;
use crate::enums::Enum;
use crate::scalars::{DateTime, Ref, TimeZone, to};

enumeration! {
    /// Where a calendar event stands.
    pub enum CalendarEventStatus { Tentative = "TENTATIVE", Confirmed = "CONFIRMED", Cancelled = "CANCELLED" }
    /// Who sees a calendar event.
    pub enum CalendarVisibility { Default = "DEFAULT", Public = "PUBLIC", Private = "PRIVATE" }
}

part! {
    /// Somebody who is invited.
    pub struct Attendee {
        /// The user's id on the platform, or an e-mail address.
        S1 address: String, required;
        /// Whether the event needs them.
        S0 required: bool;
        /// Their answer.
        S0 response: Enum<InviteResponse>;
    }
}

part! {
    /// A meeting on the wire.
    pub struct Conference {
        /// Whose service.
        S0 vendor: String;
        /// How to join.
        S2 url: String;
    }
}

entity! {
    /// An event in a calendar.
    pub struct CalendarEvent("calendar_event", "calendar-events", "calendar_event") as CALENDAR_EVENT {
        /// Title.
        S1 title: String;
        /// Who invites: the user's id on the platform, or an e-mail address.
        S1 organizer: String;
        /// Who is invited.
        S1 attendees: Vec<Attendee>;
        /// When it begins.
        S0 starts_at: DateTime;
        /// When it ends.
        S0 ends_at: DateTime;
        /// Time zone.
        S0 time_zone: TimeZone;
        /// Whether it takes whole days.
        S0 all_day: bool;
        /// Place.
        S1 location: String;
        /// The meeting on the wire.
        S2 conference: Conference;
        /// How it repeats (RRULE of RFC 5545).
        S0 recurrence: String;
        /// Where it stands.
        S0 status: Enum<CalendarEventStatus>, indexed;
        /// Who sees it.
        S0 visibility: Enum<CalendarVisibility>;
        /// The UID of RFC 5545.
        S0 ical_uid: String, indexed;
        /// Rises with every change (RFC 5545).
        S0 sequence: i64;
        /// What it is for.
        S0 related: Ref<to::Any>, indexed;
    }
}
