/**
 * The log: event kinds and their schemas, the `Ledger` port, leases, ids. What entries mean stands in readings/.
 */
export type { Document, DocumentState, FoundDocument } from './documents.js';
export {
  type Actor,
  CANARY_STATES,
  type CanaryState,
  type EventData,
  type EventDraft,
  type EventKind,
  type HookAction,
  type JobFailure,
  type JobOutput,
  type StoredEvent,
} from './events.js';
export { FeedReader, FOLLOW_MS, LogFollower } from './follower.js';
export { actingFor, isAlive, isDead, livingPid, newHolder, purposeOf } from './holder.js';
export { newId } from './ids.js';
export { keepLease, takeLease } from './lease.js';
export type {
  EventFilter,
  Expectation,
  FeedItem,
  FeedPosition,
  Lease,
  Ledger,
  ListingGap,
  SubjectSummary,
  SummaryDraft,
  SummaryFilter,
  Unit,
} from './ledger.js';
export { FAMILIES, type LedgerPages, type LinePage, type Selection, type SeqRange } from './pages.js';
export { type LogEntry, readProvenLog } from './proven-log.js';
export { isPruningOf, proveObservations } from './proven-observations.js';
export { type Named, notInLog, resolveId, SHORTEST_PREFIX } from './resolve.js';
export { asStored, EVENT_KINDS, isReadable } from './versions.js';
