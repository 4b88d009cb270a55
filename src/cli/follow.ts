import type { App } from '../lib/app/index.js';
import { canaryJson, exitOf } from '../lib/app/index.js';
import { type Canary, isTerminal } from '../lib/readings/index.js';
import { advice } from './advice.js';
import type { BaseCommand } from './base-command.js';
import { canDraw, drawCanary, plainProgress } from './drawing.js';
import { exitCodeIsOutcome, resultSeenWith } from './output.js';
import { presentCanary } from './present.js';
import { tell } from './screen.js';
import { statusLine } from './status-line.js';
import { type Watched, watchToVerdict } from './watch-verdict.js';

/** `watchToVerdict` with its progress on stderr. */
export async function followToVerdict(
  app: App,
  id: string,
  options: { timeoutSeconds?: number | undefined; quiet?: boolean; noColor?: boolean | undefined },
): Promise<Watched> {
  const { quiet = false, timeoutSeconds, noColor } = options;
  const draws = !quiet && canDraw();
  const line = quiet ? null : statusLine(process.stderr);
  const progress = draws ? await drawCanary(app, id, noColor) : plainProgress(line);
  try {
    return await watchToVerdict(app, id, {
      timeoutSeconds,
      say: progress.say,
      status: draws || line !== null ? progress.status : undefined,
    });
  } finally {
    await progress.stop();
  }
}

/** Presents how it ended and sets the exit code; the value is what `--json` prints. */
export function finish(command: BaseCommand, watched: Watched, noColor: boolean | undefined): unknown {
  const { canary, interrupted } = watched;
  process.exitCode = interrupted ?? exitOf(canary);
  exitCodeIsOutcome();
  resultSeenWith(`lukhas canary status ${canary.id}`);
  if (interrupted !== null) {
    tell(advice(howToGoOn(canary)));
  } else if (!command.jsonEnabled()) command.log(presentCanary(canary, noColor));
  return { ...canaryJson(canary), exit: process.exitCode };
}

/** What somebody who stopped watching can do: a decided canary cannot be stopped any more. */
export function howToGoOn({ id, state, source }: Canary): string {
  const resume = `  continue: lukhas canary resume ${id}`;
  // An input is read by a command.
  const byItself =
    source['kind'] === 'ndjson' ? '' : '\n  a running `lukhas serve` on the same database continues it by itself';
  return isTerminal(state)
    ? `lukhas: stopped watching ${id}; it is ${state}, but its hooks have not all run, and none is called until it is continued\n${resume}${byItself}`
    : `lukhas: stopped watching ${id}; it is still ${state}, but not checked or decided until it is continued\n${resume}${byItself}\n  stop it: lukhas canary abort ${id} --reason "..."`;
}
