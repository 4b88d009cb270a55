import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { EvidenceExport, recordFailure } from '../lib/app/evidence/index.js';
import type { App } from '../lib/app/index.js';
import { missingKeys } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { HttpError, type RequestContext, type Route, readQuery } from './http/index.js';

interface EvidenceOptions {
  app: Pick<App, 'ledger' | 'config' | 'clock'>;
  /** Of lukhas. */
  version: string;
  /** A pack was not delivered, or that could not be recorded. */
  onFailure(error: unknown): void;
  /** A pack was not delivered, and the log does not say so. */
  onUnrecorded(): void;
}

/** One pack is written at a time; this many requests may wait for it. */
const WAITING = 1;
const RETRY_SECONDS = 30;

const given = z.string().min(1, 'is empty').max(200, 'is too long');
const query = z.strictObject({
  from: z
    .array(given)
    .length(1, 'must be given exactly once: from=30d')
    .transform(([from]) => from as string),
  to: z
    .array(given)
    .max(1, 'must be given at most once')
    .default([])
    .transform(([to]) => to),
  model: z.array(given).max(100, 'must be given at most 100 times').default([]),
  include: z.array(given).default([]),
  'csv-bom': z
    .array(z.enum(['true', 'false'], 'must be true or false'))
    .max(1, 'must be given at most once')
    .default([])
    .transform(([bom]) => bom === 'true'),
});

/** `GET /evidence/export?from=30d[&to=][&model=][&include=][&csv-bom=true]`: an evidence pack, written while it is downloaded. */
export class EvidenceRoute {
  readonly #options: EvidenceOptions;
  /** Settles when the last request in the queue is done. */
  #queue: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  readonly route: Route = {
    methods: ['GET'],
    path: '/evidence/export',
    handle: async (request, response, context) => {
      const wanted = read(context.url);
      if (this.#pending > WAITING) {
        throw new HttpError(429, 'other exports are in progress; try again later', {
          'Retry-After': String(RETRY_SECONDS),
        });
      }
      this.#pending++;
      const before = this.#queue;
      const own = this.#after(before, () => this.#deliver(wanted, request, response, context), context.signal);
      this.#queue = own.catch(() => undefined);
      try {
        await own;
      } finally {
        this.#pending--;
      }
    },
  };

  /** Resolves when no pack is being written, and every failure has been recorded in the log. */
  async settled(): Promise<void> {
    for (let last: Promise<unknown> | null = null; last !== this.#queue; ) {
      last = this.#queue;
      await last;
    }
  }

  /** A client that disconnects while waiting is not a failed export. */
  async #after(before: Promise<unknown>, deliver: () => Promise<void>, signal: AbortSignal): Promise<void> {
    await before;
    if (!signal.aborted) await deliver();
  }

  async #deliver(
    wanted: ReturnType<typeof read>,
    request: IncomingMessage,
    response: ServerResponse,
    { actor, signal }: RequestContext,
  ): Promise<void> {
    const { app, version } = this.#options;
    let pack: EvidenceExport | null = null;
    try {
      if ((await app.ledger.size()) === 0) throw new HttpError(409, 'the log is empty: there is nothing to export yet');
      // A GET request must not create keys.
      if (missingKeys(app.config).length > 0)
        throw new HttpError(409, 'no signing keys: create them on the server with lukhas keys init');
      pack = await EvidenceExport.prepare({ ...app, version }, wanted, { makeKeys: false });
      response.writeHead(200, {
        'Content-Type': 'application/zip',
        'Content-Disposition': `attachment; filename="${pack.fileName}"`,
      });
      if (request.method === 'HEAD') response.end();
      else await pack.write(response, { signal });
    } catch (error) {
      if (!isBadRequest(error)) await this.#failed(error, { by: actor, pack, interrupted: signal.aborted });
      throw error;
    }
  }

  async #failed(
    error: unknown,
    { by, pack, interrupted }: { by: RequestContext['actor']; pack: EvidenceExport | null; interrupted: boolean },
  ): Promise<void> {
    this.#options.onFailure(error);
    try {
      await recordFailure(this.#options.app, { by, range: pack?.range ?? null, interrupted, error });
    } catch (cause) {
      this.#options.onFailure(cause);
      this.#options.onUnrecorded();
    }
  }
}

/** The request was wrong; the export did not fail. */
function isBadRequest(error: unknown): boolean {
  return error instanceof HttpError || (error instanceof LukhasError && error.code === 'USAGE');
}

/** @throws HttpError 400 */
function read(url: URL) {
  const { model, 'csv-bom': csvBom, ...rest } = readQuery(query, url, EXAMPLES);
  return { ...rest, models: model, csvBom };
}

const EXAMPLES = { from: '30d', to: '1d', model: 'fraud-v2', include: 'policies', 'csv-bom': 'true' };
