import type { App } from '../lib/app/index.js';
import { timestamp } from '../lib/clock.js';
import { CANARY_STATES, type ListingGap } from '../lib/ledger/index.js';
import { JOB_STATES, listingWarning } from '../lib/readings/index.js';
import type { Route } from './http/index.js';
import { sendJson } from './http/index.js';
import type { Readiness } from './readiness.js';

interface HealthOptions {
  app: Pick<App, 'clock' | 'ledger'>;
  readiness: Readiness;
  /** Of lukhas. */
  version: string;
  /** Newest supported version of the Model Context Protocol. */
  mcpVersion: string;
  startedAt: number;
  /** Members added by other parts of the daemon. */
  about: () => Record<string, unknown>;
}

/** The number of canaries and jobs in each state, including zeros. */
export async function countStates(ledger: App['ledger']) {
  const [canaries, jobs] = await Promise.all([ledger.summaryStates('canary'), ledger.summaryStates('job')]);
  const all = (states: readonly string[], found: Record<string, number>) =>
    Object.fromEntries(states.map((state) => [state, found[state] ?? 0]));
  return { canaries: all(CANARY_STATES, canaries), jobs: all(JOB_STATES, jobs) };
}

/** `/health` for people and dashboards; `/healthz` (it answers) and `/readyz` (it can work) for probes, without a key. */
export function healthRoutes(options: HealthOptions): Route[] {
  const { readiness } = options;
  return [
    {
      methods: ['GET'],
      path: '/health',
      handle: async (_, response) => sendJson(response, 200, await healthOf(options)),
    },
    {
      methods: ['GET'],
      path: '/healthz',
      open: true,
      probe: true,
      anySite: true,
      handle: (_, response) => sendJson(response, 200, { status: 'ok' }),
    },
    {
      methods: ['GET'],
      path: '/readyz',
      open: true,
      probe: true,
      async handle(_, response) {
        const { ready, checks } = await readiness.check();
        // Needs no key, so it leaves out details such as paths and addresses, which /health has.
        const results = Object.fromEntries(
          Object.entries(checks).map(([name, { ok }]) => [name, ok ? 'ok' : 'failed']),
        );
        sendJson(response, ready ? 200 : 503, { ready, checks: results });
      },
    },
  ];
}

async function listingWarnings(ledger: App['ledger']): Promise<string[]> {
  const types = ['canary', 'promotion', 'job', 'gate'] as const;
  const gaps = await Promise.all(types.map((type) => ledger.listingGap(type)));
  return types.flatMap((type, i) => listingWarning(type, gaps[i] as ListingGap) ?? []);
}

async function healthOf({ app, readiness, version, mcpVersion, startedAt, about }: HealthOptions) {
  const now = app.clock.now();
  const [{ ready, checks }, counts, size, warnings] = await Promise.all([
    readiness.check(),
    countStates(app.ledger),
    app.ledger.size(),
    listingWarnings(app.ledger),
  ]);
  return {
    status: ready ? 'ok' : 'degraded',
    timestamp: timestamp(now),
    server: 'lukhas',
    version,
    transport: 'http',
    mcp_version: mcpVersion,
    uptimeSeconds: Math.round((now - startedAt) / 1000),
    ready,
    checks,
    ...counts,
    // The numbers above are those of the rows that listings read.
    ...(warnings.length === 0 ? {} : { warnings }),
    ledger: { size },
    ...about(),
  };
}
