import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { type Clock, systemClock } from '../../clock.js';
import { writableOf, writeOutput } from '../../files/index.js';
import type { CanaryState } from '../../ledger/index.js';
import { EventText } from '../../stream/index.js';
import {
  type CanaryEntries,
  type CanaryRecord,
  emptyOverview,
  type Overview,
  type OverviewJson,
  takeStandings,
} from '../../view/index.js';
import { isEntries, isOverview } from './answers.js';
import { type DaemonClient, DaemonError } from './daemon.js';
import { deedLine } from './deeds.js';
import { type Changed, Followed } from './following.js';
import { PACK_FLAG, packPath, packRequest } from './pack.js';
import { Records } from './records.js';
import { Silence } from './silence.js';
import type { Connection, Deed, Watching } from './watching.js';

export interface RemoteOptions {
  daemon: DaemonClient;
  clock?: Clock;
  /** Nothing was heard for so long: the connection is not believed any more. The daemon sends something at least every 15 s. */
  silenceMs?: number;
  /** The first and the longest pause before the next attempt. */
  retryMs?: { first: number; longest: number };
}

const SILENCE_MS = 40_000;
const RETRY_MS = { first: 500, longest: 10_000 };
const ANSWER_MS = 30_000;
/** As old as lists may be that a daemon answers with. */
const LISTS_MS = 1000;
/** A pack is written while it is downloaded. */
const PACK_MS = 600_000;
const STREAM = '/sse?topic=canary/*&topic=jobs&topic=gates';

/** Watches a daemon over HTTP: reads its lists once, then follows its stream, and resumes after every break. */
export class RemoteWatching implements Watching {
  readonly place: string;
  readonly #daemon: DaemonClient;
  readonly #clock: Clock;
  readonly #silenceMs: number;
  readonly #retryMs: { first: number; longest: number };
  readonly #followed = new Followed(emptyOverview());
  readonly #records: Records;
  readonly #closing = new AbortController();
  /** Attempts since the stream was open last. */
  #attempts = 0;
  /** What the daemon wants whoever comes back to wait. */
  #wantedMs: number | null = null;

  constructor({ daemon, clock, silenceMs = SILENCE_MS, retryMs = RETRY_MS }: RemoteOptions) {
    this.#daemon = daemon;
    this.#clock = clock ?? systemClock();
    this.#silenceMs = silenceMs;
    this.#retryMs = retryMs;
    this.place = daemon.place;
    this.#records = new Records(async (id, after) => {
      const text = await daemon.text(`/api/observations?id=${encodeURIComponent(id)}&after=${after}`, this.#soon());
      return text.split('\n').filter((line) => line !== '');
    });
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
        if (!this.#followed.isRead) await this.#readLists(changed, signal);
        await this.#stream(changed, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#failed(error, changed);
      }
      await this.#clock.sleep(this.#pauseMs(), signal).catch(() => undefined);
    }
  }

  async canary(given: string): Promise<CanaryRecord> {
    return this.#records.read(await this.#entries(given));
  }

  async #entries(given: string): Promise<CanaryEntries> {
    const answer = await this.#daemon.json<unknown>(`/api/canary?id=${encodeURIComponent(given)}`, this.#soon());
    if (!isEntries(answer)) throw this.#daemon.notOurs('these are not entries of a canary');
    return answer;
  }

  async #lists(signal: AbortSignal): Promise<OverviewJson> {
    const answer = await this.#daemon.json<unknown>('/api/overview', AbortSignal.any([signal, this.#soon()]));
    if (!isOverview(answer)) throw this.#daemon.notOurs('these are not lists of canaries');
    return answer;
  }

  async act(deed: Deed, id: string, reason: string): Promise<string> {
    const done = await this.#daemon.post<{ canaryId: string; status: CanaryState }>(
      `/api/canary/${deed}`,
      { id, reason },
      this.#soon(),
    );
    return deedLine(deed, { id: done.canaryId, state: done.status });
  }

  async exportPack(given: string, folder: string): Promise<string> {
    const { packOutput, notWritten } = await import('../evidence/export.js');
    const { id, events } = await this.#entries(given);
    const { from, models } = packRequest(id, events[0]);
    const query = new URLSearchParams({ from });
    for (const model of models) query.append('model', model);
    const path = packPath(folder, id);
    const signal = this.#within(PACK_MS);
    const response = await this.#daemon.open(`/evidence/export?${query}`, signal);
    await writeOutput(
      packOutput(path, { flag: PACK_FLAG }),
      this.#clock.now(),
      (file) => pipeline(Readable.fromWeb(response.body as WebStream), writableOf(file), { signal }),
      notWritten,
    );
    return path;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the view was closed'));
  }

  async #readLists(changed: Changed, signal: AbortSignal): Promise<void> {
    this.#followed.replace(await this.#lists(signal));
    this.#heard();
    changed([]);
  }

  /** Ends with an error when the stream does, unless the signal has aborted. */
  async #stream(changed: Changed, signal: AbortSignal): Promise<void> {
    const silence = new Silence(this.#clock, this.#silenceMs);
    let isResumed = this.connection.state === 'stale';
    const either = AbortSignal.any([signal, silence.signal]);
    try {
      const { position } = this.overview;
      const response = await this.#daemon.open(STREAM, either, position === null ? {} : { 'Last-Event-ID': position });
      const text = new EventText();
      const pieces = response.body!.pipeThrough(new TextDecoderStream());
      for await (const piece of pieces) {
        silence.heard();
        this.#heard();
        if (!this.#take(text, piece, changed)) return;
        if (!isResumed || this.connection.state !== 'live') continue;
        isResumed = false;
        void this.#takeStandings(changed, either);
      }
      throw new DaemonError('DAEMON_UNREACHABLE', `${this.place}: ended the stream`, false);
    } catch (error) {
      throw either.aborted ? this.#daemon.brokenOff(either.reason) : this.#daemon.brokenOff(error);
    } finally {
      silence.end();
    }
  }

  /** After a break: of checks of meanwhile the stream tells the numbers, not how they left their canary. */
  async #takeStandings(changed: Changed, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(LISTS_MS, signal);
      const lists = await this.#lists(signal);
      if (takeStandings(this.overview, lists.canaries)) changed([]);
    } catch {
      // The next check says it.
    }
  }

  /** @returns whether the stream goes on from what was read; else the lists have to be read afresh */
  #take(text: EventText, piece: string, changed: Changed): boolean {
    const events = text.push(piece);
    this.#wantedMs = text.retryMs ?? this.#wantedMs;
    const open = events.find(({ name }) => name === 'open');
    if (open !== undefined) {
      this.#attempts = 0;
      // Another log, or one that was set back: what is shown is not its story.
      if (open.data['resumed'] === false) {
        this.#followed.isRead = false;
        return false;
      }
      this.#followed.live(changed);
    }
    this.#followed.take(
      events.filter((event) => event !== open),
      changed,
    );
    return true;
  }

  /** @throws what asking again does not change: a key that is refused; and anything at all before something was read */
  #failed(error: unknown, changed: Changed): void {
    const { message } = error as Error;
    const isFinal = error instanceof DaemonError && error.isFinal;
    if (isFinal) this.#followed.refused(message, changed);
    else this.#followed.stale(message, changed);
    if (isFinal || this.#followed.connection.heardAt === null) throw error;
    if (error instanceof DaemonError && error.retryMs !== null) this.#wantedMs = error.retryMs;
  }

  /** Random, so that many do not come back in the same moment. */
  #pauseMs(): number {
    const { first, longest } = this.#retryMs;
    const wanted = this.#wantedMs ?? first;
    this.#wantedMs = null;
    const pause = Math.min(longest, Math.max(first, wanted) * 2 ** this.#attempts++);
    return pause * (0.5 + Math.random() / 2);
  }

  #heard(): void {
    this.#followed.connection.heardAt = this.#clock.monotonic();
  }

  #soon(): AbortSignal {
    return this.#within(ANSWER_MS);
  }

  #within(ms: number): AbortSignal {
    return AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ms)]);
  }
}
