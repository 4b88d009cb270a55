/**
 * Silence: when the canary did not answer, did not serve, or began anew; what follows of it, and what is shown of it. Looks
 * are few and depend on each other, so nothing here is a bet, and nothing that it decides is certified.
 */
export { type Silence, seeAnswer, silenceOf, stepSilence } from './fold.js';
export { forbids, isAlone, rollsBack } from './limits.js';
export { silenceReport } from './report.js';
