/**
 * Why: facts and verdicts -> words and numbers. Pure; no Node.js module.
 */

export { briefMilliseconds, briefOdds, briefPercent, briefPsi } from './brief.js';
export { nextSteps, why } from './cause.js';
export { evidenceText, howSure } from './certainty.js';
export { decisionWords, entryWords, whoOf } from './entry.js';
export { bucketText, formulaText, queriesOf } from './formula.js';
export { flow, type Width, wrap } from './layout.js';
export { mathOf, mathUnknown, type ObjectiveEvidence, observedValue, type WhyMath } from './math.js';
export { entryMeans, title } from './narrate/index.js';
export { narrateCanary } from './narrative.js';
export { mark, missingText } from './objective-cells.js';
export { objectiveLine } from './objective-lines.js';
export { certificate, isAtEnd } from './objective-sentences.js';
export { planLines } from './plan.js';
export { progressLine } from './progress.js';
export { inUnit } from './rate-facts.js';
export type { Evidence } from './recheck.js';
export { narrativeMarkdown, narrativeText } from './render.js';
export { type Narrative, narrateUnknown } from './section.js';
export { sparkline } from './sparkline.js';
export { evidenceLines, headline, stateText, summarise, summariseEnded, whenText } from './summary.js';
export { assumptionText, clip, count, milliseconds, moment, odds, oneLine, percent, plural, seconds } from './words.js';
