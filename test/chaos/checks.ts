import { verifyAll } from '../../src/lib/app/verification.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { INSIDES } from '../e2e/lukhas.js';
import type { Tally } from './tally.js';
import type { Ended, World } from './world.js';

/** Exit codes that a command may end with when something failed below it: docs/errors.md. */
const MAY_END = new Set([1, 2, 4, 5, 6, 7]);

/**
 * How it ended, whatever it was: no insides, and a code that says what happened.
 * @param others codes that it may end with in the place of `expected`
 */
export function checkEnd(
  tally: Tally,
  where: string,
  ended: Ended,
  expected: number,
  others: ReadonlySet<number> = MAY_END,
): void {
  const { code, signal, stderr, stdout } = ended;
  if (INSIDES.test(stderr + stdout)) tally.fault('stack trace', `${where}: ${brief(ended)}`);
  else if (code === null || (code !== expected && !others.has(code)))
    tally.fault('wrong exit code', `${where}: ${code ?? signal}, not ${expected}: ${brief(ended)}`);
  else if (code !== expected && (stderr + stdout).trim() === '')
    tally.fault('wrong exit code', `${where}: ${code} without a word`);
}

/** What must hold of a world once everything has ended. */
export async function checkWorld(tally: Tally, where: string, world: World): Promise<void> {
  const calls = world.hookCalls();
  if (calls.some((call) => call.startsWith('overlap')))
    tally.fault('overlapping hooks', `${where}: ${calls.join('; ')}`);
  const jobs = world.jobsBegun();
  if (new Set(jobs).size !== jobs.length) tally.fault('job run twice', `${where}: ${jobs.join(' ')}`);
  const report = await verifyAll(world.db);
  if (!report.ok) tally.fault('log does not verify', `${where}: ${JSON.stringify(report.problems[0])}`);
  const ledger = await openLedger(world.db, { readOnly: true });
  try {
    const subjects = (await ledger.events({ kinds: ['canary.requested'] })).map(({ subject }) => subject);
    for (const id of subjects) {
      const observed = await ledger.observations(id);
      // On the grid of whole intervals each tick stands once, and what each counts begins where the one before ended.
      const wrong = observed.findIndex(
        ({ tick, from }, n) => n > 0 && (tick <= observed[n - 1]!.tick || from !== observed[n - 1]!.t),
      );
      if (wrong !== -1)
        tally.fault('doubled or lost tick', `${where}: ${id}, ${JSON.stringify(observed.slice(wrong - 1, wrong + 1))}`);
    }
  } finally {
    await ledger.close();
  }
}

export async function checkOrphans(tally: Tally, where: string, world: World): Promise<void> {
  const left = await world.left();
  if (left.length > 0) tally.fault('orphan', `${where}: ${left.length} programs`);
}

export function brief({ stdout, stderr }: Ended): string {
  return `${stderr}${stdout}`.trim().split('\n').slice(-4).join(' | ').slice(0, 400);
}
