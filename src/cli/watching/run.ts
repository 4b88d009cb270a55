import { environment, exitOf, loadConfig } from '../../lib/app/index.js';
import { DaemonClient, LocalWatching, RemoteWatching, type Watching } from '../../lib/app/watching/index.js';
import { type Clock, systemClock } from '../../lib/clock.js';
import { EXIT } from '../../lib/errors.js';
import { isDoneRow, standingOf } from '../../lib/view/index.js';
import { type Interrupt, interruptible } from '../interrupt.js';
import { exitCodeIsOutcome } from '../output.js';
import { presentCanary } from '../present.js';
import { print } from '../screen.js';
import { followInLines } from './follow.js';
import { listOnce, readOnce, recordOnce, treeOnce } from './once.js';

/** Where what is watched is. */
export interface WatchPlace {
  place: { url: string } | { db: string | undefined; config: string | undefined };
  /** Of a daemon; null: none is set. */
  key: string | null;
  /** Of lukhas. */
  version: string;
  say(message: string): void;
}

export interface WatchWanted {
  /** As it was typed; null: everything. */
  id: string | null;
  once: boolean;
  untilDone: boolean;
  json: boolean;
  noColor: boolean | undefined;
}

/** @returns what `--json` prints at the end; undefined: it has been printed as it came */
export async function runWatch(where: WatchPlace, wanted: WatchWanted): Promise<unknown> {
  const clock = systemClock();
  const drawn = !wanted.once && !wanted.json && isDrawable();
  const watching = await open(where, clock, drawn);
  try {
    return await interruptible(async (interrupt) => {
      const id = wanted.id === null ? null : (await watching.canary(wanted.id)).id;
      if (wanted.once) return once(watching, clock, { ...wanted, id }, interrupt);
      await follow(watching, clock, { ...wanted, id, drawn }, interrupt);
      return undefined;
    });
  } finally {
    await watching.close();
  }
}

/** @param drawn a view that is to be there at once */
async function open({ place, key, version, say }: WatchPlace, clock: Clock, drawn: boolean): Promise<Watching> {
  if (!('url' in place)) {
    const config = await loadConfig({ flags: place });
    return LocalWatching.open({ config, version, clock, standingsLater: drawn });
  }
  const daemon = new DaemonClient(place.url, key);
  if (daemon.tellsKey) say('warning: the key in LUKHAS_API_KEY is sent over http: others on the network can read it');
  return new RemoteWatching({ daemon, clock });
}

async function once(
  watching: Watching,
  clock: Clock,
  { id, json, noColor }: WatchWanted,
  { signal }: Interrupt,
): Promise<unknown> {
  if (id !== null) {
    const record = await watching.canary(id);
    if (json) return recordOnce(record);
    print(treeOnce(record, clock.now(), noColor));
    return undefined;
  }
  await readOnce(watching, signal);
  const { canaries, jobs, gates, ...rest } = watching.overview;
  if (json) return { ...rest, canaries: [...canaries.values()], jobs: [...jobs.values()], gates: [...gates.values()] };
  print(listOnce(watching, clock.now(), noColor));
  return undefined;
}

async function follow(
  watching: Watching,
  clock: Clock,
  { id, json, untilDone, noColor, drawn }: WatchWanted & { drawn: boolean },
  interrupt: Interrupt,
): Promise<void> {
  const done = drawn
    ? await draw({ watching, clock, id, untilDone, noColor })
    : await followInLines({ watching, clock, id, json, untilDone }, interrupt.signal);
  if (done && id !== null) {
    // As its entries tell it: a list knows less of how it ended.
    const record = await watching.canary(id);
    const { canary, verdict } = standingOf(record)!;
    process.exitCode = exitOf(canary);
    exitCodeIsOutcome();
    // The view has left nothing on the screen.
    if (drawn) print(presentCanary({ ...canary, verdict }, noColor));
  } else if (interrupt.exit !== null) process.exitCode = interrupt.exit;
}

/** Whether there is a terminal that can be drawn on, and somebody at its keys. */
function isDrawable(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY) && environment()['TERM'] !== 'dumb';
}

/** On the whole terminal. @returns whether the canary is done */
async function draw(options: {
  watching: Watching;
  clock: Clock;
  id: string | null;
  untilDone: boolean;
  noColor: boolean | undefined;
}): Promise<boolean> {
  const { watching, clock, id, untilDone, noColor } = options;
  const { hasUnicode, showWatch } = await import('../../tui/index.js');
  let done = false;
  const until = (): number | null => {
    const row = id === null ? undefined : watching.overview.canaries.get(id);
    done = untilDone && row !== undefined && isDoneRow(row);
    return done ? EXIT.done : null;
  };
  const exit = await showWatch({
    ...{ watching, clock, id, until },
    exportTo: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    color: !noColor && !environment()['NO_COLOR'],
    unicode: hasUnicode(environment()),
  });
  process.exitCode = exit;
  return done;
}
