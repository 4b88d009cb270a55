import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../src/lib/app/config.js';
import type { JobFailure } from '../../../src/lib/ledger/events.js';

const REASONS: Record<JobFailure, true> = {
  exit: true,
  start: true,
  timeout: true,
  cancelled: true,
  metrics: true,
  lost: true,
};

describe('docs/jobs.md', () => {
  let dir: string;
  let page: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-jobs-docs-'));
    page = await readFile('docs/jobs.md', 'utf8');
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const load = async (text: string) => {
    const config = join(dir, 'lukhas.yaml');
    await writeFile(config, text);
    return loadConfig({ flags: { config }, env: { HOME: dir }, cwd: dir });
  };
  const shown = (key: string) =>
    new RegExp(`^\\| \`${key}\` \\| ([^|]+) \\|`, 'm').exec(page)?.[1]?.trim().replaceAll('`', '');

  it('shows a file that can be read', async () => {
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
    const { tasks, jobs } = await load(example);
    expect(tasks['smoke']).to.include({ timeoutSeconds: 60, metrics: 'json-last-line', cwd: dir });
    expect(jobs.concurrency).to.equal(2);
  });

  it('lists every key of a task with its default', async () => {
    const { tasks } = await load('tasks: {t: {command: ["true"]}}');
    const { command: _, timeoutSeconds, cwd, ...rest } = tasks['t']!;
    expect(shown('timeout')).to.equal(String(timeoutSeconds));
    expect(join(dir, shown('cwd') ?? '?')).to.equal(`${cwd}`);
    for (const [key, value] of Object.entries(rest))
      expect(shown(key), key).to.equal(typeof value === 'string' ? value : JSON.stringify(value));
    expect(page).to.contain(`(default ${(await load('{}')).jobs.concurrency})`);
  });

  it('explains every reason for which a job fails', () => {
    for (const reason of Object.keys(REASONS)) expect(shown(reason), reason).to.be.a('string');
  });
});
