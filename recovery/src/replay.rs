//! Replay: bringing what logs hold to a server or a data directory again, up to a moment.
//!
//! ```text
//! survey:  logs -> selection -> what would be applied, and what stands against it
//! player:  logs -> selection -> coordinator -> session of the target
//! ```
//! Both passes decide by the same [`Selection`]; what the second applied is compared with what the
//! first wanted.

mod base;
mod continuity;
mod definitions;
mod player;
mod refusal;
mod selection;
mod survey;
mod wanted;

pub use base::Base;
pub use player::{Played, Player, ReplayError};
pub use refusal::{Against, Refusal, TargetView, against};
pub use selection::{Choice, Judgement, Selection, StopReason, Stopped};
pub use survey::{LargestEvent, LostEvents, Seen, Survey};
pub use wanted::Wanted;
