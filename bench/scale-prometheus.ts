import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** As most services do it: 10 latency buckets, 10 score buckets, one pod a gate. */
const LATENCY_BOUNDS = ['0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'];
const SCORE_BOUNDS = ['0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '1', '+Inf'];
const LATENCY_SHARE = [0.02, 0.1, 0.35, 0.75, 0.975, 0.995, 0.999, 1, 1, 1, 1];
const SCORE_SHARE = [0.02, 0.08, 0.17, 0.3, 0.46, 0.61, 0.75, 0.87, 0.96, 1, 1];
const REQUESTS_PER_SECOND = 40;
const ERROR_SHARE = 0.004;
const SCRAPE_SECONDS = 5;
/** Gates of one variant count alike: texts of samples are made once for all of them. */
const VARIANTS = 16;

interface SeriesShape {
  name: string;
  le?: string;
  /** Of requests; a gauge when null. */
  share: number | null;
}

const SHAPES: readonly SeriesShape[] = [
  { name: 'model_requests_total', share: 1 },
  { name: 'model_errors_total', share: ERROR_SHARE },
  { name: 'model_inflight_requests', share: null },
  ...LATENCY_BOUNDS.map((le, i) => ({ name: 'model_latency_bucket', le, share: LATENCY_SHARE[i] ?? 1 })),
  ...SCORE_BOUNDS.map((le, i) => ({ name: 'model_score_bucket', le, share: SCORE_SHARE[i] ?? 1 })),
];

const QUERY = /^\{__name__=~"([^"]*)",gate=(~?)"([^"]*)"\}\[(\d+)s\]$/;

/**
 * A Prometheus as far as raw range selectors go, in a process of its own: counters of any gate that is asked for grow
 * with time, scraped every 5 s. Prints its port; `GET /requests` tells how many queries it has answered.
 */
export async function run(): Promise<void> {
  let requests = 0;
  const cache = new SampleCache();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub');
    if (url.pathname === '/requests') return answer(response, 200, JSON.stringify({ requests }));
    requests++;
    const query = url.searchParams.get('query') ?? '';
    if (query === 'vector(1)') return answer(response, 200, vectorOfOne());
    const found = QUERY.exec(query);
    if (!found)
      return answer(response, 400, '{"status":"error","errorType":"bad_data","error":"not a known selector"}');
    const [, names = '', regex, gates = '', range] = found;
    const gateNames = regex ? gates.replaceAll('\\', '').split('|') : [gates];
    answer(response, 200, matrix(cache, new Set(names.split('|')), gateNames, Number(range)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  // The one who started it ends it by closing its input.
  process.stdin.resume().on('end', () => {
    server.close();
    server.closeAllConnections();
  });
}

function answer(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

function vectorOfOne(): string {
  return `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[${Date.now() / 1000},"1"]}]}}`;
}

function matrix(cache: SampleCache, names: ReadonlySet<string>, gates: readonly string[], range: number): string {
  const now = Date.now() / 1000;
  const parts: string[] = [];
  for (const gate of gates) {
    const variant = variantOf(gate);
    SHAPES.forEach((shape, i) => {
      if (!names.has(shape.name)) return;
      const le = shape.le === undefined ? '' : `,"le":"${shape.le}"`;
      const labels = `"__name__":"${shape.name}","gate":"${gate}","instance":"10.0.${variant}.7:8080","job":"models"${le}`;
      parts.push(`{"metric":{${labels}},"values":[${cache.samples(i, variant, range, now)}]}`);
    });
  }
  return `{"status":"success","data":{"resultType":"matrix","result":[${parts.join(',')}]}}`;
}

function variantOf(gate: string): number {
  let hash = 0;
  for (const char of gate) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return hash % VARIANTS;
}

class SampleCache {
  private readonly texts = new Map<string, string>();
  private scrape = 0;

  samples(series: number, variant: number, range: number, now: number): string {
    const scrape = Math.floor(now / SCRAPE_SECONDS);
    if (scrape !== this.scrape) this.texts.clear();
    this.scrape = scrape;
    const key = `${series}/${variant}/${range}`;
    const known = this.texts.get(key);
    if (known !== undefined) return known;
    const text = this.render(SHAPES[series] as SeriesShape, variant, range, scrape);
    this.texts.set(key, text);
    return text;
  }

  private render({ share }: SeriesShape, variant: number, range: number, scrape: number): string {
    const count = Math.floor(range / SCRAPE_SECONDS);
    return Array.from({ length: count }, (_, i) => {
      const t = (scrape - count + 1 + i) * SCRAPE_SECONDS;
      const total = (t % 1e7) * (REQUESTS_PER_SECOND + variant);
      const value = share === null ? (t / SCRAPE_SECONDS + variant) % 4 : Math.floor(total * share);
      return `[${t}.${String(100 + variant)},"${value}"]`;
    }).join(',');
  }
}
