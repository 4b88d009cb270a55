import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const PROBER = fileURLToPath(new URL('./prober.ts', import.meta.url));

/** What probes met with while something ran. */
export interface Probed {
  /** ms, each from its start to its answer or its failure; sorted. */
  times: number[];
  failed: number;
}

/** The shipped command, on a log of its own; `url` without a slash at the end. */
export async function startDaemon(db: string, home: string) {
  const began = performance.now();
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--db', db], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...env, XDG_CONFIG_HOME: home, HOME: home, NO_COLOR: '1' },
    cwd: home,
  });
  const url = await listening(child);
  return {
    url,
    pid: child.pid!,
    startMs: performance.now() - began,
    async stop(): Promise<number> {
      const asked = performance.now();
      child.kill('SIGTERM');
      await once(child, 'exit');
      return performance.now() - asked;
    },
  };
}

async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stderr! })) {
    const url = /listening on (\S+?)[; ]/.exec(line)?.[1];
    if (url === undefined) continue;
    // What it says later must not fill the pipe.
    child.stderr?.resume();
    return url;
  }
  throw new Error('lukhas serve ended before it listened');
}

/** Asks for /healthz from a process of its own. */
export class Prober {
  readonly #child = spawn(process.execPath, [PROBER], { stdio: ['pipe', 'pipe', 'inherit'] });
  readonly #lines: Interface = createInterface({ input: this.#child.stdout });

  /** Probes `url` while `work` runs, and for at least `leastMs`. */
  async during(url: string, leastMs: number, work: () => Promise<void>): Promise<Probed> {
    this.#child.stdin.write(`${url}/healthz\n`);
    const least = new Promise((resolve) => setTimeout(resolve, leastMs));
    try {
      await Promise.all([work(), least]);
    } finally {
      this.#child.stdin.write('\n');
    }
    const [line] = (await once(this.#lines, 'line')) as [string];
    const { times, failed } = JSON.parse(line) as Probed;
    return { times: times.sort((a, b) => a - b), failed };
  }

  close(): void {
    this.#child.kill();
  }
}
