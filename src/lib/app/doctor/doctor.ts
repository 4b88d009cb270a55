import { type Clock, systemClock } from '../../clock.js';
import { type Config, loadConfig } from '../config.js';
import { type Check, exitOf, type Found, failure, skip } from './check.js';

export interface DoctorOptions {
  flags: { db?: string | undefined; config?: string | undefined };
  /** Of a canary that is to be started: what its source shows is looked at as for that one. */
  canary: { modelId?: string | undefined; fromGate?: string | undefined; toGate?: string | undefined };
  /** Instead of the configured policy. */
  policy?: string | undefined;
  /** Of this lukhas. */
  version: string;
  onCheck?: ((check: Check) => void) | undefined;
  clock?: Clock;
}

export interface DoctorReport {
  /** Nothing failed; there may be warnings. */
  ok: boolean;
  /** 0, or the exit code of the first failure. */
  exit: number;
  checks: Check[];
}

/** Longest wait for one answer, ms. */
const ANSWER_MS = 4000;

/** Checks the set-up: writes nothing, calls no hook, sends no key of ours. Each check is reported as soon as it is done. */
export async function doctor(options: DoctorOptions): Promise<DoctorReport> {
  const checks: Check[] = [];
  const { clock = systemClock(), onCheck } = options;
  const report = async (name: string, check: () => Promise<readonly Found[]>): Promise<void> => {
    let found: readonly Found[];
    try {
      found = await check();
    } catch (error) {
      found = [failure(error)];
    }
    for (const each of found) {
      const line = { name, ...each };
      checks.push(line);
      onCheck?.(line);
    }
  };
  const steadiness = (await import('./clock.js')).watchClock(clock);
  let config: Config | null = null;
  await report('configuration', async () => {
    config = await loadConfig({ flags: options.flags });
    return (await import('./configuration.js')).configurationChecks(config);
  });
  if (config !== null) await checkAll(config, options, clock, report);
  else await report('others', async () => [skip('not checked: the configuration says where everything is')]);
  await report('clock', async () => [steadiness()]);
  const exit = exitOf(checks);
  return { ok: exit === 0, exit, checks };
}

type Report = (name: string, check: () => Promise<readonly Found[]>) => Promise<void>;

async function checkAll(config: Config, options: DoctorOptions, clock: Clock, report: Report): Promise<void> {
  const policy = options.policy ?? config.policyPath;
  await report('policy', async () => (await import('./configuration.js')).policyChecks(policy));
  await report('source', async () =>
    (await import('./source.js')).sourceChecks(config, { ...options.canary, policy }, clock),
  );
  await report('clock', async () => {
    const { addressesOf, offsetFrom } = await import('./clock.js');
    return Promise.all(addressesOf(config.source).map((address) => offsetFrom(address, clock, ANSWER_MS)));
  });
  await report('hooks', async () => (await import('./programs.js')).hookChecks(config));
  await report('tasks', async () => (await import('./programs.js')).taskChecks(config));
  await report('database', async () => (await import('./database.js')).databaseChecks(config, clock));
  await report('keys', async () => (await import('./keys.js')).keyChecks(config));
  await report('daemon', async () => [
    await (await import('./daemon.js')).daemonCheck(config, options.version, ANSWER_MS),
  ]);
}
