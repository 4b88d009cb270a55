import type { Deed, Watching } from '../../lib/app/watching/index.js';
import type { Clock } from '../../lib/clock.js';
import { type CanaryRow, type ListedRow, listedRows, stateLook, type Told } from '../../lib/view/index.js';
import { inWords } from './in-words.js';
import type { KeyName } from './keys.js';
import { moved } from './moved.js';
import { DEEDS, type Message, type Page, type Part, type Typing } from './page.js';
import { Records } from './record.js';

export interface SessionOptions {
  watching: Watching;
  clock: Clock;
  /** The canary or job to begin with, and to end with; null: the list. */
  id: string | null;
  /** Folder into which evidence packs are written. */
  exportTo: string;
  /** Ends the view with this exit code once there is one; asked after each change. */
  until?: ((watching: Watching) => number | null) | undefined;
}

/** What is drawn is redrawn no more often than this. */
const REDRAW_MS = 100;
const LONGEST_REASON = 500;
export const EXIT_INTERRUPTED = 130;

/** What a live view shows, and what keys do to it. Knows nothing of terminals: `changed` is called when there is something to draw. */
export class Session {
  page: Page;
  filter = '';
  typing: Typing | null = null;
  message: Message | null = null;
  help = false;
  selected: string | null = null;
  /** First row of the list that was shown; set by whoever draws. */
  first = 0;
  /** Rows that a page has; set by whoever draws. */
  height = 20;
  /** Last top of the open page, Infinity resolved; set by whoever draws. */
  top = 0;
  /** When an event came, ms of the monotonic clock. */
  eventAt: number | null = null;
  exit: number | null = null;
  readonly records: Records;
  #changed: () => void = () => undefined;
  #pending: NodeJS.Timeout | null = null;
  #busy = false;
  readonly #stop = new AbortController();

  constructor(readonly options: SessionOptions) {
    const { watching, clock, id } = options;
    this.page = id === null ? { kind: 'list' } : { kind: 'canary', id, part: 'all', top: 0 };
    this.records = new Records(
      (wanted) => watching.canary(wanted),
      clock,
      () => this.#redraw(),
    );
    if (id !== null) this.records.show(id);
  }

  get watching(): Watching {
    return this.options.watching;
  }

  now(): number {
    return this.options.clock.now();
  }

  monotonic(): number {
    return this.options.clock.monotonic();
  }

  rows(): ListedRow[] {
    return listedRows(this.watching.overview, this.filter);
  }

  onChange(changed: () => void): () => void {
    this.#changed = changed;
    return () => {
      this.#changed = () => undefined;
    };
  }

  /** Follows until `quit`. @throws what ends the following for good */
  async follow(): Promise<void> {
    const { signal } = this.#stop;
    const ticking = this.#tick(signal);
    try {
      await this.watching.follow((events) => this.#told(events), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#stop.abort();
      await ticking;
    }
  }

  quit(exit: number): void {
    this.exit ??= exit;
    this.records.close();
    if (this.#pending !== null) clearTimeout(this.#pending);
    this.#pending = null;
    this.#stop.abort();
  }

  /** Ages and times left change by themselves. */
  async #tick(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await this.options.clock.sleep(1000, signal);
        this.#changed();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #told(events: readonly Told[]): void {
    if (this.exit !== null) return;
    if (events.length > 0) this.eventAt = this.monotonic();
    const { page } = this;
    // Read afresh: everything may be other than it was.
    if (page.kind === 'canary' && (events.length === 0 || events.some(({ data }) => data['canaryId'] === page.id)))
      this.records.refresh();
    if (page.kind === 'canary' && this.watching.overview.jobs.has(page.id)) this.#open({ kind: 'job', id: page.id });
    const exit = this.options.until?.(this.watching) ?? null;
    if (exit !== null) this.quit(exit);
    this.#redraw();
  }

  /** Soon: what comes together is drawn together. */
  #redraw(): void {
    if (this.exit !== null) this.#changed();
    else
      this.#pending ??= setTimeout(() => {
        this.#pending = null;
        this.#changed();
      }, REDRAW_MS);
  }

  key(key: KeyName): void {
    if (key === 'ctrl-c') this.quit(EXIT_INTERRUPTED);
    else if (this.typing !== null) this.#type(this.typing, key);
    else if (this.help) this.help = false;
    else {
      this.message = null;
      this.#command(typeof key === 'string' ? key : key.character);
    }
    this.#changed();
  }

  #command(key: string): void {
    const deed = ACTS[key];
    const part = PARTS[key];
    if (deed !== undefined) this.#ask(deed);
    else if (part !== undefined) this.#showPart(part);
    else if (key === 'q') this.quit(0);
    else if (key === '?') this.help = true;
    else if (key === '/' && this.page.kind === 'list') this.typing = { kind: 'filter', text: this.filter };
    else if (key === 'e') this.#export();
    else if (key === 'escape' || key === 'backspace') this.#back();
    else if (this.page.kind === 'list') this.#move(key);
    else if (this.page.kind === 'canary') this.#scroll(this.page, key);
  }

  #back(): void {
    if (this.page.kind === 'canary' && this.page.part !== 'all') this.page = { ...this.page, part: 'all', top: 0 };
    else if (this.page.kind !== 'list') this.#open({ kind: 'list' });
    else this.filter = '';
  }

  #open(page: Page): void {
    this.page = page;
    this.records.show(page.kind === 'canary' ? page.id : null);
  }

  #showPart(part: Part): void {
    const id = this.#subject();
    if (id === null) return;
    const open = this.page.kind === 'canary' && this.page.part === part;
    this.#open({ kind: 'canary', id, part: open ? 'all' : part, top: 0 });
  }

  /** The canary that keys act on; none is said. */
  #subject(): string | null {
    if (this.page.kind === 'canary') return this.page.id;
    const row = this.page.kind === 'list' ? this.rows()[this.selectedIndex()] : undefined;
    if (row?.kind === 'canary') return row.id;
    this.message = {
      text: row === undefined ? 'No canary is selected.' : 'This is a job, not a canary.',
      tone: 'warn',
    };
    return null;
  }

  /** Where the selected row stands now; rows come and go above it. */
  selectedIndex(rows: readonly ListedRow[] = this.rows()): number {
    const index = rows.findIndex(({ id }) => id === this.selected);
    return Math.max(0, index);
  }

  #move(key: string): void {
    const rows = this.rows();
    const at = this.selectedIndex(rows);
    const row = rows[at];
    if (key === 'enter' && row !== undefined) {
      this.selected = row.id;
      this.#open(
        row.kind === 'canary' ? { kind: 'canary', id: row.id, part: 'all', top: 0 } : { kind: 'job', id: row.id },
      );
      return;
    }
    const to = moved(key, at, { last: rows.length - 1, page: Math.max(1, Math.floor(this.height / 2)) });
    if (to !== null) this.selected = rows[to]?.id ?? null;
  }

  #scroll(page: Extract<Page, { kind: 'canary' }>, key: string): void {
    const to = moved(key, this.top, { last: Number.POSITIVE_INFINITY, page: Math.max(1, this.height - 2) });
    if (to !== null) this.page = { ...page, top: to };
  }

  #ask(deed: Deed): void {
    const id = this.#subject();
    if (id === null) return;
    const state = this.watching.overview.canaries.get(id)?.state;
    if (state !== undefined && ENDED.has(state))
      this.message = { text: `${id} is ${stateLook(state).word}: nothing is left to ${deed}.`, tone: 'warn' };
    else if (this.#busy)
      this.message = { text: 'One thing at a time: the last one is still being done.', tone: 'warn' };
    else this.typing = { kind: 'reason', deed, id, text: '', problem: null };
  }

  #type(typing: Typing, key: KeyName): void {
    if (key === 'escape') this.typing = null;
    else if (key === 'enter') this.#typed(typing);
    else if (key === 'backspace') this.typing = { ...typing, text: [...typing.text].slice(0, -1).join('') };
    else if (key === 'ctrl-u') this.typing = { ...typing, text: '' };
    else if (typeof key === 'object' && typing.text.length < LONGEST_REASON)
      this.typing = { ...typing, text: typing.text + key.character };
    // The list shows at once what is left of it.
    if (this.typing?.kind === 'filter') this.filter = this.typing.text;
    else if (typing.kind === 'filter' && key === 'escape') this.filter = '';
  }

  #typed(typing: Typing): void {
    if (typing.kind === 'filter') {
      this.typing = null;
      return;
    }
    const reason = typing.text.trim();
    if (reason === '') {
      this.typing = { ...typing, problem: 'A reason is needed: it is recorded in the log.' };
      return;
    }
    this.typing = null;
    this.#do(`${DEEDS[typing.deed].doing} ${typing.id}…`, () => this.watching.act(typing.deed, typing.id, reason));
  }

  #export(): void {
    const id = this.#subject();
    if (id === null) return;
    this.#do(
      `exporting ${id}…`,
      async () => `evidence pack: ${await this.watching.exportPack(id, this.options.exportTo)}`,
    );
  }

  /** What fails is said, and the view goes on. */
  #do(doing: string, work: () => Promise<string>): void {
    if (this.#busy) {
      this.message = { text: 'One thing at a time: the last one is still being done.', tone: 'warn' };
      return;
    }
    this.#busy = true;
    this.message = { text: doing, tone: 'active' };
    void work()
      .then(
        (text): Message => ({ text, tone: 'good' }),
        (error: unknown): Message => ({ text: inWords(error), tone: 'bad' }),
      )
      .then((message) => {
        this.#busy = false;
        this.message = message;
        if (this.page.kind === 'canary') this.records.refresh();
        this.#redraw();
      });
  }
}

const ACTS: Readonly<Record<string, Deed>> = { a: 'abort', p: 'promote', y: 'approve', n: 'reject' };
const PARTS: Readonly<Record<string, Part>> = { w: 'why', m: 'math' };

/** What nobody can change any more: no reason is asked for. */
const ENDED: ReadonlySet<CanaryRow['state']> = new Set(['PROMOTED', 'ROLLED_BACK', 'ABORTED', 'FAILED']);
