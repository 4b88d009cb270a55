/**
 * What views of canaries, jobs and gates are made from: read from the log once, or followed, here (`LocalWatching`) or at a
 * daemon (`RemoteWatching`).
 */
export { canaryEntries, gateStory } from '../explanations.js';
export { DaemonClient } from './daemon.js';
export { LocalWatching } from './local.js';
export { readLogPage } from './log-page.js';
export { readOverview, readRows, readStandings } from './overview.js';
export { readRecord } from './records.js';
export { RemoteWatching } from './remote.js';
export type { Deed, Watching } from './watching.js';
