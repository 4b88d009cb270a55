import { z } from 'zod';
import { hasLogKey, proveEntry } from '../../lib/app/evidence/index.js';
import type { App } from '../../lib/app/index.js';
import { readLogPage } from '../../lib/app/watching/index.js';
import { EVENT_KINDS } from '../../lib/ledger/index.js';
import { HttpError, type Route, readQuery, sendJson } from '../http/index.js';

const MOST = 200;
const USUAL = 50;

const EXAMPLES = { before: '120', limit: '50', subject: 'c-m8k2x0', kind: 'canary', model: 'fraud-v2', since: '100' };

const once = <T extends z.ZodType<unknown, string>>(value: T) =>
  z
    .array(z.string().min(1, 'is empty').max(400, 'is too long'))
    .max(1, 'must be given at most once')
    .default([])
    .transform(([first]) => first)
    .pipe(value.optional());
const count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a number')
  .transform(Number);

const logQuery = z.strictObject({
  before: once(count),
  limit: once(count.pipe(z.number().min(1, 'must be 1 to 200').max(MOST, 'must be 1 to 200'))),
  subject: once(z.string()),
  model: once(z.string()),
  // A kind, or what kinds begin with: canary.decided, job.
  kind: once(
    z
      .string()
      .transform((kind) => EVENT_KINDS.filter((one) => one === kind || one.startsWith(`${kind}.`)))
      .refine((kinds) => kinds.length > 0, 'is not a kind of entry: try canary, gate, promotion, job or hook'),
  ),
  since: once(count),
});
const proofQuery = z.strictObject({ seq: z.array(count).length(1, 'must be given exactly once: seq=12') });

/** The log entry by entry, as recorded, with what proves that the entries are in it. */
export function logRoutes({ ledger, config }: Pick<App, 'ledger' | 'config'>): Route[] {
  return [
    {
      methods: ['GET'],
      path: '/api/log',
      handle: async (_, response, { url }) => {
        const { kind: kinds, before, subject, model, since, limit = USUAL } = readQuery(logQuery, url, EXAMPLES);
        const given = Object.entries({ before, subject, model, kinds, since }).filter(
          ([, value]) => value !== undefined,
        );
        sendJson(response, 200, await readLogPage(ledger, { limit, ...Object.fromEntries(given) }));
      },
    },
    {
      methods: ['GET'],
      path: '/api/log/proof',
      // The file that `lukhas prove` writes.
      handle: async (_, response, { url }) => {
        const {
          seq: [seq],
        } = readQuery(proofQuery, url, { seq: '12' });
        // A GET request must not create keys.
        if (!(await hasLogKey(config)))
          throw new HttpError(409, 'no signing keys: create them on the server with lukhas keys init');
        const { proof } = await proveEntry({ ledger, config }, String(seq));
        const bytes = Buffer.from(proof);
        response.writeHead(200, {
          'Content-Type': 'text/plain; charset=utf-8',
          'Content-Length': bytes.length,
          'Content-Disposition': `attachment; filename="entry-${seq}.tlog-proof"`,
        });
        response.end(bytes);
      },
    },
  ];
}
