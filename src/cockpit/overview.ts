import { moment } from '../lib/explain/index.js';
import {
  type CanaryRow,
  fragmentOf,
  isOpenRow,
  jobLook,
  listed,
  listedGates,
  listedJobs,
  type Overview,
  sourceHealth,
  timeLeft,
} from '../lib/view/index.js';
import { h, on, replace } from './dom.js';
import { type Filter, filterForm } from './filter.js';
import { badge, evidenceBar, objectiveCell, stateBadge } from './marks.js';
import { Slot } from './slot.js';
import { table } from './table.js';

/** Rows that are drawn at first, soon after that, and more of them at a time. */
const FIRST = 20;
const PAGE = 60;
/** Each row beyond the window is drawn at one of so many updates. */
const TURNS = 4;
const HEAD = ['State', 'Model', 'Gates', 'Time', 'Objectives', 'Evidence against it', 'Source'];

/** The overview: a table of canaries, patched row by row, then gates and jobs. */
export class OverviewPage {
  readonly element: HTMLElement;
  readonly #body = h('tbody');
  readonly #gates = new Slot();
  readonly #jobs = new Slot();
  readonly #count = h('p', { class: 'quiet', role: 'status' });
  readonly #more = on(h('button', { type: 'button', hidden: true }, 'Show more'), { click: () => this.#showMore() });
  readonly #drawn = new Map<string, { row: CanaryRow; element: HTMLTableRowElement }>();
  readonly #some: HTMLElement;
  readonly #none: HTMLElement;
  /** Null: not known yet. */
  #isEmpty: boolean | null = null;
  #shown = FIRST;
  #order: string[] = [];
  #turn = 0;
  readonly #inSight = new Set<Element>();
  readonly #sight = new IntersectionObserver(
    (seen) => {
      for (const { target, isIntersecting } of seen)
        if (isIntersecting) this.#inSight.add(target);
        else this.#inSight.delete(target);
      this.update();
    },
    { rootMargin: '200px' },
  );

  constructor(
    private readonly overview: () => Overview,
    private readonly now: () => number,
    private filter: Filter,
    private readonly changed: (filter: Filter) => void,
  ) {
    const head = HEAD.map((text) => h('th', { scope: 'col' }, text));
    this.#some = h(
      'div',
      { hidden: true },
      filterForm(filter, (chosen) => {
        this.filter = chosen;
        this.#shown = PAGE;
        this.changed(chosen);
        this.update();
      }),
      this.#count,
      h(
        'div',
        { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Canaries' },
        h('table', { class: 'canaries' }, h('thead', {}, h('tr', {}, head)), this.#body),
      ),
      this.#more,
    );
    this.#none = h('div', { class: 'empty' }, h('p', { role: 'status' }, 'Loading…'));
    this.element = h(
      'div',
      {},
      h('h1', {}, 'Canaries'),
      this.#none,
      this.#some,
      h('h2', {}, 'Gates'),
      this.#gates.element,
      h('h2', {}, 'Jobs'),
      this.#jobs.element,
    );
    this.update();
  }

  /** Draws what has changed. @param clock draws only what changes with time */
  update(clock = false): void {
    const overview = this.overview();
    // Not read yet: that it is empty is not known.
    if (overview.position === null) return;
    this.#tellWhetherEmpty(overview.canaries.size === 0);
    const { q, state, sort } = this.filter;
    const all = listed(overview, { search: q, states: state === '' ? [] : [state], sort });
    const rows = all.slice(0, this.#shown);
    // Rows that nobody sees are drawn too, for whoever searches or listens, but in turns.
    this.#turn = (this.#turn + 1) % TURNS;
    for (const [i, row] of rows.entries()) if (i % TURNS === this.#turn || this.#isUrgent(row)) this.#draw(row, clock);
    const order = rows.map(({ id }) => id);
    if (order.length !== this.#order.length || order.some((id, i) => id !== this.#order[i])) this.#arrange(order);
    this.#more.hidden = all.length <= this.#shown;
    if (this.#shown === FIRST && all.length > FIRST) this.#showMore(PAGE);
    this.#tellCount(all.length, overview);
    if (clock) return;
    this.#drawGates(overview);
    this.#drawJobs(overview);
  }

  heard(): void {
    this.update();
  }

  tick(): void {
    this.update(true);
  }

  #tellWhetherEmpty(isEmpty: boolean): void {
    if (this.#isEmpty === isEmpty) return;
    this.#isEmpty = isEmpty;
    this.#some.hidden = isEmpty;
    this.#none.hidden = !isEmpty;
    replace(
      this.#none,
      h('p', {}, h('strong', {}, 'No canary yet.')),
      h('p', {}, 'A canary watches a new version beside the one that serves, and promotes it or rolls it back.'),
      h(
        'p',
        { class: 'actions' },
        h('a', { class: 'button', href: '#/start' }, 'Start a canary'),
        h('span', { class: 'quiet' }, 'or in a terminal: ', h('code', {}, 'lukhas canary start')),
      ),
    );
  }

  #tellCount(found: number, { canaries, older, warning }: Overview): void {
    const { q, state } = this.filter;
    const narrowed = q !== '' || state !== '';
    const text = `${found} ${found === 1 ? 'canary' : 'canaries'}${narrowed ? ` of ${canaries.size}` : ''}${
      older.canaries > 0 ? `; ${older.canaries} older ones are not listed` : ''
    }${warning === null ? '' : `. ${warning}`}`;
    if (this.#count.textContent !== text) this.#count.textContent = text;
  }

  #isUrgent(row: CanaryRow): boolean {
    const drawn = this.#drawn.get(row.id);
    return drawn === undefined || drawn.row.state !== row.state || this.#inSight.has(drawn.element);
  }

  #draw(row: CanaryRow, clock: boolean): void {
    const drawn = this.#drawn.get(row.id);
    if (drawn?.row === row && !(clock && isOpenRow(row))) return;
    const element = drawn?.element ?? h('tr', { 'data-id': row.id });
    if (drawn === undefined) this.#sight.observe(element);
    if (drawn?.row === row) {
      element.cells[3]!.textContent = timeLeft(row, this.now());
      element.cells[6]!.textContent = sourceHealth(row, this.now()).text;
      return;
    }
    this.#drawn.set(row.id, { row, element });
    const health = sourceHealth(row, this.now());
    const focused = element.contains(document.activeElement);
    replace(
      element,
      h('td', {}, stateBadge(row), row.dryRun && h('span', { class: 'quiet' }, ' dry run')),
      h(
        'th',
        { scope: 'row' },
        h('a', { href: fragmentOf({ kind: 'canary', name: row.id }) }, row.modelId),
        h('span', { class: 'quiet id' }, row.id),
      ),
      h('td', {}, `${row.fromGate} → ${row.toGate}`),
      h('td', { class: 'time' }, timeLeft(row, this.now())),
      h(
        'td',
        {},
        (row.glance?.objectives ?? []).map((_, i) => objectiveCell(row, i)),
      ),
      h('td', {}, evidenceBar(row)),
      h('td', { class: health.tone }, health.text),
    );
    if (focused) element.querySelector('a')?.focus();
  }

  #arrange(order: string[]): void {
    this.#order = order;
    const wanted = new Set(order);
    for (const [id, { element }] of this.#drawn) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#sight.unobserve(element);
      this.#inSight.delete(element);
      this.#drawn.delete(id);
    }
    let before: Element | null = this.#body.firstElementChild;
    for (const id of order) {
      const { element } = this.#drawn.get(id)!;
      if (element === before) before = before.nextElementSibling;
      else this.#body.insertBefore(element, before);
    }
  }

  #showMore(to = this.#shown + PAGE): void {
    setTimeout(() => {
      this.#shown = Math.max(this.#shown, to);
      this.update();
    });
  }

  #drawGates(overview: Overview): void {
    const gates = listedGates(overview);
    if (gates.length === 0) {
      this.#gates.draw(h('p', { class: 'quiet' }, 'No model holds a gate yet.'));
      return;
    }
    const head = ['Gate', 'Model', 'Since', 'By', 'Canary'];
    this.#gates.draw(
      table(
        'Gates',
        head,
        gates.map(({ gate, modelId, since, by, canaryId }) => [
          h('a', { href: fragmentOf({ kind: 'gate', name: gate }) }, gate),
          modelId,
          moment(since),
          by,
          canaryId === null ? 'none' : h('a', { href: fragmentOf({ kind: 'canary', name: canaryId }) }, canaryId),
        ]),
      ),
    );
  }

  #drawJobs(overview: Overview): void {
    const jobs = listedJobs(overview).slice(0, PAGE);
    if (jobs.length === 0) {
      this.#jobs.draw(h('p', { class: 'quiet' }, 'No job yet.'));
      return;
    }
    this.#jobs.draw(
      table(
        'Jobs',
        ['State', 'Task', 'Job', 'Updated', 'Message'],
        jobs.map(({ id, taskId, state, updatedAt, message }) => [
          badge(jobLook(state)),
          taskId,
          h('a', { href: fragmentOf({ kind: 'job', name: id }) }, id),
          moment(updatedAt),
          message ?? '',
        ]),
      ),
    );
  }
}
