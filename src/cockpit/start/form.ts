import type { Overview } from '../../lib/view/index.js';
import { post, Refused } from '../ask.js';
import { h, on, replace } from '../dom.js';
import type { Choices } from './choices.js';
import { Field, plainNumber } from './field.js';
import { newKey } from './key.js';
import { LimitsPart } from './limits.js';
import { PlanPanel } from './plan.js';

interface Started {
  canaryId: string;
  warnings?: string[];
}

/** Errors that can be overruled, by a box that is offered then. */
const OVERRULES: Readonly<Record<string, 'missing' | 'shared'>> = {
  FIRST_LOOK: 'missing',
  SOURCE_UNREACHABLE: 'missing',
  SHARED_SERIES: 'shared',
};

/** Starts a canary: what, by which limits, and whether the traffic is enough for them. */
export class StartForm {
  readonly element: HTMLElement;
  readonly #model: Field;
  readonly #from: Field;
  readonly #to: Field;
  readonly #limits: LimitsPart;
  readonly #traffic: Field;
  readonly #dryRun = check('dryRun', 'Dry run: check and decide as usual, but call no hook and change no gate');
  readonly #missing = check('allowMissing', 'Start although series or answers are missing: they come later');
  readonly #shared = check('allowSharedSeries', 'Start although an open canary reads the same series (recorded)');
  readonly #problem = h('div', { class: 'bad', role: 'alert' });
  readonly #submit = h('button', { type: 'submit', class: 'main' }, 'Start canary');
  readonly #plan = new PlanPanel(
    (windowSeconds) => {
      const { input } = this.#limits.window;
      input.value = `${windowSeconds / 60}m`;
      input.focus();
      this.#changed();
    },
    (error) => this.#atField(error),
  );
  #key = newKey();
  #asking = false;

  /** @param begun shows the canary that was started, with what was warned of */
  constructor(
    private readonly choices: Choices,
    overview: Overview,
    given: URLSearchParams,
    private readonly begun: (canaryId: string, warnings: readonly string[]) => void,
  ) {
    const [last] = [...overview.canaries.values()].sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
    const gates = choices.gates.map(({ gate }) => gate);
    this.#model = new Field({
      name: 'modelId',
      label: 'Model',
      required: true,
      list: choices.models,
      value: given.get('model') ?? '',
      hint: 'The version to promote. It already serves traffic.',
    });
    this.#from = new Field({
      name: 'fromGate',
      label: 'From gate',
      required: true,
      list: gates,
      value: given.get('from') ?? last?.fromGate ?? '',
      hint: 'Where it serves now, e.g. stage.',
    });
    this.#to = new Field({
      name: 'toGate',
      label: 'To gate',
      required: true,
      list: gates,
      value: given.get('to') ?? last?.toGate ?? '',
    });
    this.#traffic = new Field({
      name: 'requestsPerSecond',
      label: 'Traffic of the canary',
      unit: 'requests/s',
      value: trafficOf(overview),
      hint: 'For the plan only; from the newest canary, if there was one.',
    });
    this.#limits = new LimitsPart(choices, () => this.#changed());
    for (const { element } of [this.#missing, this.#shared]) element.hidden = true;
    this.element = this.#layout();
    this.#changed();
  }

  get #fields(): Field[] {
    return [this.#model, this.#from, this.#to, ...this.#limits.fields, this.#traffic];
  }

  #layout(): HTMLElement {
    const form = h(
      'form',
      { class: 'start', novalidate: true },
      h(
        'fieldset',
        {},
        h('legend', {}, 'What'),
        this.#model.element,
        h('div', { class: 'pair' }, this.#from.element, this.#to.element),
      ),
      this.#limits.element,
      h('fieldset', {}, h('legend', {}, 'Traffic'), this.#traffic.element),
      [this.#dryRun, this.#missing, this.#shared].map(({ element }) => element),
      this.#problem,
      h('p', { class: 'actions' }, this.#submit, h('span', { class: 'quiet' }, this.#consequences())),
    );
    on(form, {
      input: (event) => {
        this.#fields.find(({ input }) => input === event.target)?.problem(null);
        this.#changed();
      },
      submit: (event) => {
        event.preventDefault();
        void this.#start();
      },
    });
    return h('div', { class: 'start-page' }, form, this.#plan.element);
  }

  /** What a verdict brings about here. */
  #consequences(): string {
    const { hooks, configured } = this.choices;
    const required = configured?.policy.approvals?.required ?? 0;
    const people = required === 1 ? ' One person has to approve.' : ` ${required} people have to approve.`;
    return `Hooks: ${hooks.promote} on promotion, ${hooks.rollback} on rollback.${required === 0 ? '' : people}`;
  }

  #changed(): void {
    const { configured, gates } = this.choices;
    const holder = gates.find(({ gate }) => gate === this.#to.text)?.modelId ?? null;
    this.#to.hint(holder === null ? 'Where it should serve, e.g. production.' : `Held by ${holder} now.`);
    this.#label();
    const limits = this.#limits.read();
    const requestsPerSecond = this.#traffic.number(plainNumber, '50');
    if (limits === null || Number.isNaN(requestsPerSecond)) this.#plan.update('A value is not valid: see the form.');
    else if (configured === null && Object.keys(limits.targets).length === 0)
      this.#plan.update('Give at least one limit to see whether the traffic is enough for it.');
    else if (requestsPerSecond === undefined)
      this.#plan.update('Give the traffic of the canary to see how long a verdict takes.');
    else this.#plan.update({ requestsPerSecond, ...limits });
  }

  async #start(): Promise<void> {
    if (this.#asking) return;
    replace(this.#problem);
    for (const field of this.#fields)
      if (field.options.required === true && field.text === '') field.problem('Required.');
    const limits = this.#limits.read();
    const wrong = this.#fields.find(({ input }) => input.ariaInvalid === 'true');
    if (limits === null || wrong !== undefined) {
      wrong?.input.focus();
      return;
    }
    const asked = {
      modelId: this.#model.text,
      fromGate: this.#from.text,
      toGate: this.#to.text,
      ...limits,
      dryRun: this.#dryRun.box.checked,
      allowMissing: this.#missing.box.checked,
      allowSharedSeries: this.#shared.box.checked,
    };
    this.#asking = true;
    this.#label();
    try {
      const headers = { 'Idempotency-Key': this.#key };
      const started = await post<Started>('/api/canary/start', asked, { headers });
      if (started !== null) this.begun(started.canaryId, started.warnings ?? []);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#asking = false;
      this.#label();
    }
  }

  /** Not disabled while it works: it would lose the focus. */
  #label(): void {
    const words = this.#dryRun.box.checked ? 'Start dry run' : 'Start canary';
    this.#submit.textContent = this.#asking ? 'Checking…' : words;
    this.#submit.ariaDisabled = String(this.#asking);
  }

  #failed(error: unknown): void {
    if (!(error instanceof Refused)) {
      replace(this.#problem, h('p', {}, 'The daemon does not answer. Try again: nothing is started twice.'));
      return;
    }
    // What is asked next is something else.
    this.#key = newKey();
    const { reason = '', suggestions = [] } = error.more;
    const overruled = OVERRULES[reason];
    if (overruled === 'missing') this.#missing.element.hidden = false;
    if (overruled === 'shared') this.#shared.element.hidden = false;
    const field = overruled === undefined ? this.#atField(error) : null;
    replace(
      this.#problem,
      h('p', {}, field === null ? `Not started: ${error.message}` : 'Not started: see what is marked above.'),
      h(
        'ul',
        {},
        // What they say of arguments, the box says.
        suggestions.filter((text) => !text.includes('"allow')).map((text) => h('li', {}, text)),
      ),
    );
    field?.input.focus();
  }

  #atField({ message, more }: Refused): Field | null {
    const field = this.#fields.find(({ options }) => options.name === more.field) ?? null;
    field?.problem(message.replace(/^[\w. ]*?(\w+): /, ''));
    return field;
  }
}

function check(name: string, text: string): { element: HTMLElement; box: HTMLInputElement } {
  const box = h('input', { type: 'checkbox', id: `start-${name}` });
  return { box, element: h('p', { class: 'check' }, box, h('label', { for: `start-${name}` }, text)) };
}

/** Requests a second that the newest canary has seen. */
function trafficOf({ canaries }: Overview): string {
  const rates = [...canaries.values()].flatMap(({ glance, createdAt }) => {
    const counted = (glance?.objectives ?? []).filter(({ unit, logE }) => logE !== null && unit !== 'psi');
    const n = Math.max(0, ...counted.map((objective) => objective.n));
    return glance === null || n === 0 || glance.elapsedSeconds <= 0
      ? []
      : [{ at: createdAt ?? 0, rate: n / glance.elapsedSeconds }];
  });
  const newest = rates.sort((a, b) => b.at - a.at)[0];
  return newest === undefined ? '' : String(Number(newest.rate.toPrecision(3)));
}
