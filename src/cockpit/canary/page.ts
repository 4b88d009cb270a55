import {
  type CanaryFold,
  type CanaryView,
  canaryView,
  foldOf,
  fragmentOf,
  subjectAt,
  timeLeft,
} from '../../lib/view/index.js';
import { type Fetched, fetchCanary } from '../ask.js';
import { breathe } from '../breathe.js';
import { EvidenceFigure, SeriesFigure } from '../chart.js';
import { button, h, replace } from '../dom.js';
import { failure } from '../failure.js';
import { Latest } from '../latest.js';
import type { Page } from '../page.js';
import { Slot } from '../slot.js';
import { whatIf } from '../what-if.js';
import { SECTIONS, type SectionName } from './sections.js';
import { WhyDrawer } from './why.js';

/** One canary: what it is, how sure, how long still; then everything else. Each check is judged once, and draws what it changes. */
export class CanaryPage implements Page {
  readonly element = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  readonly #slots = new Map<SectionName, Slot>();
  readonly #drawer: WhyDrawer;
  readonly #evidence = new EvidenceFigure();
  readonly #series = new Map<string, SeriesFigure>();
  readonly #figures = h('div', {});
  readonly #time = h('span', { class: 'time' });
  readonly #whatIf = h('div', {});
  /** Of which decision what-if asks; it is made anew with the decision alone, so that no slider is taken away from whoever moves it. */
  #asked: number | null | undefined;
  #fetched: Fetched | null = null;
  #fold: CanaryFold | null = null;
  #view: CanaryView | null = null;
  /** The drawer opens with the first view where the address says so. */
  #wantsWhy: boolean;
  readonly #reading = new Latest(
    () => this.#read(),
    () => undefined,
    (error) => replace(this.element, ...failure(error)),
  );

  constructor(
    subject: { name: string; why?: boolean },
    private readonly now: () => number,
    private readonly actions: (view: CanaryView) => HTMLElement | null,
  ) {
    this.id = subject.name;
    this.#wantsWhy = subject.why === true;
    this.#drawer = new WhyDrawer(() => this.#address(false));
    this.#reading.again();
  }

  readonly id: string;

  heard(ids: ReadonlySet<string>): void {
    if (ids.size === 0 || ids.has(this.#view?.canary.id ?? this.id)) this.#reading.again();
  }

  /** What changes with time alone. */
  tick(): void {
    if (this.#view !== null) this.#time.textContent = timeLeft(this.#view.row, this.now());
  }

  leave(): void {
    this.#drawer.leave();
  }

  async #read(): Promise<void> {
    const fetched = await fetchCanary(this.id, this.#fetched);
    this.#fetched = fetched;
    this.#fold ??= foldOf(fetched.record);
    const { observations } = fetched.record;
    for (let i = this.#fold?.size ?? 0; this.#fold !== null && i < observations.length && !this.#fold.isDecided; i++) {
      this.#fold.take(observations[i]!);
      await breathe();
    }
    const judged = observations.length === 0 ? undefined : this.#fold?.verdict();
    const view = canaryView(fetched.record, judged);
    if (view === null) return;
    await this.#draw(view, fetched);
  }

  async #draw(view: CanaryView, fetched: Fetched): Promise<void> {
    const first = this.#view === null;
    this.#view = view;
    if (first) replace(this.element, this.#layout());
    const { observations } = fetched.record;
    this.tick();
    for (const [name, slot] of this.#slots) {
      slot.draw(...SECTIONS[name](view, fetched, this.actions));
      await breathe();
    }
    await this.#drawFigures(view);
    this.#drawer.update(view);
    const { canary, row } = view;
    if (canary.startedAt !== null && observations.length > 1 && this.#asked !== row.decidedAt) {
      this.#asked = row.decidedAt;
      replace(
        this.#whatIf,
        whatIf(canary.policy, canary.startedAt, () => this.#fetched?.record.observations ?? []),
      );
    }
    if (this.#wantsWhy) this.#openWhy();
  }

  #layout(): HTMLElement[] {
    const slot = (name: SectionName): HTMLElement => {
      const made = new Slot();
      this.#slots.set(name, made);
      return made.element;
    };
    return [
      slot('title'),
      h('p', { class: 'top' }, slot('state'), ' ', this.#time, ' ', slot('sure')),
      slot('intact'),
      slot('summary'),
      h(
        'p',
        { class: 'actions' },
        button('Why', () => this.#openWhy(), { 'data-key': 'w' }),
      ),
      slot('actions'),
      slot('objectives'),
      this.#figures,
      this.#whatIf,
      slot('gate'),
      slot('hooks'),
      slot('approvals'),
      slot('recorded'),
    ];
  }

  async #drawFigures(view: CanaryView): Promise<void> {
    const course = this.#fold?.course();
    if (course === undefined || course.evidence.length === 0) return;
    const { canary, row, markers } = view;
    const frame = {
      from: canary.startedAt ?? row.createdAt ?? 0,
      to: Math.max(row.endsAt ?? 0, course.evidence.at(-1)!.t),
    };
    if (!this.#evidence.element.isConnected) replace(this.#figures, h('h2', {}, 'Over time'), this.#evidence.element);
    this.#evidence.update(course, markers, frame);
    for (const series of course.series) {
      await breathe();
      const known = this.#series.get(series.name);
      const figure = known ?? new SeriesFigure(series);
      if (known === undefined) {
        this.#series.set(series.name, figure);
        this.#figures.append(figure.element);
      }
      figure.update(series, markers, frame);
    }
  }

  #openWhy(): void {
    if (this.#view === null) return;
    this.#wantsWhy = false;
    this.#drawer.open(this.#view);
    this.#address(true);
  }

  /** The address says whether the drawer is open, so that a link opens it. */
  #address(why: boolean): void {
    if (subjectAt(location.hash)?.kind !== 'canary') return;
    const subject = { kind: 'canary', name: this.id, ...(why ? { why } : {}) } as const;
    history.replaceState(null, '', fragmentOf(subject));
  }
}
