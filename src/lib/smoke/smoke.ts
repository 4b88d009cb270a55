import { LukhasError } from '../errors.js';
import { CHECKS, Failed, isLockedOut, Skipped, WITHOUT_KEY } from './checks.js';
import type { Target } from './client.js';

export interface CheckResult {
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  detail: string;
  durationMs: number;
}

export interface SmokeReport {
  url: string;
  ok: boolean;
  checks: CheckResult[];
}

/**
 * Checks a running server from outside, one check after another. A failed check is a result, not an error.
 * @param url of the server, e.g. `http://127.0.0.1:8766`
 * @throws LukhasError USAGE for an invalid URL, or one that contains a key
 */
export async function smoke(
  url: string,
  options: { key: string | null; timeoutMs?: number; onCheck?: (result: CheckResult) => void },
): Promise<SmokeReport> {
  const target: Target = { base: parseBase(url), key: options.key, timeoutMs: options.timeoutMs ?? 15_000 };
  const checks: CheckResult[] = [];
  let lockedOut: boolean | null = null;
  for (const [name, check] of Object.entries(CHECKS)) {
    const started = performance.now();
    const run = async (): Promise<string> => {
      if (WITHOUT_KEY.includes(name)) return check(target);
      // When nothing answers, the check itself reports that.
      lockedOut ??= await isLockedOut(target).catch(() => false);
      if (!lockedOut) return check(target);
      throw new Skipped(target.key === null ? 'the server requires a key' : 'the server rejects this key');
    };
    const found = await run().then(
      (detail) => ({ state: 'passed' as const, detail }),
      (error: Error) => ({
        state: error instanceof Skipped ? ('skipped' as const) : ('failed' as const),
        detail: detailOf(error),
      }),
    );
    const result = { name, ...found, durationMs: Math.round(performance.now() - started) };
    checks.push(result);
    options.onCheck?.(result);
    // Nothing listens there: all other checks would fail the same way.
    if (result.state === 'failed' && checks.length === 1 && /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/.test(result.detail))
      break;
  }
  return { url: target.base.href, ok: checks.every(({ state }) => state !== 'failed'), checks };
}

function detailOf(error: Error & { code?: string }): string {
  if (error instanceof Failed || error instanceof Skipped) return error.message;
  return error.message || (error.code ?? 'the connection failed');
}

function parseBase(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new LukhasError('USAGE', `${JSON.stringify(url)} is not a valid server URL`, {
      suggestions: ['Example: http://127.0.0.1:8766'],
    });
  if (base.username !== '' || base.password !== '' || base.search !== '')
    throw new LukhasError('USAGE', 'The URL must not contain a key, a user name or a query.', {
      suggestions: ['Put the key into LUKHAS_API_KEY, or into the variable given with --key-env.'],
    });
  return base;
}
