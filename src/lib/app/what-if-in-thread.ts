import { inThread } from '../threads/index.js';
import type { WhatIf, WhatIfRequest } from './what-if.js';

export interface WhatIfTask {
  /** The database file. */
  path: string;
  request: WhatIfRequest;
}

/** The observations of the longest window at short intervals, read twice. */
const HEAP_MIB = 1024;

/**
 * `whatIf` on a connection and a thread of its own: judging again is one long computation.
 * @throws LukhasError as `whatIf`; the signal's reason; Error when the thread died
 */
export function whatIfInThread(task: WhatIfTask, signal?: AbortSignal): Promise<WhatIf> {
  return inThread({ name: 'what-if-worker', beside: import.meta.url, data: task, signal, heapMiB: HEAP_MIB });
}
