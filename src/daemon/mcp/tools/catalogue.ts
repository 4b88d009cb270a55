import { LukhasError } from '../../../lib/errors.js';
import { abortCanary, canaryStatus, listCanaries, startCanary, why, whyMath } from './canaries.js';
import { listGates, promoteModel } from './gates.js';
import { runEval, status } from './jobs.js';
import { verifyLog } from './log.js';
import { fetch, search } from './search.js';
import { type LukhasTool, TOOLSETS, type Toolset } from './tool.js';
import { plan, whatIf } from './what-if.js';

/**
 * DO NOT MOVE `search` AND `fetch`: clients that research documents (ChatGPT among them) expect these two first, and `fetch`
 * with exactly `required: ["id"]`. Add new tools at the end: clients cache the list by its order.
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
  listGates,
  whatIf,
  plan,
];

export interface ToolChoice {
  /** Offer only tools that change nothing. */
  readOnly?: boolean | undefined;
  /** Offer only these groups; search and fetch are always offered. */
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
    throw new LukhasError('USAGE', `--toolsets: unknown toolset ${JSON.stringify(part.trim())}`, {
      suggestions: [`Use one or more of: ${TOOLSETS.join(', ')}`],
    });
  });
}
