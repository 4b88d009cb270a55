import type { Watching } from '../../lib/app/watching/index.js';
import type { Clock } from '../../lib/clock.js';
import { isDoneRow, isOpenRow, lineOf, listed, rowLine, seqOf, type Told } from '../../lib/view/index.js';
import { tell } from '../screen.js';
import { Outlet } from './outlet.js';

export interface FollowOptions {
  watching: Watching;
  clock: Clock;
  /** The canary that is watched; null: everything. */
  id: string | null;
  /** Each event as a JSON document instead of some of them as lines. */
  json: boolean;
  /** Ends when nothing more happens to the canary by itself. */
  untilDone: boolean;
}

/**
 * Prints what happens, a line each, until the signal aborts, nobody reads any more, or the canary is done. What is said of the
 * connection goes to standard error.
 * @returns whether the canary is done
 * @throws LukhasError as `Watching.follow`
 */
export async function followInLines(options: FollowOptions, signal: AbortSignal): Promise<boolean> {
  const { watching, id, json, untilDone } = options;
  const end = new AbortController();
  // How it ends is told by the exit code, whoever reads.
  const outlet = new Outlet(() => untilDone || end.abort());
  const told = new ToldAlready();
  let done = false;
  let state = watching.connection.state;
  let isBegun = false;
  const changed = (events: readonly Told[]): void => {
    state = tellConnection(watching, state);
    if (!isBegun && watching.connection.heardAt !== null) {
      isBegun = true;
      told.note(watching);
      if (!json) outlet.add(...present(options));
    }
    const own = id === null ? events : events.filter(({ data }) => data['canaryId'] === id);
    if (json) outlet.add(...own.map(({ id: position, name, data }) => ({ event: name, id: position, ...data })));
    else outlet.add(...own.flatMap((event) => (told.has(event) ? [] : (lineOf(event, { checks: id !== null }) ?? []))));
    const row = id === null ? undefined : watching.overview.canaries.get(id);
    if (!untilDone || row === undefined || !isDoneRow(row)) return;
    done = true;
    end.abort();
  };
  await watching.follow(changed, AbortSignal.any([signal, end.signal]));
  await outlet.settled();
  return done;
}

/** What is watched as it stands at the beginning: the canary, or all that are open. */
function present({ watching, clock, id }: FollowOptions): string[] {
  const rows = listed(watching.overview).filter((row) => (id === null ? isOpenRow(row) : row.id === id));
  return rows.map((row) => rowLine(row, clock.now()));
}

/** What the lists showed when they were read comes again where the stream begins earlier. */
class ToldAlready {
  readonly #seqs = new Map<string, number>();

  note({ overview }: Watching): void {
    for (const { id, seq } of overview.canaries.values()) this.#seqs.set(id, seq);
    for (const { id, seq } of overview.jobs.values()) this.#seqs.set(id, seq);
    for (const { gate, seq } of overview.gates.values()) this.#seqs.set(`gate ${gate}`, seq);
  }

  has({ id, name, data }: Told): boolean {
    if (name === 'metric') return false;
    const subject = name === 'gate_changed' ? `gate ${data['gate']}` : (data['canaryId'] ?? data['jobId']);
    return typeof subject === 'string' && seqOf(id) <= (this.#seqs.get(subject) ?? -1);
  }
}

/** @returns the state that was told */
function tellConnection({ connection, place }: Watching, before: string): Watching['connection']['state'] {
  const { state, problem } = connection;
  if (state === before || state === 'connecting') return state;
  if (state === 'stale') tell(`not live: ${problem}; what was printed may be out of date, trying again`);
  else if (state === 'live' && before === 'stale') tell(`live again: ${place}`);
  return state;
}
