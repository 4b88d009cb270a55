/**
 * Processes: programs that lukhas starts, with their group, output and environment; and which process is which, and
 * whether it still lives; and whom the files belong to that root writes.
 */
export { processesWith } from './by-environment.js';
export {
  descriptorLimit,
  keepSpareDescriptors,
  openDescriptors,
  releaseSpareDescriptors,
} from './descriptors.js';
export { isPassEnv, programEnvironment } from './environment.js';
export { whyNotStartable } from './find-program.js';
export { stopGroup } from './group.js';
export { formatProcess, lifeOf, monotonicClock, parseProcess, processMark, thisProcess } from './identity.js';
export { OutputTail } from './output-tail.js';
export { giveTo, isRootsAlone, makeFolder, type OpenFolder, type Owner, openFolder, ownerFor } from './ownership.js';
export { parentOf } from './proc.js';
export { type ProgramEnd, runProgram } from './program.js';
export { stopPrograms } from './running.js';
