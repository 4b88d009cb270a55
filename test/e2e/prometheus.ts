import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.js';

interface Series {
  metric: Record<string, string>;
  values: [number, string][];
}

/** Programs that scrape and answer as Prometheus does, from Debian. */
export type Program = 'prometheus' | 'victoria-metrics';

/** Metrics pages that are scraped in their own way from the start. */
export interface ScrapeJob {
  name: string;
  everySeconds: number;
  urls: readonly string[];
  labels?: Record<string, string>;
}

/** A Prometheus, or what stands in for one, of its own on loopback, which scrapes once a second what it is told to. */
export class Prometheus {
  private constructor(
    readonly url: string,
    private readonly dir: string,
    private readonly child: ChildProcess,
  ) {}

  /** @param more arguments of the program @param extra what else stands in its configuration */
  static async start(
    program: Program = 'prometheus',
    more: readonly string[] = [],
    jobs: readonly ScrapeJob[] = [],
    extra: object = {},
  ): Promise<Prometheus> {
    const dir = mkdtempSync(join(tmpdir(), 'lukhas-prometheus-'));
    const targets = join(dir, 'targets.json');
    writeFileSync(targets, '[]');
    const config = {
      ...extra,
      // VictoriaMetrics reads this too, and starts with nothing in it that is about rules.
      global: {
        scrape_interval: '1s',
        scrape_timeout: '1s',
        ...('rule_files' in extra ? { evaluation_interval: '1s' } : {}),
      },
      scrape_configs: [
        { job_name: 'models', file_sd_configs: [{ files: [targets] }] },
        ...jobs.map(({ name, everySeconds, urls, labels = {} }) => ({
          job_name: name,
          scrape_interval: `${everySeconds}s`,
          static_configs: [{ targets: urls.map((url) => new URL(url).host), labels }],
        })),
      ],
    };
    writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(program, [...argumentsOf(program, dir, address), ...more], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${program} ended with code ${code}`)));
    });
    failed.catch(() => undefined);
    const prometheus = new Prometheus(`http://${address}`, dir, child);
    await Promise.race([ready(async () => (await fetch(`${prometheus.url}/-/ready`)).ok), failed]);
    return prometheus;
  }

  /** Replaces what is scraped, and waits until each of it has been. @param urls of metrics pages */
  async scrape(urls: readonly string[], labels: Record<string, string> = {}): Promise<void> {
    const targets = urls.map((url) => new URL(url).host);
    // Prometheus watches the file: it must not see half of it.
    writeFileSync(join(this.dir, 'targets.new'), JSON.stringify([{ targets, labels }]));
    renameSync(join(this.dir, 'targets.new'), join(this.dir, 'targets.json'));
    await ready(async () => {
      // Raw samples: VictoriaMetrics gives values only after half a minute.
      const up = await this.query('up[10s]');
      return targets.every((target) =>
        up.some(({ metric, values }) => metric['instance'] === target && values.at(-1)?.[1] === '1'),
      );
    });
  }

  async stop(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
    });
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async query(expr: string): Promise<Series[]> {
    const answer = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = (await answer.json()) as { data: { result: Series[] } };
    return data.result;
  }
}

function argumentsOf(program: Program, dir: string, address: string): string[] {
  const [config, data] = [join(dir, 'prometheus.yml'), join(dir, 'data')];
  if (program === 'prometheus') {
    return [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ];
  }
  return [
    `-promscrape.config=${config}`,
    '-promscrape.fileSDCheckInterval=1s',
    `-storageDataPath=${data}`,
    `-httpListenAddr=${address}`,
    '-loggerLevel=ERROR',
  ];
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Not listening yet counts as not yet. */
export function ready(holds: () => Promise<boolean>): Promise<void> {
  return until(() => holds().catch(() => false), 100);
}
