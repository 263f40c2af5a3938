//! A record as a client sends it: a request, and the client's id of it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::uid::Uid;
use crate::record::Arrival;

const UID: &str = "uid";
/// The most requests in one batch.
pub(super) const BATCH_RECORDS: usize = 50_000;

/// The records of a batch. They are counted while they are read: an empty record has three bytes in JSON and hundreds in
/// memory.
#[derive(Debug, JsonSchema)]
#[schemars(transparent)]
pub(super) struct Records(
    #[schemars(with = "Vec<SubmittedRecord>", length(min = 1, max = 50_000))] pub(super) Vec<Arrival>,
);

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RecordsVisitor)
    }
}

struct RecordsVisitor;

impl<'de> Visitor<'de> for RecordsVisitor {
    type Value = Records;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Records, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = elements.next_element::<SubmittedRecord>()? {
            if records.len() == BATCH_RECORDS {
                return Err(A::Error::custom(too_many()));
            }
            records.push(record.arrival());
        }
        Ok(Records(records))
    }
}

/// The error of a batch with more than [`BATCH_RECORDS`].
pub(super) fn too_many() -> String {
    format!("invalid batch of more than {BATCH_RECORDS} records: send several batches")
}

/// A record with an optional id.
#[derive(Debug, JsonSchema)]
pub(super) struct SubmittedRecord {
    /// An id that only this record has: if it is sent again within a day, it is stored once.
    #[schemars(default)]
    uid: Option<Uid>,
    #[schemars(flatten)]
    record: RequestRecord,
}

impl SubmittedRecord {
    /// The record to store, whose time of arrival is set once the batch is complete: a second list of records would take
    /// as much memory as the first.
    pub(super) fn arrival(self) -> Arrival {
        let identity = self.uid.map(|uid| uid.identity(&self.record));
        Arrival { record: self.record, received_at: Timestamp::UNIX_EPOCH, metadata: None, identity }
    }
}

// Not derived: serde's `flatten` would keep every field in memory before it reads it.
impl<'de> Deserialize<'de> for SubmittedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = SubmittedRecord;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SubmittedRecord, A::Error> {
        let mut uid = None;
        let fields = OtherFields { map, uid: &mut uid };
        let record = RequestRecord::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(SubmittedRecord { uid, record })
    }
}

/// The fields of a record without its id, which is taken out on the way.
struct OtherFields<'u, A> {
    map: A,
    uid: &'u mut Option<Uid>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for OtherFields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(Key(key)) = self.map.next_key::<Key<'de>>()? {
            if key != UID {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            *self.uid = self.map.next_value()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

/// The name of a field, borrowed from the text if it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}
