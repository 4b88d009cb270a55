import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { drive, driver, errors, FakeClock, HEALTHY, START, scripted, start } from '../../lib/canary/harness.js';
import { looks, policy } from '../../lib/judge/looks.js';
import { unguard } from '../../lib/ledger/sqlite/unguarded.js';
import { canaryId, firstLine, ROOT, type Run, Workspace } from '../lukhas.js';

const WINDOW = ['--from', '2026-03-01T12:00:00Z', '--to', '2026-03-01T13:00:00Z'];
const LENIENT = policy({ targets: { max_error_rate: 0.1 } });

describe('lukhas replay', () => {
  let at: Workspace;
  const ids: string[] = [];

  before(async () => {
    at = new Workspace();
    const ledger = await openLedger(at.db);
    for (const [i, look] of [HEALTHY, errors(20, 500)].entries()) {
      const clock = new FakeClock(START + i * 600_000);
      const { id } = await start(ledger, clock, { policy: LENIENT });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => look) }), clock }, id);
      ids.push(id);
    }
    await ledger.close();
  });
  after(() => at.remove());

  const script = async (path: string, args: string[], env: Record<string, string>) => {
    const options = { cwd: at.dir, env: { ...at.environment(), ...env } };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [path, ...args], options);
    return { code: 0, stdout, stderr };
  };
  const run = (...args: string[]): Promise<Run> => at.run(['replay', ...args]);

  it('says for every canary how it ended, how it would have ended, where they diverge, and the difference', async () => {
    const { code, stdout } = await run(...WINDOW, '--model', 'fraud-v2', '--set', 'targets.max_error_rate=0.02');
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^2 canaries of model fraud-v2, started at or after 2026-03-01T12:00:00.000Z and before .*, replayed under own policy/,
    );
    expect(stdout).to.include('  targets.max_error_rate  0.1 -> 0.02\n');
    expect(stdout).to.match(new RegExp(`^SAME  fraud-v2  stage → production  ${ids[0]}`, 'm'));
    const [, flip = ''] = stdout.split('FLIPS  ');
    expect(flip).to.match(new RegExp(`^fraud-v2  stage → production  ${ids[1]}`));
    expect(flip).to.match(/was +promoted after 60 s \(check 12\): error_rate is certified/);
    expect(flip).to.match(/would be +rolled back after \d+ s \(check \d+\): error_rate too high/);
    expect(flip).to.match(/diverge +at check \d+/);
    expect(flip).to.match(/was: no decision yet; evidence against it .*\n +error_rate: .*limit 10%\)/);
    expect(flip).to.match(/would be: rolled back; evidence against it .*\n +error_rate: .*limit 2%\)/);
    expect(flip).to.match(/difference +\d+ s earlier; [\d,]+ requests in between, [\d,]+ of them failed/);
    expect(stdout).to.match(/^was +2 +0 +0 +0\nwould be +1 +1 +0 +0\n1 of 2 decisions would change$/m);
  });

  it('prints the same bytes every time', async () => {
    const args = [...WINDOW, '--set', 'targets.max_error_rate=0.02', '--sweep', 'targets.max_error_rate=0.01:0.1:0.03'];
    expect((await run(...args, '--json')).stdout).to.equal((await run(...args, '--json')).stdout);
    expect((await run(...args)).stdout).to.equal((await run(...args)).stdout);
  });

  it('ends with code 9 on a flip when asked to, with and without --json', async () => {
    const stricter = [...WINDOW, '--set', 'targets.max_error_rate=0.02'];
    expect((await run(...stricter, '--fail-on-flip')).code).to.equal(9);
    const json = await run(...stricter, '--fail-on-flip', '--json');
    expect([json.code, JSON.parse(json.stdout).totals.flips]).to.deep.equal([9, 1]);
    expect((await run(...WINDOW, '--fail-on-flip')).code).to.equal(0);
  });

  it('takes a policy file, and selects single canaries', async () => {
    const file = at.file('strict.yaml', 'name: strict\nwindowSeconds: 60\ntargets:\n  max_error_rate: 0.02\n');
    const result = await at.json(['replay', '--canary', ids[1]!, '--policy', file]);
    expect(result['policyName']).to.equal('strict');
    expect(
      (result['canaries'] as { canaryId: string; flips: boolean }[]).map((c) => [c.canaryId, c.flips]),
    ).to.deep.equal([[ids[1], true]]);
  });

  it('sweeps, and finds the exact value at which one verdict flips', async () => {
    const { stdout } = await run('--canary', ids[1]!, '--sweep', 'targets.max_error_rate=0.02,0.1');
    expect(stdout).to.match(/^targets\.max_error_rate +PROMOTED +ROLLED BACK +BLOCKED +UNKNOWN +FLIPS$/m);
    expect(stdout).to.match(/^0\.02 +0 +1 +0 +0 +1$/m);
    expect(stdout).to.match(/^targets\.max_error_rate: rolled back up to 0\.0\d+, .* from 0\.0\d+$/m);
    expect(stdout).to.match(/promoted from 0\.0\d+$/m);
  });

  it('uses threads for a sweep that is worth them', async () => {
    const args = [
      ...WINDOW,
      '--sweep',
      'targets.max_error_rate=0.001:0.3:0.0001',
      '--sweep',
      'alpha.rollback=0.01,0.02,0.05,0.1',
    ];
    // 26 looks under 11,964 policies.
    const refused = await run(...args);
    expect([refused.code, firstLine(refused)]).to.deep.equal([
      2,
      'lukhas: --sweep: 11964 policies are too many (at most 10000)',
    ]);
    const { sweep } = (await at.json(['replay', ...args.slice(0, -2), '--sweep', 'alpha.rollback=0.01,0.02,0.05'])) as {
      sweep: { cells: { values: number[]; outcomes: Record<string, number> }[] };
    };
    expect(sweep.cells.length).to.equal(8973);
    expect(sweep.cells[0]?.outcomes).to.include({ rollback: 1, block: 1 });
    expect(sweep.cells.at(-1)?.outcomes).to.include({ promote: 2 });
  });

  it('judges observations that are in no log', async () => {
    const lines = looks(12, () => ({ canary: errors(20, 500).canary })).map((o) => JSON.stringify(o));
    const input = at.file('observations.ndjson', lines.join('\n'));
    const file = at.file('slo.json', '{"windowSeconds":60,"targets":{"max_error_rate":0.02}}');
    const alone = await run('--input', input, '--policy', file);
    expect(alone.code).to.equal(0);
    expect(alone.stdout).to.match(/would be +rolled back/);
    expect(alone.stdout).to.match(/was +unknown: the input has no recorded policy/);
    const piped = await at.run(['replay', '--input', '-', '--policy', file, '--set', 'targets.max_error_rate=0.1'], {
      input: lines.join('\n'),
    });
    expect(piped.stdout).to.match(/^FLIPS/m);
    expect((await run('--input', input)).code).to.equal(2);
  });

  it('agrees with what a canary came to that was really run', async () => {
    const lines = looks(12, () => ({ canary: errors(3, 500).canary })).map((o) => JSON.stringify(o));
    const input = at.file('live.ndjson', lines.join('\n'));
    const file = at.file('live.yaml', 'windowSeconds: 60\ntargets:\n  max_error_rate: 0.02\n');
    const db = ['--db', join(at.dir, 'live.db')];
    const started = await at.run([
      'canary',
      'start',
      '--model',
      'm',
      '--from',
      'a',
      '--to',
      'b',
      '--policy',
      file,
      '--source',
      'ndjson',
      '--input',
      input,
      ...db,
    ]);
    expect(started.code).to.equal(0);
    const replayed = await at.run(['replay', '--canary', canaryId(started), ...db]);
    expect(replayed.stdout).to.match(/^SAME /m);
    const stricter = await at.run(['replay', '--model', 'm', '--set', 'targets.max_error_rate=0.001', ...db]);
    expect(stricter.stdout).to.match(/^FLIPS /m);
  });

  it('refuses what it cannot do in one clear line', async () => {
    const refusals: [string[], number, RegExp][] = [
      [[], 2, /No canaries given to replay\./],
      [['--from', '2026-03-02T00:00:00Z', '--to', '2026-03-01T00:00:00Z'], 2, /--from .*: must be before --to /],
      [['--from', 'yesterday'], 2, /--from: "yesterday" is not a valid time/],
      [['--model', 'fraud-v3'], 2, /Model "fraud-v3" has no canary in this log/],
      [['--canary', 'c-none'], 2, /No canary "c-none"/],
      [[...WINDOW, '--set', 'targets.max_eror_rate=0.02'], 2, /targets\.max_eror_rate: .*did you mean max_error_rate/],
      [[...WINDOW, '--policy', join(at.dir, 'none.yaml')], 2, /none\.yaml: file not found/],
      [
        [...WINDOW, '--report', join(at.dir, 'none', 'r.html')],
        2,
        /--report .*: cannot be written \(folder not found\)/,
      ],
      [[...WINDOW, '--report', at.dir], 2, /--report .*: is a folder/],
      [['--model', 'm', '--db', join(at.dir, 'none.db')], 2, /none\.db: no ledger found/],
    ];
    const before = readdirSync(at.dir).sort();
    for (const [args, code, line] of refusals) {
      const refused = await run(...args);
      expect([refused.code, refused.stdout], args.join(' ')).to.deep.equal([code, '']);
      expect(firstLine(refused), args.join(' ')).to.match(line);
    }
    expect(readdirSync(at.dir).sort()).to.deep.equal(before);
  });

  it('ends with code 7 when the log does not hold', async () => {
    const { default: Database } = await import('better-sqlite3');
    const broken = join(at.dir, 'broken.db');
    const db = new Database(at.db);
    await db.backup(broken);
    db.close();
    const forger = new Database(broken);
    unguard(forger);
    forger.exec(`UPDATE canary_metrics SET body = replace(body, '"bad":20', '"bad":2')`);
    forger.close();
    const refused = await run(...WINDOW, '--db', broken);
    expect([refused.code, refused.stdout]).to.deep.equal([7, '']);
    expect(firstLine(refused)).to.match(/failed verification, so nothing was judged/);
  });

  describe('with --report', () => {
    it('writes one file that holds the verdicts, and prints the same as without', async () => {
      const args = [...WINDOW, '--set', 'targets.max_error_rate=0.02'];
      const report = join(at.dir, 'report.html');
      const written = await run(...args, '--report', report);
      expect(written.code).to.equal(0);
      expect(written.stdout).to.equal((await run(...args)).stdout);
      const html = readFileSync(report, 'utf8');
      expect(html).to.match(/^<!doctype html>/i);
      for (const id of ids) expect(html).to.include(id);
      await run(...args, '--report', report);
      expect(readFileSync(report, 'utf8')).to.equal(html);
      expect(readdirSync(at.dir).filter((name) => name.endsWith('.tmp'))).to.deep.equal([]);
    });
  });

  describe('as tools/replay_window.js', () => {
    const tool = (...args: string[]) =>
      script(join(ROOT, 'tools/replay_window.js'), args, { LUKHAS_MCP_DB: join(at.dir, 'fresh', 'lukhas.db') });
    const slo = ['--policy', join(ROOT, 'configs/slo-prod.json')];

    it('is the same command', async () => {
      const args = [...WINDOW, '--model', 'fraud-v2', ...slo];
      const { code, stdout } = await tool(...args, '--db', at.db);
      expect([code, stdout]).to.deep.equal([0, (await run(...args)).stdout]);
      expect(stdout).to.match(/replayed under slo-prod$/m);
    });

    it('says that there is nothing yet where nothing was recorded, and makes no database', async () => {
      const report = join(at.dir, 'empty.html');
      const { code, stdout, stderr } = await tool(...WINDOW, '--model', 'fraud-v2', ...slo, '--report', report);
      expect(code).to.equal(0);
      expect(stdout).to.match(
        /^no canary in this window \(of model fraud-v2, started at or after .*\): nothing to replay$/m,
      );
      expect(stderr).to.match(/no log at .* yet: nothing has been recorded/);
      expect(readFileSync(report, 'utf8')).to.match(/no canar/i);
      expect(readdirSync(at.dir)).to.not.include('fresh');
    });
  });
});
