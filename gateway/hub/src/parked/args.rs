//! What `hrhub parked` can be told.

use crate::cli::Format;
use anyhow::bail;
use clap::{Args, Subcommand};
use hub_flow::parked::{HIGHEST_RATE, MAX_IDS, RATE};
use hub_store::{Verdict, Which};

#[derive(Subcommand)]
pub(crate) enum ParkedCommand {
    /// List the groups of things that lie parked for the same cause.
    Groups {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        view: View,
    },
    /// List what lies parked, oldest first.
    List {
        #[command(flatten)]
        filter: Filter,
        /// What lay parked and was resolved: by whom, when, how.
        #[arg(long)]
        resolved: bool,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u16,
        #[command(flatten)]
        view: View,
    },
    /// Show one: its cause, its place, what it is. Names of fields are shown, values are not.
    Show {
        /// Its id, as `list` shows it.
        id: String,
        #[command(flatten)]
        view: View,
    },
    /// Say what trying again would touch, and change nothing.
    Preview(Chosen),
    /// Try parked things again, as they are or after their cause was mended.
    Redrive {
        #[command(flatten)]
        chosen: Chosen,
        /// At most so many a second.
        #[arg(long, value_name = "PER_SECOND", default_value_t = RATE, value_parser = clap::value_parser!(i64).range(1..=HIGHEST_RATE))]
        rate: i64,
        /// Why, for those who look later.
        #[arg(long, default_value = "")]
        note: String,
        /// Wait for the end; Ctrl-C leaves it running.
        #[arg(long)]
        wait: bool,
    },
    /// Discard parked things: nobody tries them again. They stay in the store.
    Discard {
        #[command(flatten)]
        chosen: Chosen,
        /// Why, for those who look later.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// List re-drives and replays and how far they are, newest first.
    Redrives {
        #[command(flatten)]
        view: View,
    },
    /// Stop a re-drive or a replay: what was not tried yet stays parked.
    Stop {
        /// Its id.
        id: String,
        #[command(flatten)]
        view: View,
    },
    /// Let a stopped or failed re-drive or replay go on.
    Resume {
        /// Its id.
        id: String,
        #[command(flatten)]
        view: View,
    },
}

/// Which parked things.
#[derive(Args)]
pub(crate) struct Filter {
    /// Only of this group, as `groups` shows it.
    #[arg(long)]
    group: Option<String>,
    /// Only of this connection.
    #[arg(long)]
    connection: Option<String>,
    /// Only with this code.
    #[arg(long)]
    code: Option<String>,
    /// Only of this step: intake, map, call, or the name of a consumer.
    #[arg(long)]
    step: Option<String>,
}

impl Filter {
    pub(super) fn which(self, ids: Vec<String>) -> Which {
        Which {
            connection: self.connection.unwrap_or_default(),
            step: self.step.unwrap_or_default(),
            code: self.code.unwrap_or_default(),
            group: self.group.unwrap_or_default(),
            ids,
        }
    }
}

/// Whose things, and how they are printed.
#[derive(Args)]
pub(crate) struct View {
    /// Whose.
    #[arg(long, default_value = "default")]
    pub(crate) tenant: String,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Parked things that something is to be done with.
#[derive(Args)]
pub(crate) struct Chosen {
    /// Their ids, as `list` shows them.
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// Everything that lies parked.
    #[arg(long)]
    all: bool,
    /// They are calls with an unknown outcome, and you have seen at the vendor that they were carried out.
    #[arg(long, conflicts_with = "not_carried_out")]
    carried_out: bool,
    /// They are calls with an unknown outcome, and you have seen at the vendor that they were not carried out.
    #[arg(long)]
    not_carried_out: bool,
    #[command(flatten)]
    view: View,
}

impl Chosen {
    pub(super) fn read(self) -> anyhow::Result<(Which, Verdict, View)> {
        let verdict = match (self.carried_out, self.not_carried_out) {
            (true, _) => Verdict::CarriedOut,
            (_, true) => Verdict::NotCarriedOut,
            _ => Verdict::Unknown,
        };
        let which = self.filter.which(self.ids);
        if which == Which::default() && !self.all {
            bail!("say which ones: ids, --group, --connection, --code, --step, or --all");
        }
        if which != Which::default() && self.all {
            bail!("--all means everything that lies parked: leave it out, or the others");
        }
        if which.ids.len() > MAX_IDS {
            bail!("at most {MAX_IDS} ids at once; name what they have in common instead");
        }
        Ok((which, verdict, self.view))
    }
}
