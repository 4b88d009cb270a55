/**
 * The witness (C2SP tlog-witness): cosigns checkpoints of logs that only grow.
 */
export { formatAddCheckpoint } from './request.js';
export { WitnessStore } from './store.js';
export { Witness, type WitnessOptions } from './witness.js';
