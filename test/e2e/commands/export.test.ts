import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../../lib/ledger/examples.js';
import { firstLine, ROOT, Workspace } from '../lukhas.js';

const FROM = ['--from', '2020-01-01T00:00:00Z'];

describe('lukhas export', () => {
  let at: Workspace;

  before(async () => {
    at = new Workspace();
    const ledger = await openLedger(at.db);
    await ledger.commit({ events: Array.from({ length: 12 }, (_, i) => finished(`c-${i}`, i)) });
    await ledger.close();
  });
  after(() => at.remove());

  it('writes a pack, makes the keys at first and says so, and prints what it wrote', async () => {
    const first = await at.run(['export', ...FROM, '--out', 'a.zip']);
    expect(first.code, first.stderr).to.equal(0);
    expect(first.stderr).to.match(/created the log key .*\ncreated the export key .*\n.*lukhas keys show/);
    expect(first.stdout).to.match(/^a\.zip {2}[\d,]+ bytes\n {2}entries {4}0 to 12 \(not included\)/);
    const again = await at.json(['export', ...FROM, '--out', 'b.zip'], { env: { TZ: 'Asia/Kathmandu' } });
    expect(again).to.include({ file: 'b.zip' });
    expect(readFileSync(join(at.dir, 'b.zip')).equals(readFileSync(join(at.dir, 'a.zip')))).to.equal(true);
    const sum = execFileSync('sha256sum', [join(at.dir, 'a.zip')], { encoding: 'utf8' });
    expect(sum).to.match(new RegExp(`^${String(again['sha256'])} `));
  });

  it('is what the script does', async () => {
    const script = join(ROOT, 'scripts/export_narratives.js');
    execFileSync(process.execPath, [script, ...FROM, '--out', 'c.zip'], {
      cwd: at.dir,
      env: at.environment(),
      stdio: 'pipe',
    });
    expect(existsSync(join(at.dir, 'c.zip'))).to.equal(true);
  });

  it('and no other command writes over the log or its keys, by whatever name', async () => {
    await at.run(['keys', 'init']);
    symlinkSync(at.db, join(at.dir, 'link.zip'));
    const before = readFileSync(at.db);
    const key = join(at.dir, 'keys', 'export.pem');
    for (const args of [
      ['export', ...FROM, '--force', '--out', 'lukhas.db'],
      ['export', ...FROM, '--force', '--out', 'link.zip'],
      ['prove', '2', '--out', at.db],
      ['prove', '2', '--out', key],
      ['checkpoint', '--out', 'keys/log.pem'],
      ['replay', ...FROM, '--report', join(at.dir, 'checkpoints', 'x')],
    ]) {
      const run = await at.run(args);
      expect([run.code, firstLine(run)].join(' '), args.join(' ')).to.match(/^2 .*file of the log itself/);
    }
    expect(readFileSync(at.db).equals(before)).to.equal(true);
    expect(readFileSync(key, 'utf8')).to.match(/PRIVATE KEY/);
  });

  it('names the flags whose values it refuses', async () => {
    for (const [args, line] of [
      [['--from', 'yesterday'], /^lukhas: --from: "yesterday" is not a valid time/],
      [[...FROM, '--to', 'soon'], /^lukhas: --to: "soon" is not a valid time/],
      [['--from', '1d', '--to', '2d'], /^lukhas: --from 1d: must be before --to 2d/],
    ] as const) {
      const run = await at.run(['export', ...args, '--out', 'x.zip']);
      expect([run.code, firstLine(run)], run.stderr).to.satisfy(([c, l]: [number, string]) => c === 2 && line.test(l));
    }
  });

  it('looks at --out before it makes keys or signs', async () => {
    const other = new Workspace();
    const ledger = await openLedger(other.db);
    await ledger.commit({ events: [finished('c-1', 1)] });
    await ledger.close();
    const run = await other.run(['export', ...FROM, '--out', 'nowhere/x.zip']);
    expect([run.code, firstLine(run)].join(' ')).to.match(/^2 .*folder not found/);
    expect(['keys', 'checkpoints'].filter((name) => existsSync(join(other.dir, name)))).to.deep.equal([]);
    await other.remove();
  });

  it('refuses in one line what it cannot do, and leaves nothing behind', async () => {
    const empty = at.file('letter.txt', 'dear all');
    // As a word processor's file is.
    const zip = at.file('other.zip', 'PK\x03\x04\x14\0\0\0\b\0'.padEnd(30, '\0').concat('word/document.xml'));
    symlinkSync('/dev/null', join(at.dir, 'device'));
    execFileSync('mkfifo', [join(at.dir, 'pipe')]);
    for (const [args, line] of [
      [['--out', 'x.zip', '--db', 'none.db'], /No log at .*none\.db/],
      [['--out', 'nowhere/x.zip'], /folder not found/],
      [['--out', empty], /letter.txt: already exists and is not a valid evidence pack; not overwritten/],
      [['--out', zip], /other.zip: already exists and is not a valid evidence pack/],
      [['--out', 'device'], /--out device: is a link, not a regular file/],
      [['--out', '/dev/null', '--force'], /--out \/dev\/null: is a pipe or a device/],
      [['--out', 'pipe'], /--out pipe: is a pipe or a device, not a regular file/],
      [['--out', '.'], /--out .: is a folder/],
      [['--out', `${'x.zip'.repeat(60)}`], /the name is too long/],
      [['--out', 'x.zip', '--model', 'a b'], /model name "a b" is not valid/],
      [['--out', 'x.zip', '--to', '2020-01-02T00:00:00Z'], /No entries before/],
    ] as const) {
      const run = await at.run(['export', ...FROM, ...args]);
      expect([run.code, firstLine(run)], run.stderr).to.satisfy(([c, l]: [number, string]) => c === 2 && line.test(l));
    }
    expect(readdirSync(at.dir).filter((name) => /x\.zip|\.tmp$|none/.test(name))).to.deep.equal([]);
    expect(readFileSync(empty, 'utf8')).to.equal('dear all');
    for (const args of [
      ['prove', '2', '--out', empty],
      ['prove', '2', '--out', 'pipe'],
      ['checkpoint', '--out', 'pipe'],
    ]) {
      const run = await at.run(args);
      expect([run.code, firstLine(run)].join(' ')).to.match(
        /^2 .*(is not a valid proof; not overwritten|is a pipe or a device)/,
      );
    }
    expect(lstatSync(join(at.dir, 'pipe')).isFIFO()).to.equal(true);
  });

  it('says when nothing fits what was asked for', async () => {
    await at.run(['keys', 'init']);
    const { code, stderr } = await at.run(['export', ...FROM, '--model', 'nobody', '--out', 'nobody.zip']);
    expect([code, stderr]).to.satisfy(
      ([c, e]: [number, string]) => c === 0 && /no entries match this window and filter/.test(e),
    );
    const all = await at.run(['export', ...FROM, '--out', 'all.zip']);
    expect(all.stderr).to.not.include('no entries');
  });

  it('takes - for no file, so that none of that name is written by mistake', async () => {
    const run = await at.run(['export', ...FROM, '--out', '-']);
    expect([run.code, firstLine(run)]).to.deep.equal([
      2,
      'lukhas: --out -: a pack is not written to standard output; name a file',
    ]);
    expect(readdirSync(at.dir)).not.to.include('-');
  });
});
