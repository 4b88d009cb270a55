import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { ExportRequest } from '../../../src/lib/app/evidence/export.js';
import { ALL, PackedLog } from '../../lib/evidence/pack/packed-log.js';

const run = promisify(execFile);

describe('an evidence pack, audited with the programs that VERIFY.md names', () => {
  let log: PackedLog;
  before(async () => {
    log = await PackedLog.make();
  });
  after(() => log.remove());

  const file = async (pack: string, name: string) =>
    (await run('unzip', ['-p', pack, name], { maxBuffer: 1e8 })).stdout;
  /** The commands of its VERIFY.md, run by bash. */
  const audit = async (pack: string) => {
    const work = await mkdtemp(join(log.dir, 'audit-'));
    const blocks = (await file(pack, 'VERIFY.md')).matchAll(/```sh\n([\s\S]*?)```/g);
    const script = [...blocks].map(([, block]) => block).join('\n');
    return run('bash', ['-c', script], { cwd: work, env: { PATH: process.env['PATH'], PACK: pack } });
  };

  it('is accepted by the commands of its own VERIFY.md: whole, a part of the log, filtered, and empty', async () => {
    const requests: ExportRequest[] = [
      ALL,
      { from: '2026-03-01T12:10:00Z', to: '2026-03-01T12:20:00Z' },
      { ...ALL, models: ['fraud-v3'] },
      { ...ALL, include: ['gate'] },
      { from: '2027-01-01T00:00:00Z' },
    ];
    for (const [i, request] of requests.entries()) {
      const { stdout } = await audit(await log.exported(`audit-${i}.zip`, request));
      expect(stdout, JSON.stringify(request)).to.match(
        /the root matches the checkpoint: entries \d+ to \d+ are complete/,
      );
    }
  });

  it('is refused by them with an entry changed, left out, or swapped, though all sums are made anew', async () => {
    const pack = await log.exported('victim.zip');
    const lines = (await file(pack, 'audits.ndjson')).trimEnd().split('\n');
    const [a = '', b = '', ...rest] = lines;
    const edits = [
      [a.replace('fraud-v2', 'fraud-v9'), b, ...rest],
      [b, ...rest],
      [b, a, ...rest],
      [...lines, a],
    ];
    const block =
      /## No entry is missing, added or changed[\s\S]*?```sh\n([\s\S]*?)```/.exec(await file(pack, 'VERIFY.md'))?.[1] ??
      '';
    for (const edit of edits) {
      const work = await mkdtemp(join(log.dir, 'edit-'));
      await run('unzip', ['-q', pack, '-d', work]);
      await writeFile(join(work, 'audits.ndjson'), edit.map((line) => `${line}\n`).join(''));
      const refused = await run('bash', ['-c', `set -eu -o pipefail\n${block}`], { cwd: work }).then(
        () => null,
        (error: Error & { code: number }) => error,
      );
      expect(refused?.code).to.be.greaterThan(0);
    }
  });

  it('says by them of which canary the observations were pruned', async () => {
    const { subject, count } = log.firstDecided();
    const pruned = await log.exportPruned('pruned.zip', subject);
    expect((await audit(pruned)).stdout).to.include(
      `${subject}: its ${count} observations are not in the pack, which says they were pruned`,
    );
  });
});
