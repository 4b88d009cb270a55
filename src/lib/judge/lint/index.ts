/** Parts of `lintPolicy`: what findings are, and the findings on what may be missing, fail, or stay unjudged. */
export { error, type LintFinding, note, percent, warning } from './findings.js';
export { doubtfulObjectives } from './objectives.js';
export { doubtfulSilence } from './silence.js';
