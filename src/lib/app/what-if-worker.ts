/** Judges a canary again; started by what-if-in-thread.ts as a thread of its own. */
import { answerInThread } from '../threads/index.js';
import { whatIf } from './what-if.js';
import type { WhatIfTask } from './what-if-in-thread.js';

await answerInThread(async ({ path, request }: WhatIfTask) => whatIf(path, request));
