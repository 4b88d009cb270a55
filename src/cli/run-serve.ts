import { type Daemon, startDaemon } from '../daemon/index.js';
import type { Fault } from '../demo/index.js';
import { startWorkload, type Workload } from '../demo/index.js';
import type { App, ServeSettings } from '../lib/app/index.js';
import { EXIT } from '../lib/errors.js';
import { ALL_SERIES, DEFAULT_SIGNALS, type SourceDescriptor } from '../lib/metrics/index.js';
import { ENDED_KINDS } from '../lib/readings/index.js';
import { requireDemoPlace } from './demo-place.js';
import { type Interrupt, interruptible } from './interrupt.js';
import { sourceFromFlags } from './source-flags.js';

interface ServeOptions {
  version: string;
  http: ServeSettings | null;
  /** Start the demo workload with this fault, and measure it. */
  demo: Fault | null;
  readOnly: boolean;
  toolsets: string | undefined;
  say(line: string): void;
}

/** A crashed service stays down, so that a canary is let begin first; the other faults are there from the beginning. */
const CRASH_AFTER_SECONDS = 60;

/**
 * Runs the daemon until a signal, the end of its client's input, or its own failure, which is thrown.
 * @returns the exit code
 */
export function runServe(app: App, options: ServeOptions): Promise<number> {
  return interruptible((interrupt) => serve(app, options, interrupt), { secondExits: true });
}

async function serve(app: App, options: ServeOptions, interrupt: Interrupt): Promise<number> {
  const { say, demo } = options;
  if (demo !== null) requireDemoPlace(app.config);
  let workload: Workload | null = null;
  let daemon: Daemon | null = null;
  try {
    workload = demo === null ? null : await startDemo(demo, interrupt.signal, say);
    const source = workload === null ? sourceFromFlags({}, app.config) : demoSource(workload);
    daemon = await startDaemon({ ...options, app: { ...app, config: { ...app.config, source } } });
    say(ready(daemon, demo));
    const ended = await Promise.race([interrupt.asked(), daemon.ended]);
    if (ended instanceof Error) throw ended;
    if (ended !== null) say('lukhas: stopping: waiting for running steps; press Ctrl-C again to stop immediately');
    return ended ?? EXIT.done;
  } catch (error) {
    if (interrupt.exit !== null) return interrupt.exit;
    throw error;
  } finally {
    await daemon?.stop();
    await workload?.stop();
    if (daemon !== null)
      say(await goodbye(app, demo !== null).catch((error: Error) => `lukhas: stopped: ${error.message}`));
  }
}

async function startDemo(fault: Fault, signal: AbortSignal, say: (line: string) => void): Promise<Workload> {
  const workload = await startWorkload({
    fault,
    canaryGate: 'stage',
    baselineGate: 'production',
    models: { canary: 'fraud-v2', baseline: 'fraud-v1' },
    signal,
    ...(fault === 'crash' ? { faultAfterSeconds: CRASH_AFTER_SECONDS } : {}),
  });
  void workload.exited.then((exit) => {
    if (exit !== null) say(`lukhas: the demo's ${exit.arm} service ended (${exit.signal ?? `exit code ${exit.code}`})`);
  });
  return workload;
}

/** Every canary that is started through the daemon measures the demo, whatever the name of its model. */
function demoSource({ canaryUrl, baselineUrl }: Workload): SourceDescriptor {
  return {
    kind: 'scrape',
    canaryUrls: [canaryUrl],
    baselineUrls: [baselineUrl],
    arms: ALL_SERIES,
    signals: DEFAULT_SIGNALS,
    timeoutMs: 2000,
  };
}

function ready({ url }: Daemon, demo: Fault | null): string {
  const what = demo === null ? '' : ` (demo workload: ${demo === 'none' ? 'healthy' : `fault ${demo}`})`;
  return url === null
    ? `lukhas: serving MCP on standard input and output${what}`
    : `lukhas: listening on ${url}${what}; cockpit at ${url}/cockpit.html, MCP at ${url}/mcp, events at ${url}/sse, health at ${url}/health`;
}

async function goodbye(app: App, demo: boolean): Promise<string> {
  const [canaries, jobs] = await Promise.all([
    app.ledger.openSubjects('canary', ENDED_KINDS),
    app.ledger.openSubjects('job', ENDED_KINDS),
  ]);
  const left = [count(canaries.length, 'canary', 'canaries'), count(jobs.length, 'job', 'jobs')].filter(
    (n) => n !== '',
  );
  if (left.length === 0) return 'lukhas: stopped: no open canaries or jobs';
  const hint = demo ? "; the demo's services stopped, so canaries that measure them get no data" : '';
  const go = canaries.length + jobs.length === 1 ? 'continues' : 'continue';
  return `lukhas: stopped: ${left.join(' and ')} ${go} when it is started again${hint}`;
}

function count(n: number, one: string, many: string): string {
  return n === 0 ? '' : `${n} ${n === 1 ? one : many}`;
}
