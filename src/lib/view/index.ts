/**
 * What people see of canaries, jobs and gates: made from stream events and observations, the same for terminal, page and
 * lists. Pure; no Node.js module and no clock, so that it runs in a browser too.
 */

export {
  COCKPIT_PATH,
  cockpitAddress,
  documentAddress,
  type EntriesFilter,
  fragmentOf,
  type Subject,
  subjectAt,
  subjectOfDocument,
} from './address.js';
export {
  type CanaryEntries,
  type CanaryRecord,
  type CanaryView,
  canaryView,
  foldOf,
  type Marker,
  type ObjectiveView,
  standingOf,
} from './canary.js';
export { amount, type Cell, cellOf, type Meter, meterOf, sourceHealth, timeLeft } from './cell.js';
export { CanaryFold, type Course, rowOfPoint, type Series } from './course.js';
export { type EntryRow, entryRow } from './entry.js';
export { type GateEntry, type GateView, gateView } from './gate.js';
export { type JobView, jobView } from './job.js';
export { lineOf, reasonText, rowLine } from './line.js';
export { type ListedRow, listedRows } from './listing.js';
export { type CanaryNumbers, numbersOf } from './numbers.js';
export {
  emptyOverview,
  type JobRow,
  listed,
  listedGates,
  listedJobs,
  type Overview,
  type OverviewJson,
  overviewOf,
  type SortKey,
  take,
  takeStandings,
} from './overview.js';
export { type CanaryRow, isDoneRow, isOpenRow } from './row.js';
export { jobLook, type StateLook, stateLook, type Tone } from './state.js';
export { seqOf, type Told } from './told.js';
export { headOf, type TreeNode, treeOf } from './tree.js';
