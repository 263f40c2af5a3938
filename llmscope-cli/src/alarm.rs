//! The arguments about alarms that `monitor` and `serve` share.

use clap::ValueEnum;

/// What raises an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlarmArg {
    /// A shift of a metric or more failures, at a stated rate of false alarms
    Shift,
    /// Rules about points and frozen limits
    Rules,
    /// Nothing
    None,
}

/// Changes that send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AlarmSideArg {
    /// Changes for the worse
    Worse,
    /// Changes for the better, too
    Both,
}
