//! Times as the previous service wrote them: microseconds, and an offset instead of `Z`. Python before 3.11 reads no other
//! form.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// A time, written as `2026-11-29T08:15:30.123456+00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(Timestamp);

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00"))
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn microseconds_and_an_offset() {
        for (time, text) in [
            ("2026-11-29T08:15:30.123456789Z", "2026-11-29T08:15:30.123456+00:00"),
            ("2026-11-29T08:15:30Z", "2026-11-29T08:15:30.000000+00:00"),
        ] {
            let time = Time::from(time.parse::<Timestamp>().unwrap());
            assert_eq!(serde_json::to_value(time).unwrap(), text);
        }
    }
}
