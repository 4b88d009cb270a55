/**
 * Why: facts and verdicts -> words and numbers. Pure; no Node.js module.
 */
export { mathOf, mathUnknown, type ObjectiveEvidence, observedValue, type WhyMath } from './math.js';
export { title } from './narrate/index.js';
export { narrateCanary } from './narrative.js';
export { objectiveLine } from './objective-lines.js';
export { progressLine } from './progress.js';
export type { Evidence } from './recheck.js';
export { narrativeMarkdown, narrativeText } from './render.js';
export { type Narrative, narrateUnknown } from './section.js';
export { sparkline } from './sparkline.js';
export { howSure, nextSteps, summarise, why } from './summary.js';
export { clip, count, milliseconds, moment, odds, oneLine, percent, plural, seconds } from './words.js';
