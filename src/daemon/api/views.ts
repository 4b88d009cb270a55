import { z } from 'zod';
import type { App } from '../../lib/app/index.js';
import { canaryEntries, gateStory, readOverview } from '../../lib/app/watching/index.js';
import { eventId, type Judging, Teller } from '../../lib/stream/index.js';
import type { OverviewJson } from '../../lib/view/index.js';
import { type Route, readQuery, sendJson } from '../http/index.js';

export interface ViewRoutesOptions {
  app: App;
  judging: Judging;
}

/** An overview costs a read of each canary: whoever asks within this time gets the same one. */
const FRESH_MS = 1000;

const EXAMPLES = { id: 'c-m8k2x0' };

const given = z.string().min(1).max(200);
const one = (name: string) =>
  z
    .array(given)
    .length(1, `must be given exactly once: ${name}=…`)
    .transform(([value]) => value as string);
const canaryQuery = z.strictObject({ id: one('id') });
const gateQuery = z.strictObject({ name: one('name') });
const pageQuery = z.strictObject({
  id: one('id'),
  after: one('after')
    .pipe(z.string().regex(/^(-1|\d{1,9})$/, 'must be a check number, or -1 for the first page'))
    .transform(Number),
});

/** What views are made from: lists as of a place in the stream, and all that is recorded of a canary. */
export function viewRoutes({ app, judging }: ViewRoutesOptions): Route[] {
  const { ledger, clock } = app;
  const teller = new Teller(ledger);
  let overview: { at: number; reading: Promise<OverviewJson> } | null = null;
  const fresh = (): Promise<OverviewJson> => {
    const now = clock.monotonic();
    if (overview === null || now - overview.at > FRESH_MS) {
      const reading = readOverview({ ledger, teller, judging });
      overview = { at: now, reading };
      reading.catch(() => {
        overview = null;
      });
    }
    return overview.reading;
  };
  return [
    {
      methods: ['GET'],
      path: '/api/overview',
      handle: async (_, response) => sendJson(response, 200, await fresh()),
    },
    {
      methods: ['GET'],
      path: '/api/canary',
      handle: async (_, response, { url }) => {
        const { id } = readQuery(canaryQuery, url, EXAMPLES);
        const position = eventId(await ledger.feedEnd(), await teller.log());
        sendJson(response, 200, await canaryEntries(app, id, position));
      },
    },
    {
      methods: ['GET'],
      path: '/api/gate',
      handle: async (_, response, { url }) => {
        const { name } = readQuery(gateQuery, url, { name: 'production' });
        sendJson(response, 200, { gate: name, changes: await gateStory(ledger, name) });
      },
    },
    {
      methods: ['GET'],
      path: '/api/observations',
      // As they were recorded, byte for byte: the digest of the decision is over these lines.
      handle: async (_, response, { url }) => {
        const { id, after } = readQuery(pageQuery, url, { ...EXAMPLES, after: '-1' });
        const page = await ledger.observationPage(await app.canaries.resolve(id), after);
        const bytes = Buffer.from(page.map(({ body }) => `${body}\n`).join(''));
        response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Content-Length': bytes.length });
        response.end(bytes);
      },
    },
  ];
}
