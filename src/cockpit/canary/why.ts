import { bucketText, formulaText, odds, queriesOf } from '../../lib/explain/index.js';
import { amount, type CanaryView, type ObjectiveView } from '../../lib/view/index.js';
import { button, facts, h, lines, on } from '../dom.js';
import { narrated } from '../narrated.js';
import { Slot } from '../slot.js';
import { table } from '../table.js';

/** The reasons of a canary beside its page: the story in words, then the numbers with what they are computed from. */
export class WhyDrawer {
  readonly #content = new Slot();
  readonly #dialog: HTMLDialogElement;

  /** @param closed the drawer was closed; the focus is where it was before */
  constructor(closed: () => void) {
    this.#dialog = on(
      h(
        'dialog',
        { class: 'drawer', 'aria-labelledby': 'why-title' },
        h(
          'p',
          { class: 'drawer-head' },
          h('strong', { id: 'why-title' }, 'Why'),
          button('Close', () => this.#dialog.close()),
        ),
        this.#content.element,
      ),
      {
        close: () => {
          this.#dialog.remove();
          closed();
        },
      },
    );
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  open(view: CanaryView): void {
    if (this.isOpen) return;
    this.#draw(view);
    document.body.append(this.#dialog);
    // Modal: the browser keeps the focus inside, closes on Escape, and gives the focus back.
    this.#dialog.showModal();
  }

  update(view: CanaryView): void {
    if (this.isOpen) this.#draw(view);
  }

  leave(): void {
    this.#dialog.remove();
  }

  #draw(view: CanaryView): void {
    const { narrative, math, objectives, facts: story } = view;
    const { source } = story.requested.data;
    this.#content.draw(
      h('h2', {}, narrative.title),
      narrated(narrative),
      h('h2', {}, 'The numbers'),
      objectives.map((objective) => numbers(objective, source)),
      table(
        'questions of the judge',
        ['Question', 'Value', 'Limit', 'Answer'],
        math.logic.map(({ question, value, limit, answer }) => [
          question,
          short(value),
          short(limit),
          answer ? 'yes' : 'no',
        ]),
      ),
      math.check !== null && h('p', {}, math.check.says),
      h(
        'details',
        {},
        h('summary', {}, 'Everything as JSON'),
        lines(JSON.stringify(math, null, 2), { class: 'json', role: 'region', 'aria-label': 'all numbers' }),
      ),
    );
  }
}

function numbers({ report: o, cell }: ObjectiveView, source: Record<string, unknown>): HTMLElement {
  const counted = o.type === 'reading' ? null : o;
  return h(
    'section',
    { class: `card ${cell.tone}` },
    h('h3', {}, `${cell.mark} ${cell.name}`),
    facts([
      ['Value', cell.value ?? cell.missing],
      ['Limit', cell.limit],
      ['Formula', formulaText(o)],
      ...queriesOf(o, source).map(([name, query]) => [`Query: ${name}`, h('code', {}, query)] as const),
      ['Buckets', o.type === 'rate' ? bucketText(o) : null],
      ['Bounds', boundsText(o)],
      ['Evidence against it', counted && odds(counted.rollback.logE)],
      ['Design effect', counted && `${short(counted.design.effect)} (${counted.design.from})`],
    ]),
  );
}

/** Where the value is, with the promised error. */
export function boundsText(report: ObjectiveView['report']): string | null {
  if (report.type === 'reading' || report.bounds === null || (report.type === 'rate' && report.relative)) return null;
  const { lower, upper } = report.bounds;
  if (report.type === 'drift') return `${amount(lower, 'psi')} to ${amount(upper, 'psi')}`;
  const what = report.signal === 'errors' ? '' : ' above the limit';
  return `${amount(lower, 'share')} to ${amount(upper, 'share')}${what}`;
}

function short(value: number | null): string {
  return value === null ? '' : String(Number(value.toPrecision(4)));
}
