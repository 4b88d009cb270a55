import { LukhasError } from '../errors.js';
import { MOST_SETTINGS, readLimited } from '../files/index.js';
import type { Policy } from '../judge/index.js';

/** When neither a file nor the caller says how long. */
const DEFAULT_WINDOW_SECONDS = 300;

/** What a policy is made of; targets and window win over the file's. */
export interface PolicyInput {
  /** Policy file, JSON or YAML. */
  file: string | null;
  targets: Readonly<Record<string, unknown>>;
  windowSeconds?: number | undefined;
  /** Names the caller's part in messages: `flags`, `arguments`. */
  where: string;
  /** What to do when neither a file nor a target is given. */
  suggestion: string;
  /** The file is somebody else's: the caller may add targets and tighten what it says. */
  onlyTighten?: boolean;
}

export interface ComposedPolicy {
  /** One that is not as the file has it does not go by the file's name alone. */
  policy: Policy;
  /** Targets of the file that the caller's replaced. */
  overridden: { target: string; before: unknown; after: unknown }[];
}

interface Written {
  name?: unknown;
  windowSeconds?: unknown;
  targets?: Record<string, unknown> | null;
}

/**
 * The policy that a file and a caller's targets make together.
 * @throws LukhasError POLICY; USAGE when there is neither
 */
export async function composePolicy(input: PolicyInput): Promise<ComposedPolicy> {
  const { file, where } = input;
  const { parsePolicy } = await import('../judge/policy-schema.js');
  if (file === null) {
    if (Object.keys(input.targets).length === 0)
      throw new LukhasError('USAGE', 'No policy given.', {
        suggestions: [input.suggestion],
      });
    return { policy: parsePolicy(amended({ windowSeconds: DEFAULT_WINDOW_SECONDS }, input), where), overridden: [] };
  }
  const written = await readPolicy(file);
  if (typeof written !== 'object' || written === null || Array.isArray(written))
    return { policy: parsePolicy(written, file), overridden: [] };
  const base: Written = written;
  if (input.onlyTighten) requireTighter(parsePolicy(base, file), input);
  // Where the file is good by itself, what is wrong is what was added to it.
  const blamed = () => (parses(() => parsePolicy(base)) ? where : file);
  const policy = parsePolicy(amended(base, input), isAmended(base, input) ? blamed() : file);
  return { policy, overridden: overriddenIn(base, input) };
}

/**
 * The policy of a file, as it is used where nobody amends it.
 * @throws LukhasError POLICY
 */
export async function policyOfFile(file: string): Promise<Policy> {
  const { parsePolicy } = await import('../judge/policy-schema.js');
  return parsePolicy(await readPolicy(file), file);
}

function amended(base: Written, input: PolicyInput): object {
  const { targets, windowSeconds } = input;
  return {
    ...base,
    ...(typeof base.name === 'string' && isAmended(base, input) ? { name: `${base.name} (changed)` } : {}),
    ...(windowSeconds === undefined ? {} : { windowSeconds }),
    ...(Object.keys(targets).length === 0 ? {} : { targets: { ...base.targets, ...targets } }),
  };
}

function isAmended(base: Written, { targets, windowSeconds }: PolicyInput): boolean {
  if (windowSeconds !== undefined && windowSeconds !== base.windowSeconds) return true;
  return Object.entries(targets).some(([target, value]) => value !== undefined && value !== base.targets?.[target]);
}

function overriddenIn(base: Written, { targets }: PolicyInput): ComposedPolicy['overridden'] {
  return Object.entries(targets).flatMap(([target, after]) => {
    const before = base.targets?.[target];
    return before === undefined || before === null || before === after ? [] : [{ target, before, after }];
  });
}

/** Every target is an upper limit, and the longer the window the more has to be proved. @throws LukhasError POLICY */
function requireTighter(configured: Policy, { targets, windowSeconds }: PolicyInput): void {
  const limits: Readonly<Record<string, number | undefined>> = { ...configured.targets };
  for (const [target, wanted] of Object.entries(targets)) {
    const limit = limits[target];
    if (limit !== undefined && Number(wanted) > limit) throw looser(target, wanted, 'at most', limit);
  }
  if (windowSeconds !== undefined && windowSeconds < configured.windowSeconds)
    throw looser('windowSeconds', windowSeconds, 'at least', configured.windowSeconds);
}

function looser(key: string, wanted: unknown, word: string, limit: number): LukhasError {
  return new LukhasError(
    'POLICY',
    `${key}: ${String(wanted)} is looser than the configured policy (${limit}); only the operator can loosen it`,
    { suggestions: [`Request ${word} ${limit}, or leave ${key} out.`] },
  );
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

/** What a policy file holds, before it is checked. @throws LukhasError POLICY */
export async function readPolicy(file: string): Promise<unknown> {
  const { parseText } = await import('../input/text.js');
  let bytes: Buffer | null;
  try {
    bytes = await readLimited(file, MOST_SETTINGS);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const why = { ENOENT: 'file not found', EISDIR: 'is a folder, not a file' }[code] ?? `cannot be read (${code})`;
    throw new LukhasError('POLICY', `${file}: ${why}`, {
      suggestions: ['Pass a policy file in YAML or JSON; docs/policy.md describes the format.'],
      cause,
    });
  }
  if (bytes === null) throw new LukhasError('POLICY', `${file}: too long: more than ${MOST_SETTINGS} bytes`);
  return parseText(bytes.toString(), file, 'POLICY');
}
