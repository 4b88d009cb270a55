import type { App } from '../lib/app/index.js';
import type { Tick } from '../lib/canary/index.js';
import { timestamp } from '../lib/clock.js';
import { EXIT } from '../lib/errors.js';
import { progressLine } from '../lib/explain/index.js';
import { report, rule } from '../lib/judge/index.js';
import type { Canary } from '../lib/readings/index.js';
import { isOpen } from '../lib/readings/index.js';
import { interruptible } from './interrupt.js';

export interface WatchOptions {
  /** Stop watching (not the canary) after so many seconds. */
  timeoutSeconds?: number | undefined;
  /** Prints one line on stderr. */
  say(line: string): void;
  /** Replaces the previous line, on a terminal. */
  status?: ((line: string) => void) | undefined;
}

export interface Watched {
  canary: Canary;
  /** Set when it ended before the canary did: exit code 8, 130 or 143. */
  interrupted: number | null;
}

/** Seconds between two progress lines where they cannot be overwritten. */
const LINE_EVERY_MS = 10_000;

/** Node.js fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Drives one canary in the foreground until its decision is carried out. Ctrl-C or a timeout only stops watching: the
 * canary stays RUNNING and the next driver continues it.
 */
export async function watchToVerdict(app: App, id: string, options: WatchOptions): Promise<Watched> {
  const { timeoutSeconds = Number.POSITIVE_INFINITY } = options;
  const runner = app.runner({
    onTick: progress(options),
    onError: (_, error) => options.say(`lukhas: ${error.message}`),
  });
  const driven = interruptible(async (interrupt) => {
    const timeout = () => interrupt.stop(EXIT.timeout, 'the time to watch is over');
    const timer = setTimeout(timeout, Math.min(timeoutSeconds * 1000, LONGEST_TIMER_MS));
    try {
      await runner.drive([id], interrupt.signal);
    } finally {
      clearTimeout(timer);
    }
    return interrupt.exit;
  });
  const interrupted = await driven.finally(() => runner.close());
  const canary = await app.canaries.get(id);
  return { canary, interrupted: isOpen(canary) ? (interrupted ?? EXIT.timeout) : null };
}

function progress(options: WatchOptions): (tick: Tick) => void {
  let printedAt = Number.NEGATIVE_INFINITY;
  return ({ session, observation, events }) => {
    for (const event of events) {
      if (event.kind === 'fallback.engaged')
        options.say(`no data since ${timestamp(event.data.since)}: lukhas does not promote while data is missing`);
      if (event.kind === 'fallback.released') options.say('data is back');
      if (event.kind === 'canary.held')
        options.say(`held: ${event.data.objective} is too high on the baseline as well`);
      if (event.kind === 'canary.extended')
        options.say(`inconclusive at the end of the window: extended to ${timestamp(event.data.windowEndsAt)}`);
    }
    const { judgement, canary } = session;
    if (!judgement) return;
    const overwrite = options.status !== undefined;
    if (!overwrite && observation.t - printedAt < LINE_EVERY_MS) return;
    printedAt = observation.t;
    const verdict = report(judgement, rule(judgement, observation.t), observation.t);
    const line = progressLine(verdict, canary.policy.windowSeconds);
    if (options.status) options.status(line);
    else options.say(line);
  };
}
