//! One page that needs no network: verdicts first, then each chart with its numbers, the machines, and how every number
//! was computed.
//!
//! The page is whole without JavaScript: its charts are pictures. A script that is inside the page turns them into
//! charts that answer to mouse, finger and keyboard. On paper they are pictures again.

mod assets;
mod environment;
mod histogram;
mod island;
mod methods;
mod outline;
mod section;
mod sparkline;
mod spread;
mod studies;
mod verdicts;

pub(crate) use outline::page;
