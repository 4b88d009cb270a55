/**
 * The language of what is counted: selectors and sums of them in PromQL's own syntax, the same for every source.
 */
export { armInput, equal, refuseSameSeries, refuseTwice } from './arms.js';
export { ALL_SERIES, BY_GATE, DEFAULT_SIGNALS } from './defaults.js';
export { type OtherName, type SignalsForm, signalsInput, signalsSchema } from './input.js';
export { fillMatchers, fillSignals, matches } from './match.js';
export { parseArms, parseSignals, signalWarnings, strayMatchers } from './parse.js';
export type { ArmSamples, Sample, Target } from './samples.js';
export type {
  ArmsConfig,
  CounterExpression,
  HistogramSource,
  Signals,
  SignalsConfig,
  Unit,
} from './signals.js';
export { helpContradiction, SCALES, unitContradiction, unitOfName } from './units.js';
