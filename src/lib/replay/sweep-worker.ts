/** Judges batches of canaries under the policies of a sweep; started by sweep-pool.ts as a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { type CellPolicies, judgeTasks, type SweepTask } from './sweep-cells.js';

const cells = workerData as CellPolicies;
const port = parentPort;

port?.on('message', (tasks: readonly SweepTask[]) => port.postMessage(judgeTasks(cells, tasks)));
