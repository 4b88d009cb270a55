import { LukhasError } from '../../../lib/errors.js';
import { abortCanary, canaryStatus, listCanaries, startCanary, why, whyMath } from './canaries.js';
import { promoteModel } from './gates.js';
import { runEval, status } from './jobs.js';
import { verifyLog } from './log.js';
import { fetch, search } from './search.js';
import { type LukhasTool, TOOLSETS, type Toolset } from './tool.js';

/**
 * DO NOT MOVE `search` AND `fetch`: clients that research documents (ChatGPT among them) look for the two at the head of
 * the list, and for `fetch` with exactly `required: ["id"]`. What is added goes to the end: the order is what clients
 * cache by.
 */
const ALL: readonly LukhasTool[] = [
  search,
  fetch,
  startCanary,
  canaryStatus,
  abortCanary,
  why,
  whyMath,
  runEval,
  status,
  promoteModel,
  listCanaries,
  verifyLog,
];

export interface ToolChoice {
  /** Only tools that change nothing; the others are not there. */
  readOnly?: boolean | undefined;
  /** Only these groups; search and fetch are always there. */
  toolsets?: readonly Toolset[] | undefined;
}

/** The tools of a server, in the order of the list. */
export function chooseTools({ readOnly = false, toolsets = TOOLSETS }: ToolChoice): LukhasTool[] {
  return ALL.filter(
    (tool) => (tool.readOnly || !readOnly) && (tool.toolset === 'search' || toolsets.includes(tool.toolset)),
  );
}

/** Reads `canaries,jobs`. @throws LukhasError USAGE */
export function parseToolsets(text: string): Toolset[] {
  return text.split(',').map((part) => {
    const name = TOOLSETS.find((toolset) => toolset === part.trim());
    if (name !== undefined) return name;
    throw new LukhasError('USAGE', `--toolsets: there is no toolset ${JSON.stringify(part.trim())}`, {
      suggestions: [`There are: ${TOOLSETS.join(', ')}`],
    });
  });
}
