import type { Observation, Policy } from '../lib/judge/index.js';
import { flipSteps, type Outcome, outcomeSteps } from '../lib/replay/index.js';
import { amount } from '../lib/view/index.js';
import { breathe, inSlices } from './breathe.js';
import { h, on, replace } from './dom.js';

/** A target that a slider moves. */
interface Knob {
  path: string;
  name: string;
  value: number;
  values: number[];
  unit: 'ms' | 'share' | 'psi';
}

const STEPS = 40;

/**
 * Sliders that judge this canary again under other targets, here, by the judge of the library. Where the outcome changes is
 * searched for as `lukhas replay --sweep` does it, with the same code.
 * @param recorded the checks of the canary as of now
 */
export function whatIf(policy: Policy, startedAt: number, recorded: () => readonly Observation[]): HTMLElement {
  const knobs = knobsOf(policy);
  const judgedNow = (): Judged => ({ own: policy, startedAt, askedByOwn: true, observations: recorded() });
  const result = h('p', { class: 'answer', role: 'status' });
  let changed: Policy = policy;
  const tell = async (): Promise<void> => {
    const wanted = changed;
    const judged = judgedNow();
    const outcomeOf = (other: Policy) =>
      inSlices(outcomeSteps(other, judged, judged.observations), () => changed === wanted);
    const own = await outcomeOf(policy);
    const outcome = own && (await outcomeOf(wanted));
    if (own === null || outcome === null) return;
    replace(
      result,
      outcome === own
        ? `Decides the same: ${words(own)}.`
        : `Decides otherwise: ${words(outcome)} instead of ${words(own)}.`,
    );
    result.classList.toggle('flipped', outcome !== own);
  };
  void tell();
  return h(
    'section',
    { class: 'what-if' },
    h('h2', {}, 'What if'),
    h(
      'p',
      { class: 'quiet' },
      'Judges the recorded checks of this canary again, in this page, under other targets. Nothing is changed or recorded.',
    ),
    knobs.map((knob) =>
      slider(knob, judgedNow, policy, (value) => {
        changed = withTarget(changed, knob.path, value);
        void tell();
      }),
    ),
    result,
  );
}

function knobsOf({ targets }: Policy): Knob[] {
  return Object.entries(targets).flatMap(([name, value]): Knob[] => {
    if (typeof value !== 'number' || name === 'max_unavailable') return [];
    const unit = name.endsWith('_ms') ? 'ms' : name === 'max_drift' ? 'psi' : 'share';
    const most = unit === 'share' ? Math.min(1, value * 4) : value * 4;
    const values = Array.from({ length: STEPS }, (_, i) => Number((((i + 1) * most) / STEPS).toPrecision(6)));
    return [
      { path: `targets.${name}`, name, value, values: [...new Set([...values, value])].sort((a, b) => a - b), unit },
    ];
  });
}

type Judged = Parameters<typeof flipSteps>[2];

function slider(knob: Knob, judgedNow: () => Judged, policy: Policy, moved: (value: number) => void): HTMLElement {
  const { name, path, value, values, unit } = knob;
  const id = `what-if-${name}`;
  const output = h('output', { for: id }, amount(value, unit));
  const marks = h('datalist', { id: `${id}-flips` });
  const flips = h('p', { class: 'quiet' });
  const input = h('input', {
    id,
    type: 'range',
    min: 0,
    max: values.length - 1,
    step: 1,
    value: values.indexOf(value),
    list: `${id}-flips`,
    'aria-describedby': `${id}-text`,
  });
  flips.id = `${id}-text`;
  on(input, {
    input: () => {
      const chosen = values[Number(input.value)]!;
      output.textContent = amount(chosen, unit);
      moved(chosen);
    },
  });
  const find = h('button', { type: 'button' }, 'Find where it flips');
  const search = async (): Promise<void> => {
    const judged = judgedNow();
    const policyAt = (target: number) => withTarget(policy, path, target);
    const outcomes: Outcome[] = [];
    for (const target of values) {
      const outcome = await inSlices(outcomeSteps(policyAt(target), judged, judged.observations));
      if (outcome !== null) outcomes.push(outcome);
      await breathe();
    }
    const found = (await inSlices(flipSteps({ path, values }, outcomes, judged, policyAt))) ?? [];
    replace(
      marks,
      found.map(({ above }) => h('option', { value: values.findIndex((v) => v >= above) })),
    );
    replace(
      flips,
      found.length === 0
        ? 'The outcome is the same at every value of this slider.'
        : found.map(({ below, above, from, to }) =>
            h(
              'span',
              { class: 'flip', 'data-below': below, 'data-above': above },
              `${words(from)} up to ${below}, ${words(to)} from ${above}. `,
            ),
          ),
    );
    find.removeAttribute('aria-busy');
  };
  on(find, {
    click: () => {
      if (find.ariaBusy === 'true') return;
      find.ariaBusy = 'true';
      flips.textContent = 'Judging…';
      void search();
    },
  });
  return h('div', { class: 'knob' }, h('label', { for: id }, name), input, marks, output, find, flips);
}

function withTarget(policy: Policy, path: string, value: number): Policy {
  return { ...policy, targets: { ...policy.targets, [path.slice('targets.'.length)]: value } };
}

function words(outcome: Outcome): string {
  return outcome === 'insufficient' ? 'not decided by these checks' : outcome;
}
