/**
 * Programs that lukhas starts: their process group, output, environment and identity.
 */
export { withoutSecrets } from './environment.js';
export { stopGroup } from './group.js';
export { processesWith, processMark } from './identity.js';
export { OutputTail } from './output-tail.js';
export { type ProgramEnd, runProgram } from './program.js';
