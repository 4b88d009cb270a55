import { seconds } from '../../lib/explain/index.js';
import { durationSeconds } from '../../lib/input/index.js';
import type { Policy } from '../../lib/judge/index.js';
import { amount } from '../../lib/view/index.js';
import { h, lines, on, replace } from '../dom.js';
import type { Choices } from './choices.js';
import { Field, milliseconds, plainNumber, shareOf } from './field.js';

type Limit = 'latency_p95_ms' | 'max_error_rate' | 'max_drift';

interface Form {
  limit: Limit;
  label: string;
  unit: string;
  example: string;
  read(text: string): number;
}

const FORMS: readonly Form[] = [
  { limit: 'latency_p95_ms', label: '95% of requests within', unit: 'ms', example: '250', read: milliseconds },
  { limit: 'max_error_rate', label: 'Failed requests at most', unit: '', example: '2%', read: shareOf },
  { limit: 'max_drift', label: 'Drift of scores at most', unit: 'PSI', example: '0.15', read: plainNumber },
];

export interface Limits {
  targets: Record<string, number>;
  windowSeconds?: number;
}

/** The part of the form that says by what a canary is judged. */
export class LimitsPart {
  readonly element: HTMLElement;
  readonly fields: readonly Field[];
  readonly window = new Field({ name: 'windowSeconds', label: 'Window', unit: '' });
  readonly #limits = FORMS.map((form) => ({ ...form, field: new Field({ ...form, name: form.limit }) }));
  readonly #text = h('div');

  constructor(
    private readonly choices: Pick<Choices, 'configured' | 'recorded'>,
    private readonly changed: () => void,
  ) {
    const { configured, recorded } = choices;
    this.fields = [...this.#limits.map(({ field }) => field), this.window];
    const select = h(
      'select',
      { id: 'start-policy' },
      h('option', { value: '' }, configured === null ? 'custom limits' : `configured: ${nameOf(configured)}`),
      recorded.map((one) => h('option', { value: one.id }, `as before: ${nameOf(one)} (${one.id.slice(0, 8)})`)),
    );
    on(select, {
      change: () => {
        this.#choose(select.value);
        this.changed();
      },
    });
    this.element = h(
      'fieldset',
      {},
      h('legend', {}, 'Limits'),
      h('div', { class: 'field' }, h('label', { for: 'start-policy' }, 'Policy'), select),
      h(
        'div',
        { class: 'pair' },
        this.fields.map(({ element }) => element),
      ),
      h('details', {}, h('summary', {}, 'The whole policy'), this.#text),
    );
    this.#choose('');
  }

  /** What was written; null where something is wrong, which is said at its field. */
  read(): Limits | null {
    const targets: Record<string, number> = {};
    for (const { limit, field, read, example } of this.#limits) {
      const value = field.number(read, example);
      if (value !== undefined) targets[limit] = value;
    }
    const windowSeconds = this.window.number(durationSeconds, '10m');
    if ([...Object.values(targets), windowSeconds].some(Number.isNaN)) return null;
    return { targets, ...(windowSeconds === undefined ? {} : { windowSeconds }) };
  }

  /** @param id of a recorded policy, whose limits are filled in; empty: none are */
  #choose(id: string): void {
    const { configured, recorded } = this.choices;
    const chosen = recorded.find((one) => one.id === id)?.policy;
    for (const { limit, field, example } of this.#limits) {
      const [own, base] = [chosen?.targets[limit], configured?.policy.targets[limit]];
      field.input.value = own === undefined ? '' : written(limit, own);
      field.hint(
        base === undefined
          ? `e.g. ${example}`
          : `configured: ${written(limit, base)}${field.options.unit === '' ? '' : ` ${field.options.unit}`}; may be lower`,
      );
    }
    this.window.input.value = chosen === undefined ? '' : `${chosen.windowSeconds}s`;
    const base = configured?.policy.windowSeconds;
    this.window.hint(
      base === undefined ? 'e.g. 10m; 5 min when left out' : `configured: ${seconds(base)}; may be longer`,
    );
    const shown = chosen ?? configured?.policy;
    const rest = configured === null ? 'has its default' : 'is as configured';
    replace(
      this.#text,
      chosen !== undefined && h('p', { class: 'quiet' }, `Its limits and window are used; everything else ${rest}.`),
      shown === undefined
        ? h(
            'p',
            { class: 'quiet' },
            'No policy is configured. The limits above apply, with defaults for everything else.',
          )
        : lines(policyText(shown), { class: 'policy', role: 'region', 'aria-label': 'policy' }),
    );
  }
}

/** As it is typed. */
function written(limit: Limit, value: number): string {
  return limit === 'max_error_rate' ? amount(value, 'share') : String(value);
}

function nameOf({ name, policy }: { name: string | null; policy: Policy }): string {
  const { targets } = policy;
  const limits = FORMS.flatMap(({ limit }) => (targets[limit] === undefined ? [] : `${limit} ${targets[limit]}`));
  return name ?? (limits.join(', ') || 'no name');
}

/** One key a line, as in a file. */
function policyText(value: object, indent = ''): string {
  return Object.entries(value)
    .flatMap(([key, inside]) => {
      if (typeof inside !== 'object' || inside === null || Array.isArray(inside))
        return `${indent}${key}: ${JSON.stringify(inside)}`;
      return Object.keys(inside).length === 0 ? [] : [`${indent}${key}:`, policyText(inside, `${indent}  `)];
    })
    .join('\n');
}
