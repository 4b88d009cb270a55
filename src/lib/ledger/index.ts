/**
 * The log: event kinds and their schemas, the `Ledger` port, leases, ids. What entries mean stands in readings/.
 */
export type { Document, DocumentState, FoundDocument } from './documents.js';
export type {
  Actor,
  CanaryState,
  EventData,
  EventDraft,
  EventKind,
  HookAction,
  JobFailure,
  JobOutput,
  StoredEvent,
} from './events.js';
export { newHolder, newId } from './ids.js';
export { isDead, takeLease } from './lease.js';
export type {
  EventFilter,
  Expectation,
  FeedItem,
  FeedPosition,
  Ledger,
  SubjectSummary,
  SummaryDraft,
  SummaryFilter,
  Unit,
} from './ledger.js';
export { FAMILIES, type LedgerPages, type LinePage, type Selection, type SeqRange } from './pages.js';
export { type LogEntry, readProvenLog } from './proven-log.js';
export { KEPT_MS, proveObservations } from './proven-observations.js';
export { type Named, notInLog, resolveId, SHORTEST_PREFIX } from './resolve.js';
