import { setTimeout as wait } from 'node:timers/promises';
import { LukhasError } from '../../errors.js';
import type { Missing } from '../../judge/index.js';
import { httpCredentials } from '../credentials.js';
import { type FetchedPage, Pages } from '../pages/index.js';
import type { SourceAuth } from '../source.js';
import { type Facts, type Look, risen } from './facts.js';

export interface PagesInput {
  /** The page of the canary, or the only one; then that of the baseline. */
  urls: readonly string[];
  auth: SourceAuth;
  timeoutMs: number;
  /** Time between the two readings, ms; 0: one reading, and no traffic is known. */
  measureMs: number;
  now: () => number;
  signal?: AbortSignal;
}

type PageLook = Look & Pick<Facts, 'types' | 'units'>;

/** Reads each page twice. @throws LukhasError SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_INVALID */
export async function pagesFacts({ urls, auth, timeoutMs, measureMs, now, signal }: PagesInput): Promise<Facts> {
  const pages = new Pages({ wanted: 'all', timeoutMs, credentials: httpCredentials(auth) });
  const read = async (): Promise<PageLook[]> => {
    const fetched = await pages.fetch(urls, signal);
    const at = now();
    return urls.map((url) => look(fetched.get(url)!, at));
  };
  const before = await read();
  if (measureMs > 0) await wait(measureMs, undefined, signal ? { signal } : {});
  const after = measureMs > 0 ? await read() : before;
  const merged = (of: 'types' | 'units') => new Map(after.flatMap((one) => [...one[of]]));
  return {
    series: after.flatMap((one, page) => risen(page, measureMs > 0 ? before[page]! : null, one)),
    types: merged('types'),
    units: merged('units'),
    seconds: measureMs > 0 ? (after[0]!.at - before[0]!.at) / 1000 : null,
    scrapeSeconds: null,
  };
}

/** All processes behind an address as one page. */
function look(pages: readonly FetchedPage[], at: number): PageLook {
  for (const { target } of pages) if (target.state.state !== 'ok') throw unread(target.state);
  const facts = (of: 'types' | 'units') => new Map(pages.flatMap((page) => [...(page.facts?.[of] ?? [])]));
  const samples = pages.flatMap(({ target }, i) =>
    pages.length === 1
      ? target.samples
      : target.samples.map((one) => ({ ...one, labels: { ...one.labels, __page: String(i) } })),
  );
  if (samples.length === 0)
    throw unread({ state: 'invalid', detail: `${pages[0]?.target.id ?? 'the page'}: holds no metrics` });
  return { at, samples, types: facts('types'), units: facts('units') };
}

function unread({ state, detail = state }: Missing): LukhasError {
  if (state === 'refused')
    return new LukhasError('SOURCE_REFUSED', detail, {
      suggestions: [
        'Name the variables that hold the credentials in a file, under source: bearerEnv: METRICS_TOKEN, and pass it with --config.',
      ],
    });
  if (state === 'unreachable')
    return new LukhasError('SOURCE_UNREACHABLE', detail, {
      suggestions: ['Is the service running, and the address right?'],
    });
  return new LukhasError('SOURCE_INVALID', detail, {
    suggestions: [
      'Give the address of a metrics page in the text format of Prometheus, e.g. http://127.0.0.1:8080/metrics; for a Prometheus use --prom-url.',
    ],
  });
}
