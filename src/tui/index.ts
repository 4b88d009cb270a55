/**
 * The live view in the terminal, drawn with Ink: the one place that loads it. What is shown comes from src/lib/view; all text
 * passes `visible` in draw/line.ts, and escape sequences are Ink's alone.
 */
export { hasUnicode } from './draw/ascii.js';
export { showCanary } from './show-canary.js';
export { showWatch } from './show-watch.js';
