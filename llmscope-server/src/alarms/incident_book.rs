//! The incidents that a change can join, and what of them is worth a message.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use llmscope_core::watch::{AlarmEvent, IncidentReport};

use crate::incident::{Incident, IncidentTurn, Kind, Member, Signal};
use crate::series::Source;
use crate::store::{Result, Store, Transaction};
use crate::violation::ViolationStatus;

/// A change joins the incident of its provider if it began so shortly before or after the changes of that incident, or if the
/// incident ended so shortly before. Members that become worse within this time become worse together.
const JOIN: SignedDuration = SignedDuration::from_hours(1);
/// An incident that came back is reported if it lasts for this time.
const RETURNED: SignedDuration = SignedDuration::from_mins(15);
/// The counts of failed requests are stored again when they have grown by this share, one tenth.
const GROWTH: u64 = 10;

/// The open incidents, and the last one of each provider and kind that ended.
#[derive(Default)]
pub(super) struct IncidentBook {
    incidents: BTreeMap<i64, Incident>,
    of_provider: HashMap<String, BTreeSet<i64>>,
    /// The incidents of open members.
    open: HashMap<(i64, Signal), i64>,
}

/// What happened to incidents.
pub(crate) type IncidentTurns = Vec<(IncidentTurn, Incident)>;

impl IncidentBook {
    pub(super) fn restored(store: &dyn Store) -> Result<Self> {
        let mut book = Self::default();
        store.current_incidents()?.into_iter().for_each(|incident| book.put(incident));
        Ok(book)
    }

    fn put(&mut self, incident: Incident) {
        self.of_provider.entry(incident.provider.clone()).or_default().insert(incident.id);
        for member in &incident.members {
            let key = (member.source, member.signal());
            if member.ended_at.is_none() {
                self.open.insert(key, incident.id);
            } else if self.open.get(&key) == Some(&incident.id) {
                self.open.remove(&key);
            }
        }
        self.incidents.insert(incident.id, incident);
    }

    /// The open incident of a source's signal, and its member.
    pub(super) fn of(&self, source: i64, signal: Signal) -> Option<(&Incident, &Member)> {
        let incident = self.incidents.get(self.open.get(&(source, signal))?)?;
        Some((incident, &incident.members[incident.place_of(source, signal)?]))
    }

    /// The signals of a source with an open incident.
    pub(super) fn signals_of(&self, source: i64) -> Vec<Signal> {
        self.open.keys().filter(|(of, _)| *of == source).map(|(_, signal)| *signal).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.incidents.is_empty()
    }

    /// Stores what an event of a source means for its incidents.
    pub(super) fn change(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        event: AlarmEvent,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        match event {
            AlarmEvent::Learning { .. } | AlarmEvent::Learned { .. } => Ok(Vec::new()),
            AlarmEvent::Opened(report) | AlarmEvent::Worse(report) => {
                let known = self.of(source.id, Signal::of(&report)).map(|(incident, _)| incident.kind());
                match known {
                    None => self.open(transaction, source, report, at),
                    Some(kind) if kind == Kind::of(&report) => self.worsen(transaction, source, report, at),
                    // What seemed to be more irregular turned out to be for the better.
                    Some(_) => {
                        let mut turns = self.end(transaction, source, report.clone(), at)?;
                        turns.extend(self.open(transaction, source, report, at)?);
                        Ok(turns)
                    }
                }
            }
            AlarmEvent::Ended(report) => self.end(transaction, source, report, at),
        }
    }

    fn open(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        report: IncidentReport,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        let signal = Signal::of(&report);
        let member = Member::new(source, (at, None), report);
        let Some(mut incident) = self.joined(&source.provider, &member).cloned() else {
            let mut incident = Incident::new(0, source.provider.clone(), (at, None), member);
            incident.id = transaction.begin_incident(&incident)?;
            self.put(incident.clone());
            return Ok(vec![(IncidentTurn::Opened, incident)]);
        };
        if incident.ended_at.take().is_some() {
            incident.pending.returned_at = Some(at);
        }
        // That requests fail is worse than any latency.
        let is_worse = signal == Signal::Failures && !incident.members.iter().any(|it| it.signal() == signal);
        if is_worse {
            incident.pending.returned_at = None;
            incident.pending.worse = Some((at, source.id, signal));
        }
        transaction.save_member(incident.id, &member)?;
        match incident.place_of(source.id, signal) {
            Some(place) => incident.members[place] = member,
            None => incident.members.push(member),
        }
        let turn = if is_worse { IncidentTurn::Worse } else { IncidentTurn::Changed };
        self.finish(transaction, incident, turn)
    }

    /// The incident that a change joins.
    fn joined(&self, provider: &str, member: &Member) -> Option<&Incident> {
        let kind = Kind::of(&member.report);
        let fits = |incident: &&Incident| {
            let is_alike = incident.kind() == kind && incident.status != ViolationStatus::Resolved;
            is_alike && is_near(incident, member)
        };
        let all = self.of_provider.get(provider)?.iter().rev().filter_map(|id| self.incidents.get(id)).filter(fits);
        let (open, ended): (Vec<_>, Vec<_>) = all.partition(|incident| incident.ended_at.is_none());
        open.first().or(ended.first()).copied()
    }

    fn worsen(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        report: IncidentReport,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        let signal = Signal::of(&report);
        let Some((mut incident, place)) = self.member_of(source.id, signal) else { return Ok(Vec::new()) };
        incident.members[place].update(report, None);
        transaction.save_member(incident.id, &incident.members[place])?;
        // Several series that become worse together are one message.
        let is_reported = incident.pending.worse.is_some_and(|(when, ..)| at.duration_since(when).abs() <= JOIN);
        if is_reported {
            return self.finish(transaction, incident, IncidentTurn::Changed);
        }
        incident.pending.returned_at = None;
        incident.pending.worse = Some((at, source.id, signal));
        self.finish(transaction, incident, IncidentTurn::Worse)
    }

    /// Ends the open member of a signal, with what was known of it. `accepted`: a user took the present level as normal.
    pub(super) fn end_signal(
        &mut self,
        transaction: &mut dyn Transaction,
        (source, signal): (&Source, Signal),
        at: Timestamp,
        accepted: bool,
    ) -> Result<IncidentTurns> {
        let Some(report) = self.of(source.id, signal).map(|(_, member)| member.report.clone()) else {
            return Ok(Vec::new());
        };
        self.end(transaction, source, IncidentReport { at, accepted, ..report }, at)
    }

    /// Ends a member, and its incident with the last one.
    fn end(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        report: IncidentReport,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        let Some((mut incident, place)) = self.member_of(source.id, Signal::of(&report)) else {
            return Ok(Vec::new());
        };
        incident.members[place].update(report, Some(at));
        transaction.save_member(incident.id, &incident.members[place])?;
        let is_over = incident.members.iter().all(|member| member.ended_at.is_some());
        incident.ended_at = is_over.then_some(at);
        // That it came back was not reported either.
        let is_silent = is_over && incident.pending.returned_at.take().is_some();
        let turn = if is_over && !is_silent { IncidentTurn::Ended } else { IncidentTurn::Changed };
        let turns = self.finish(transaction, incident, turn)?;
        if is_over {
            self.forget_earlier(&turns);
        }
        Ok(turns)
    }

    /// Of a provider, only the last incident of each kind that ended can come back.
    fn forget_earlier(&mut self, ended: &IncidentTurns) {
        for (_, ended) in ended {
            let is_earlier = |incident: &Incident| {
                incident.id != ended.id && incident.ended_at.is_some() && incident.kind() == ended.kind()
            };
            let Some(ids) = self.of_provider.get_mut(&ended.provider) else { continue };
            let incidents = &mut self.incidents;
            ids.retain(|id| {
                let is_earlier = incidents.get(id).is_some_and(is_earlier);
                if is_earlier {
                    incidents.remove(id);
                }
                !is_earlier
            });
        }
    }

    /// Reports the incidents of a provider that came back and last.
    pub(super) fn report_lasting(
        &mut self,
        transaction: &mut dyn Transaction,
        provider: &str,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        let lasts = |incident: &&Incident| {
            let returned_at = incident.pending.returned_at.filter(|_| incident.ended_at.is_none());
            returned_at.is_some_and(|returned_at| at.duration_since(returned_at) >= RETURNED)
        };
        let ids = self.of_provider.get(provider).into_iter().flatten();
        let lasting: Vec<Incident> = ids.filter_map(|id| self.incidents.get(id)).filter(lasts).cloned().collect();
        let mut turns = Vec::new();
        for mut incident in lasting {
            incident.pending.returned_at = None;
            turns.extend(self.finish(transaction, incident, IncidentTurn::Opened)?);
        }
        Ok(turns)
    }

    /// Brings the open members of a source up to date with what is known of their size and beginning.
    pub(super) fn refresh<'r>(
        &mut self,
        transaction: &mut dyn Transaction,
        source: i64,
        reports: impl Iterator<Item = &'r IncidentReport>,
    ) -> Result<()> {
        for report in reports {
            let Some(id) = self.open.get(&(source, Signal::of(report))) else { continue };
            let Some(incident) = self.incidents.get_mut(id) else { continue };
            let Some(place) = incident.place_of(source, Signal::of(report)) else { continue };
            if is_news(&incident.members[place].report, report) {
                incident.members[place].update(report.clone(), None);
                incident.describe();
                transaction.save_member(incident.id, &incident.members[place])?;
            }
        }
        Ok(())
    }

    /// Replaces the annotations of an incident.
    pub(super) fn annotate(&mut self, annotated: &Incident) {
        if let Some(incident) = self.incidents.get_mut(&annotated.id) {
            let Incident { status, acknowledged, resolved, notes, .. } = annotated.clone();
            *incident = Incident { status, acknowledged, resolved, notes, ..incident.clone() };
        }
    }

    /// The incident of an open member, and the member's place.
    fn member_of(&self, source: i64, signal: Signal) -> Option<(Incident, usize)> {
        let (incident, _) = self.of(source, signal)?;
        Some((incident.clone(), incident.place_of(source, signal)?))
    }

    fn finish(
        &mut self,
        transaction: &mut dyn Transaction,
        mut incident: Incident,
        turn: IncidentTurn,
    ) -> Result<IncidentTurns> {
        incident.describe();
        transaction.save_incident(&incident)?;
        self.put(incident.clone());
        Ok(vec![(turn, incident)])
    }
}

/// True if a change belongs to an incident by its time.
fn is_near(incident: &Incident, member: &Member) -> bool {
    if let Some(ended_at) = incident.ended_at {
        return member.opened_at.duration_since(ended_at).abs() <= JOIN;
    }
    let since = member.report.since;
    let first = incident.members.iter().map(|known| known.report.since).min();
    let last = incident.members.iter().map(|known| known.ended_at.unwrap_or(known.opened_at)).max();
    let is_early = first.is_some_and(|first| first.duration_since(since) > JOIN);
    let is_late = last.is_some_and(|last| since.duration_since(last) > JOIN);
    !is_early && !is_late
}

/// True if a report differs from a stored one by more than a few further requests.
fn is_news(stored: &IncidentReport, report: &IncidentReport) -> bool {
    let uncounted = |report: &IncidentReport| {
        let mut report = report.clone();
        if report.failed.is_some() {
            (report.failed, report.requests, report.error) = (None, 0, None);
        }
        report
    };
    stored != report
        && (uncounted(stored) != uncounted(report)
            || report.requests >= stored.requests + (stored.requests / GROWTH).max(1))
}
