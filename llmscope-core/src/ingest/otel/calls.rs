//! The calls of models among spans: one call is one request, whatever the tracers nest, split over exports, or repeat.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::spans::{ServerTimes, Span, server_times};
use super::streamed;
use super::subject::Subject;
use crate::ingest::identity;

/// A trace and a span in it, as a number.
pub(super) type SpanKey = u64;

/// What is known of spans of earlier exports, to which these spans can belong.
pub(super) trait Earlier {
    /// True if the span is in an earlier export.
    fn has_span(&self, span: SpanKey) -> bool;
    /// The parent of a span that is not of generative AI.
    fn parent_of_other(&self, span: SpanKey) -> Option<SpanKey>;
    /// True if the span is a request that has become a record.
    fn is_counted(&self, span: SpanKey) -> bool;
    /// True if a request inside this span is known.
    fn has_inner(&self, span: SpanKey) -> bool;
    /// When the request with this response began and ended, in nanoseconds since 1970.
    fn response(&self, id: &str) -> Option<(i128, i128)>;
}

/// There is no earlier export: a file is read as a whole.
pub(super) struct Nothing;

impl Earlier for Nothing {
    fn has_span(&self, _: SpanKey) -> bool {
        false
    }

    fn parent_of_other(&self, _: SpanKey) -> Option<SpanKey> {
        None
    }

    fn is_counted(&self, _: SpanKey) -> bool {
        false
    }

    fn has_inner(&self, _: SpanKey) -> bool {
        false
    }

    fn response(&self, _: &str) -> Option<(i128, i128)> {
        None
    }
}

/// The calls among spans.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) requests: Vec<Span>,
    /// What servers measured of requests, by the client's span.
    pub(super) served: BTreeMap<SpanKey, ServerTimes>,
    /// The servers' spans of these requests.
    pub(super) servers: Vec<SpanKey>,
    /// The spans that are not of generative AI, with their parents.
    pub(super) others: Vec<(SpanKey, SpanKey)>,
    /// Spans around requests, counted or not.
    pub(super) within: BTreeSet<SpanKey>,
    /// Spans that describe a call that another span describes, too, and that does not count again.
    pub(super) covered: Vec<SpanKey>,
    pub(super) repeated: usize,
    pub(super) steps: Vec<SpanKey>,
    /// Spans in a convention that the reader does not know.
    pub(super) unknown: Vec<SpanKey>,
    /// The number of spans, each counted once.
    pub(super) all: usize,
}

impl Span {
    pub(super) fn key(&self) -> SpanKey {
        identity::of_span(&self.trace, &self.id)
    }

    pub(super) fn parent_key(&self) -> SpanKey {
        identity::of_span(&self.trace, &self.parent)
    }

    pub(super) fn response_id(&self) -> Option<String> {
        self.attributes.label(&["gen_ai.response.id"])
    }

    pub(super) fn interval(&self) -> Option<(i128, i128)> {
        self.begin_ns.zip(self.end_ns)
    }
}

impl Calls {
    /// The calls among these spans; `links` are further spans that are not of generative AI, with their parents.
    pub(super) fn among(spans: Vec<Span>, mut links: Vec<(SpanKey, SpanKey)>, earlier: &impl Earlier) -> Self {
        let mut calls = Self::default();
        let spans = calls.once(spans, &mut links, earlier);
        calls.all = spans.len() + links.len();
        calls.others = links;
        for span in spans {
            match Subject::of(&span.attributes) {
                Subject::Request => calls.requests.push(span),
                Subject::Step => calls.steps.push(span.key()),
                Subject::Unknown => calls.unknown.push(span.key()),
                Subject::Other => calls.others.push((span.key(), span.parent_key())),
            }
        }
        streamed::merge(&mut calls.requests);
        calls.leave_out_covered(earlier);
        calls.leave_out_same_responses(earlier);
        calls.take_servers(earlier);
        calls
    }

    /// Each span once: exports can be sent again. A span without an id has none.
    fn once(&mut self, spans: Vec<Span>, links: &mut Vec<(SpanKey, SpanKey)>, earlier: &impl Earlier) -> Vec<Span> {
        let before = spans.len() + links.len();
        let mut known = HashSet::new();
        let mut is_new = |key: SpanKey| !earlier.has_span(key) && known.insert(key);
        let spans: Vec<Span> = spans.into_iter().filter(|span| span.id.is_empty() || is_new(span.key())).collect();
        links.retain(|(key, _)| is_new(*key));
        self.repeated = before - spans.len() - links.len();
        spans
    }

    /// A framework's span and the client library's span inside it describe the same call. The inner one is closer to it and
    /// counts, unless the outer one has been counted in an earlier export.
    fn leave_out_covered(&mut self, earlier: &impl Earlier) {
        let ancestors = Ancestors::of(&self.others, earlier);
        self.within = self.requests.iter().filter(|span| !span.of_server).map(|span| ancestors.nearest(span)).collect();
        let mut counted_outside: BTreeSet<SpanKey> = BTreeSet::new();
        loop {
            let is_inside = |span: &Span| {
                let parent = ancestors.nearest(span);
                earlier.is_counted(parent) || counted_outside.contains(&parent)
            };
            let inside = self.requests.iter().filter(|span| !span.of_server && is_inside(span)).map(Span::key);
            let found: Vec<SpanKey> = inside.filter(|key| !counted_outside.contains(key)).collect();
            if found.is_empty() {
                break;
            }
            counted_outside.extend(found);
        }
        let within = self.within.clone();
        let is_covered = |span: &Span| {
            let key = span.key();
            let is_outer = !span.id.is_empty() && (within.contains(&key) || earlier.has_inner(key));
            !span.of_server && (is_outer || counted_outside.contains(&key))
        };
        self.leave_out(is_covered);
    }

    /// Two spans with the same response describe the same call, if one of them lasted while the other did. Servers for
    /// tests give all responses the same id.
    fn leave_out_same_responses(&mut self, earlier: &impl Earlier) {
        let contains = |one: (i128, i128), other: (i128, i128)| one.0 <= other.0 && other.1 <= one.1;
        let mut known: BTreeMap<String, Vec<(i128, i128)>> = BTreeMap::new();
        let mut covered = HashSet::new();
        let mut order: Vec<&Span> = self.requests.iter().filter(|span| !span.of_server).collect();
        // The shortest span is closest to the call.
        order.sort_by_key(|span| span.interval().map_or(i128::MAX, |(begin, end)| end - begin));
        for span in order {
            let (Some(id), Some(interval)) = (span.response_id(), span.interval()) else { continue };
            let was_counted =
                earlier.response(&id).is_some_and(|other| contains(other, interval) || contains(interval, other));
            let counted = known.entry(id).or_default();
            if was_counted || counted.iter().any(|other| contains(interval, *other)) {
                covered.insert(span.key());
            } else {
                counted.push(interval);
            }
        }
        self.leave_out(|span| !span.of_server && covered.contains(&span.key()));
    }

    fn leave_out(&mut self, is_covered: impl Fn(&Span) -> bool) {
        let (covered, requests): (Vec<Span>, Vec<Span>) =
            std::mem::take(&mut self.requests).into_iter().partition(is_covered);
        self.covered.extend(covered.iter().map(Span::key));
        self.requests = requests;
    }

    /// A server's span of a request is merged into the client's. That of a request in an earlier export comes too late.
    fn take_servers(&mut self, earlier: &impl Earlier) {
        let ancestors = Ancestors::of(&self.others, earlier);
        let clients: BTreeSet<SpanKey> = self.requests.iter().filter(|span| !span.of_server).map(Span::key).collect();
        let mut requests = Vec::new();
        for span in std::mem::take(&mut self.requests) {
            let parent = ancestors.nearest(&span);
            match span.of_server {
                true if clients.contains(&parent) => {
                    self.servers.push(span.key());
                    self.served.insert(parent, server_times(&span));
                }
                true if earlier.is_counted(parent) => self.covered.push(span.key()),
                _ => requests.push(span),
            }
        }
        self.requests = requests;
    }
}

/// The parents of spans, to find the next one that is of generative AI: between a client and a server, there are spans
/// of HTTP.
pub(super) struct Ancestors<'c, E> {
    /// For each span that is not of generative AI, its parent.
    between: BTreeMap<SpanKey, SpanKey>,
    earlier: &'c E,
}

impl<'c, E: Earlier> Ancestors<'c, E> {
    pub(super) fn of(others: &[(SpanKey, SpanKey)], earlier: &'c E) -> Self {
        Self { between: others.iter().copied().collect(), earlier }
    }

    fn nearest(&self, span: &Span) -> SpanKey {
        self.nearest_to(span.parent_key())
    }

    /// The span itself, or the next one around it that is of generative AI.
    pub(super) fn nearest_to(&self, span: SpanKey) -> SpanKey {
        /// Deeper chains do not occur, and a cycle of parents ends here.
        const MOST_BETWEEN: usize = 64;
        let mut at = span;
        for _ in 0..MOST_BETWEEN {
            match self.between.get(&at).copied().or_else(|| self.earlier.parent_of_other(at)) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }
}
