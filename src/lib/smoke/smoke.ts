import { parseUrl, type UrlRules } from '../input/index.js';
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

const SERVER_URL: UrlRules = {
  example: 'http://127.0.0.1:8766',
  isBase: true,
  instead: 'put the key into LUKHAS_API_KEY, or another variable that --key-env names',
};

/**
 * Checks a running server from outside, one check after another. A failed check is a result, not an error.
 * @param url of the server, e.g. `http://127.0.0.1:8766`
 * @throws LukhasError USAGE for an invalid URL, or one that contains a key
 */
export async function smoke(
  url: string,
  options: { key: string | null; timeoutMs?: number; onCheck?: (result: CheckResult) => void },
): Promise<SmokeReport> {
  const target: Target = {
    base: parseUrl(url, 'URL', 'USAGE', SERVER_URL),
    key: options.key,
    timeoutMs: options.timeoutMs ?? 15_000,
  };
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
