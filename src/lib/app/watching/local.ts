import { stat } from 'node:fs/promises';
import { type Clock, systemClock } from '../../clock.js';
import { LukhasError, systemError } from '../../errors.js';
import { type FeedPosition, FOLLOW_MS } from '../../ledger/index.js';
import { eventId, isOfLog, Judging, parseEventId, reaches, Teller } from '../../stream/index.js';
import { Turns } from '../../turns.js';
import {
  type CanaryRecord,
  type CanaryRow,
  emptyOverview,
  type Overview,
  type Told,
  takeStandings,
} from '../../view/index.js';
import { type App, openApp } from '../app.js';
import type { Config } from '../config.js';
import { canaryEntries } from '../explanations.js';
import { actLocally } from './deeds.js';
import { type Changed, Followed } from './following.js';
import { readOverview, readStandings } from './overview.js';
import { exportLocally } from './pack.js';
import { recordsOf } from './records.js';
import type { Connection, Deed, Watching } from './watching.js';

export interface LocalOptions {
  config: Config;
  /** Of lukhas. */
  version: string;
  clock?: Clock;
  /**
   * Whether how running canaries stand is read after the lists, for a view that is to be there at once; else with them. Each has
   * to be judged from its first check.
   */
  standingsLater?: boolean;
}

/** Read and taken in within some milliseconds; others have their turn in between. */
const PAGE = 128;
/** How often it is asked whether the file is still the one that was opened. */
const FILE_MS = 1000;
/** After a log that could not be read. */
const RETRY_MS = 1000;

/** A log that was opened, and what makes events of it. */
interface Opened {
  app: App;
  teller: Teller;
  judging: Judging;
  /** Which file it is: its path may name another one later. */
  file: string;
  /** When it was written last, and what is beside it. */
  written: string;
}

/** Watches the log of this machine, whoever writes it. It needs no daemon, and writes nothing unless somebody acts. */
export class LocalWatching implements Watching {
  readonly place: string;
  readonly #options: LocalOptions;
  readonly #clock: Clock;
  readonly #followed = new Followed(emptyOverview());
  readonly #records = recordsOf(() => this.#opened.app.ledger);
  readonly #closing = new AbortController();
  #opened: Opened;

  /** @throws LukhasError LEDGER_* when there is no log, or it cannot be read */
  static async open(options: LocalOptions): Promise<LocalWatching> {
    const clock = options.clock ?? systemClock();
    return new LocalWatching(options, clock, await opened(options.config, clock));
  }

  private constructor(options: LocalOptions, clock: Clock, first: Opened) {
    this.#options = options;
    this.#clock = clock;
    this.#opened = first;
    this.place = options.config.dbPath;
  }

  get overview(): Overview {
    return this.#followed.overview;
  }

  get connection(): Readonly<Connection> {
    return this.#followed.connection;
  }

  async follow(changed: Changed, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#begin(changed, signal);
        await this.#followFile(changed, signal);
      } catch (error) {
        if (!this.#followed.isRead) throw error;
        this.#followed.stale(inWords(error), changed);
        await this.#pause(RETRY_MS, signal);
      }
      await this.#reopen(changed, signal);
    }
  }

  async canary(given: string): Promise<CanaryRecord> {
    const { app, teller } = this.#opened;
    const position = eventId(await app.ledger.feedEnd(), await teller.log());
    return this.#records.read(await canaryEntries(app, given, position));
  }

  act(deed: Deed, id: string, reason: string): Promise<string> {
    const { config } = this.#options;
    return actLocally(config, this.#clock, { deed, id, reason }, this.#closing.signal);
  }

  exportPack(id: string, folder: string): Promise<string> {
    const { config, version } = this.#options;
    const { app } = this.#opened;
    return exportLocally({ ledger: app.ledger, config, clock: this.#clock, version }, id, folder, this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the view was closed'));
    await this.#opened.app.close();
  }

  /** Reads the lists, unless they are of this log and go on from where they are. */
  async #begin(changed: Changed, signal: AbortSignal): Promise<void> {
    const { app, teller, judging } = this.#opened;
    const { ledger } = app;
    const { position } = this.overview;
    const at = position === null ? null : parseEventId(position);
    const goesOn =
      this.#followed.isRead &&
      at !== null &&
      isOfLog(at, await teller.log()) &&
      reaches(await ledger.feedEnd(), at.position);
    if (goesOn) return;
    const later = this.#options.standingsLater === true;
    this.#followed.replace(await readOverview({ ledger, teller, ...(later ? {} : { judging }) }));
    this.#heard();
    this.#followed.live(changed);
    changed([]);
    if (later) void this.#readStandings(this.#opened, changed, signal);
  }

  async #readStandings(of: Opened, changed: Changed, signal: AbortSignal): Promise<void> {
    const { app, judging } = of;
    const rows = [...this.overview.canaries.values()];
    const isOver = (): boolean => signal.aborted || this.#closing.signal.aborted || this.#opened !== of;
    const found = (row: CanaryRow): boolean => {
      if (isOver()) return false;
      if (takeStandings(this.overview, [row])) changed([]);
      return true;
    };
    try {
      await readStandings({ ledger: app.ledger, judging }, rows, found);
    } catch {
      // The log was closed meanwhile; whatever else is wrong with it is met by whoever follows it.
    }
  }

  /** Takes in what is committed, until the signal aborts or the file is another one. */
  async #followFile(changed: Changed, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#opened.app;
    let version: number | null = null;
    let checked: { at: number; version: number | null } = { at: this.#clock.monotonic(), version };
    while (!signal.aborted) {
      const now = await ledger.dataVersion();
      if (now !== version) await this.#takeAll(changed, signal);
      version = now;
      if (this.#clock.monotonic() - checked.at >= FILE_MS) {
        if (!(await this.#isInPlace(version !== checked.version))) return;
        checked = { at: this.#clock.monotonic(), version };
      }
      this.#heard();
      this.#followed.live(changed);
      await this.#pause(FOLLOW_MS, signal);
    }
  }

  async #takeAll(changed: Changed, signal: AbortSignal): Promise<void> {
    const { app, teller, judging } = this.#opened;
    const turns = new Turns();
    let from = this.#position();
    // Set back to an older copy while it was open.
    if (!reaches(await app.ledger.feedEnd(), from)) throw setBack(this.place);
    while (!signal.aborted) {
      const items = await app.ledger.feed(from, PAGE);
      const last = items.at(-1);
      if (last === undefined) return;
      const events = await teller.events(items, judging);
      const log = await teller.log();
      const told = events.flatMap((event, i): Told[] =>
        event === null ? [] : [{ id: eventId(items[i]!.position, log), name: event.name, data: event.data }],
      );
      this.#followed.take(told, changed);
      // Also past what tells nothing.
      this.overview.position = eventId(last.position, log);
      from = last.position;
      await turns.next();
    }
  }

  #position(): FeedPosition {
    return parseEventId(this.overview.position ?? '0.1')!.position;
  }

  /**
   * Whether what was opened is still the file that its path names, and as that is now: in a folder that this user may not write
   * to, SQLite reads a copy, which never changes.
   * @param hasChanged whether a change was seen since this was asked last
   */
  async #isInPlace(hasChanged: boolean): Promise<boolean> {
    const now = await fileAt(this.place).catch(() => null);
    if (now?.file !== this.#opened.file) return false;
    const isNew = now.written !== this.#opened.written;
    this.#opened.written = now.written;
    return !isNew || hasChanged;
  }

  /** The log may be another one by now, or be readable again. What is there goes on being shown until then. */
  async #reopen(changed: Changed, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const next = await opened(this.#options.config, this.#clock);
        const before = this.#opened;
        this.#opened = next;
        await before.app.close();
        return;
      } catch (error) {
        this.#followed.stale(inWords(error), changed);
        await this.#pause(RETRY_MS, signal);
      }
    }
  }

  #heard(): void {
    this.#followed.connection.heardAt = this.#clock.monotonic();
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, signal).catch(() => undefined);
  }
}

async function opened(config: Config, clock: Clock): Promise<Opened> {
  const before = await fileAt(config.dbPath).catch(() => null);
  const app = await openApp({ config, clock, readOnly: true });
  try {
    const found = before ?? (await fileAt(config.dbPath));
    return { app, teller: new Teller(app.ledger), judging: new Judging(app.ledger), ...found };
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function fileAt(path: string): Promise<Pick<Opened, 'file' | 'written'>> {
  const { dev, ino, mtimeNs } = await stat(path, { bigint: true });
  const log = await stat(`${path}-wal`, { bigint: true }).catch(() => null);
  return { file: `${dev}:${ino}`, written: `${mtimeNs}:${log?.mtimeNs ?? ''}:${log?.size ?? ''}` };
}

function setBack(place: string): LukhasError {
  return new LukhasError('LEDGER_UNAVAILABLE', `${place} was set back to an older copy`);
}

function inWords(error: unknown): string {
  const known = systemError(error);
  if (known instanceof Error) return known.message;
  return String(known);
}
