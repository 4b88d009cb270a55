import { isIPv6 } from 'node:net';
import type { Missing } from '../../judge/index.js';
import { processStart } from '../counting/index.js';
import { type BytesAnswer, type Credentials, type Failure, getBytes, shownUrl } from '../http.js';
import type { Sample, Target } from '../signals/index.js';
import { type Lookup, type Place, placesOf, systemLookup } from './addresses.js';
import type { PageFacts } from './facts.js';
import { type Page, readPage } from './page.js';

/** One page that was asked for, as a target. */
export interface FetchedPage {
  target: Target;
  /** Null where it was not read. */
  facts: PageFacts | null;
}

export interface PagesOptions {
  /** Names of all samples that are needed; `all`: whatever there is. */
  wanted: readonly string[] | 'all';
  /** For each page. */
  timeoutMs: number;
  credentials?: Credentials;
  lookup?: Lookup;
}

/** Text first: it names the series as a person sees them, while OpenMetrics may append `_total`. */
const TEXT = 'text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.7,*/*;q=0.1';
/** Names with other characters than letters, digits, `_` and `:` are rewritten by servers unless they are asked for. */
const TEXT_UTF8 = `text/plain;version=1.0.0;escaping=allow-utf-8;q=1,${TEXT.replace('q=1', 'q=0.9')}`;
const PROTOBUF = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=1,${TEXT.replace('q=1', 'q=0.9')}`;
const LEGACY_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
/** For so long a name that had addresses of one kind keeps those while only others are found, milliseconds. */
const FAMILY_MS = 120_000;
/** Pages are read at once, up to so many: they may be large. */
const AT_ONCE = 25;

/**
 * Metrics pages of services, each asked once whoever reads it. Keeps in mind which of them are asked for Protocol Buffers:
 * native histograms are in no other format, and show in the text as histograms without bounds.
 */
export class Pages {
  private readonly wanted: (name: string) => boolean;
  private readonly accept: string;
  /** By place: whether Protocol Buffers gave what the text does not have. */
  private readonly protobuf = new Map<string, boolean>();
  /** By place, of answers without a length: how many samples and metrics there were at last. */
  private readonly sizes = new Map<string, number>();
  /** Where each URL led at last, and when: while a name cannot be looked up, its processes are asked where they were. */
  private readonly lastPlaces = new Map<string, { places: Place[]; at: number }>();

  constructor(private readonly options: PagesOptions) {
    const { wanted } = options;
    const names = new Set(wanted);
    this.wanted = wanted === 'all' ? () => true : (name) => names.has(name);
    this.accept = wanted === 'all' || wanted.every((name) => LEGACY_NAME.test(name)) ? TEXT : TEXT_UTF8;
  }

  /**
   * Rejects only with the reason of `signal`.
   * @param urls also `dns+http://name:port/path`
   * @returns pages by URL; a name whose addresses are not known is one page that was not read
   */
  async fetch(urls: Iterable<string>, signal?: AbortSignal): Promise<Map<string, FetchedPage[]>> {
    const all = [...new Set(urls)];
    const places = await Promise.all(all.map((url) => this.placesOf(url)));
    signal?.throwIfAborted();
    const ids = uniqueIds(places.flatMap((found) => (Array.isArray(found) ? found : [])));
    const pages = new Map<Place, FetchedPage>();
    const queue = [...ids].reverse();
    const work = async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const [place, id] = next;
        pages.set(place, asTarget(id, await this.read(place, signal)));
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, queue.length) }, work));
    const pagesOf = (url: string, found: Place[] | Missing): FetchedPage[] =>
      Array.isArray(found) ? found.map((place) => pages.get(place)!) : [asTarget(url, { ok: false, missing: found })];
    return new Map(all.map((url, i) => [url, pagesOf(url, places[i]!)]));
  }

  private async placesOf(url: string): Promise<Place[] | Missing> {
    const { timeoutMs, lookup = systemLookup } = this.options;
    const found = await placesOf(url, timeoutMs, lookup);
    const last = this.lastPlaces.get(url);
    if (!Array.isArray(found)) return found.state === 'unreachable' ? (last?.places ?? found) : found;
    const at = performance.now();
    // Half of a lookup may fail. The same processes at addresses of the other kind would be others, and count twice.
    if (last !== undefined && isOtherFamily(last.places, found) && at - last.at < FAMILY_MS) return last.places;
    this.lastPlaces.set(url, { places: found, at });
    return found;
  }

  private async read(place: Place, signal: AbortSignal | undefined): Promise<Page> {
    const key = `${place.url} ${place.address ?? ''}`;
    const known = this.protobuf.get(key);
    const page = await this.ask(place, known === true ? PROTOBUF : this.accept, signal);
    if (!page.ok || known !== undefined || !hasUnboundedHistogram(page.samples)) return page;
    const other = await this.ask(place, PROTOBUF, signal);
    const isBetter = other.ok && !hasUnboundedHistogram(other.samples);
    if (other.ok) this.protobuf.set(key, isBetter);
    return isBetter ? other : page;
  }

  private async ask(place: Place, accept: string, signal: AbortSignal | undefined): Promise<Page> {
    const { timeoutMs, credentials } = this.options;
    const answer: BytesAnswer | Failure = await getBytes(place.url, {
      ...credentials,
      headers: { accept, ...credentials?.headers },
      timeoutMs,
      ...(place.address === undefined ? {} : { address: place.address }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!answer.ok) return { ok: false, missing: { state: answer.state, detail: atAddress(answer.detail, place) } };
    const read = await readPage(shownUrl(place.url), answer, this.wanted);
    signal?.throwIfAborted();
    const tellsItsEnd = answer.delimited || /^application\/openmetrics-text\b/i.test(answer.contentType);
    const page = tellsItsEnd ? read : this.unlessShorter(place, read);
    if (page.ok) return page;
    const { state, detail } = page.missing;
    return { ok: false, missing: { state, ...(detail === undefined ? {} : { detail: atAddress(detail, place) }) } };
  }

  /**
   * A page whose end nothing tells may be cut off at the end of a line. Where it holds less than before, it is no reading, once:
   * a service that really shows less still does so at the next check.
   */
  private unlessShorter(place: Place, page: Page): Page {
    if (!page.ok) return page;
    const key = `${place.url} ${place.address ?? ''}`;
    const size = page.samples.length + page.facts.names.size;
    const before = this.sizes.get(key) ?? 0;
    this.sizes.set(key, size);
    if (size >= before) return page;
    const detail = `${shownUrl(place.url)}: the answer may be cut off: it holds less than at the check before, and it gave no length`;
    return { ok: false, missing: { state: 'unreachable', detail } };
  }
}

function isOtherFamily([last]: readonly Place[], [now]: readonly Place[]): boolean {
  return last?.address !== undefined && now?.address !== undefined && isIPv6(last.address) !== isIPv6(now.address);
}

/** Secrets are masked in what names a place, so two may look alike; counters are kept by these names. */
function uniqueIds(places: readonly Place[]): Map<Place, string> {
  const ids = new Map<Place, string>();
  const taken = new Map<string, number>();
  for (const place of places) {
    const times = (taken.get(place.id) ?? 0) + 1;
    taken.set(place.id, times);
    ids.set(place, times === 1 ? place.id : `${place.id} #${times}`);
  }
  return ids;
}

/** Details begin with the URL; of several addresses each says which it is. */
function atAddress(detail: string, { url, address }: Place): string {
  const shown = shownUrl(url);
  return address !== undefined && detail.startsWith(shown)
    ? `${shown} (${address})${detail.slice(shown.length)}`
    : detail;
}

function asTarget(id: string, page: Page): FetchedPage {
  if (!page.ok) return { target: { id, state: page.missing, samples: [] }, facts: null };
  const { samples, facts } = page;
  const startedAt = processStart(samples);
  return { target: { id, state: { state: 'ok' }, samples, ...(startedAt === undefined ? {} : { startedAt }) }, facts };
}

/** Whether all buckets of a histogram have no bound: so native histograms look in the text format. */
function hasUnboundedHistogram(samples: readonly Sample[]): boolean {
  const bounded = new Map<string, boolean>();
  for (const { name, labels } of samples) {
    if (!name.endsWith('_bucket') || labels['le'] === undefined) continue;
    bounded.set(name, bounded.get(name) === true || !/^\+?inf$/i.test(labels['le']));
  }
  return [...bounded.values()].includes(false);
}
