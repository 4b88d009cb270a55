import { readSelector, readSum } from '../promql/index.js';
import type { Facts, SeriesFact } from './facts.js';
import { fits, type Pick } from './picks.js';
import type { Proposal } from './propose.js';

/** The series that a canary is judged by, of both versions, as far as they were seen. */
export function judgedSeries({ series }: Facts, proposal: Proposal): SeriesFact[] {
  const { requests, errors, latency, arms } = proposal;
  const wanted = [...sum(requests.text), ...sum(errors.text), ...counts(latency.text)];
  const { found } = arms;
  const versions = found === null ? [[]] : [found.canary, ...(found.baseline === null ? [] : [found.baseline])];
  return series.filter(
    (one) =>
      wanted.some(({ name, matchers }) => name === one.name && fits(one, matchers)) &&
      versions.some((matchers) => fits(one, matchers)),
  );
}

function sum(text: string | null): Pick[] {
  const read = text === null ? null : readSum(text);
  return read?.ok ? read.value.map(({ selector }) => selector) : [];
}

/** Of a histogram its number of observations. */
function counts(text: string | null): Pick[] {
  const read = text === null ? null : readSelector(text);
  return read?.ok ? [{ name: `${read.value.name}_count`, matchers: read.value.matchers }] : [];
}
