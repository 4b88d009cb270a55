import type { CanaryEntries, OverviewJson } from '../../view/index.js';

type Fields = Readonly<Record<string, (value: unknown) => boolean>>;

const text = (value: unknown): boolean => typeof value === 'string';
const number = (value: unknown): boolean => typeof value === 'number';
const orNull =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || is(value);
const listOf =
  (fields: Fields) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every((one) => has(one, fields));
const numbers = (value: unknown): boolean => Array.isArray(value) && value.every(orNull(number));
const trail = (value: unknown): boolean => has(value, {}) && Object.values(value as object).every(numbers);

const GLANCE: Fields = {
  tick: number,
  logE: orNull(number),
  logThreshold: orNull(number),
  objectives: listOf({ name: text, unit: text, limit: orNull(number), value: orNull(number), logE: orNull(number) }),
};
const TIMES: Fields = { createdAt: orNull(number), updatedAt: number, seq: number };
const CANARY: Fields = {
  ...TIMES,
  id: text,
  modelId: text,
  fromGate: text,
  toGate: text,
  state: text,
  windowSeconds: orNull(number),
  glance: orNull((value) => has(value, GLANCE)),
  trail,
};
const OVERVIEW: Fields = {
  position: orNull(text),
  canaries: listOf(CANARY),
  jobs: listOf({ ...TIMES, id: text, taskId: text, state: text }),
  gates: listOf({ gate: text, modelId: text, by: text, since: number }),
  older: (value) => has(value, { canaries: number, jobs: number }),
  warning: orNull(text),
};
const ENTRIES: Fields = {
  // It becomes part of the name of a file.
  id: (value) => typeof value === 'string' && /^[\w-]+$/.test(value),
  position: text,
  events: listOf({ kind: text, ts: text, data: (value) => has(value, {}) }),
  gate: Array.isArray,
  policyDigest: text,
};

/** Whether an answer has what is drawn from it: another program may answer at that address. */
export function isOverview(answer: unknown): answer is OverviewJson {
  return has(answer, OVERVIEW);
}

/** Whether these are entries of a canary. */
export function isEntries(answer: unknown): answer is CanaryEntries {
  return has(answer, ENTRIES);
}

function has(value: unknown, fields: Fields): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([name, is]) => is((value as Record<string, unknown>)[name]))
  );
}
