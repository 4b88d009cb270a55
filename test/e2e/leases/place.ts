import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../../src/lib/clock.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { until } from '../../until.js';
import { canaryId, type Running, Workspace } from '../lukhas.js';
import { observations } from '../observations.js';

/** One job at a time: whoever takes up the second one has looked at the first. */
const CONFIG = `
jobs: { concurrency: 1 }
promotion: { requireCanary: false }
tasks:
  long: { command: [/bin/sh, -c, "until [ -e go ]; do sleep 0.1; done"], timeout: 900s }
  marker: { command: [/bin/true] }
hooks:
  promote:
    - name: shift
      exec: { command: [/bin/sh, hook.sh], timeoutSeconds: 60 }
`;
/** Goes on when it is told to, by a file for each attempt. */
const HOOK = `
say() { echo "$1 $LUKHAS_ATTEMPT" >> calls; }
trap 'say stopped; exit 1' TERM
say begin
until [ -e "go-$LUKHAS_ATTEMPT" ]; do sleep 0.1; done
say end
`;

/** A folder with a job and a promote hook that last until they are let go on. */
export class LeasePlace extends Workspace {
  constructor() {
    super();
    this.file('lukhas.yaml', CONFIG);
    this.file('hook.sh', HOOK);
    this.file('in.ndjson', observations(30));
  }

  /** Lets the job go on, or the hook of an attempt. */
  go(attempt?: number): void {
    this.file(attempt === undefined ? 'go' : `go-${attempt}`, '');
  }

  /** What the hook has said. */
  calls(): string[] {
    try {
      return readFileSync(join(this.dir, 'calls'), 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  async kinds(subject: string): Promise<string[]> {
    return (await this.events(subject)).map(({ kind }) => kind);
  }

  /** Has the job `long` run by whoever runs jobs. @returns its id, once it runs */
  async longJob(): Promise<string> {
    const { code, stderr } = await this.run(['job', 'run', 'long', '--detach']);
    if (code !== 0) throw new Error(stderr);
    const [id = ''] = (await this.events()).filter(({ kind }) => kind === 'job.queued').map(({ subject }) => subject);
    await until(async () => (await this.kinds(id)).includes('job.running'), 50);
    return id;
  }

  /** Queues another job and waits for its end: whoever ran it has looked at those that were queued before. */
  async marker(): Promise<void> {
    await this.run(['job', 'run', 'marker', '--detach']);
    const id = (await this.events()).findLast(({ kind }) => kind === 'job.queued')?.subject ?? '';
    await until(async () => (await this.kinds(id)).includes('job.completed'), 50);
  }

  /** Starts a canary that is promoted at once. @returns its driver and its id, once the hook runs */
  async promoting(env: Record<string, string> = {}): Promise<{ driver: Running; id: string }> {
    const names = ['--model', 'm', '--from', 'stage', '--to', 'production'];
    const policy = ['--max-error-rate', '0.02', '--window', '30s'];
    const source = ['--source', 'ndjson', '--input', 'in.ndjson'];
    const driver = this.start(['canary', 'start', ...names, ...policy, ...source], { env });
    let stderr = '';
    driver.child.stderr?.on('data', (text: string) => {
      stderr += text;
    });
    await until(() => this.calls().length > 0, 50);
    return { driver, id: canaryId({ code: null, stdout: '', stderr }) };
  }

  /** Waits until a lease has lapsed that nobody renews, sooner than it would: as if nearly all of it were over. */
  async lapsed(subject: string): Promise<void> {
    const clock = systemClock();
    const ledger = await openLedger(this.db);
    try {
      const { holder } = (await ledger.lease(subject)) ?? { holder: '' };
      expect(await ledger.renewLease(subject, holder, clock, 500)).to.equal(true);
      await until(async () => ((await ledger.leaseAt(subject, clock))?.leftMs ?? 0) <= 0, 50);
    } finally {
      await ledger.close();
    }
  }
}
