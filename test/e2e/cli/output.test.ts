import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { canaryId, expectNoInsides, ROOT, Workspace } from '../lukhas.js';
import { observations } from '../observations.js';

/** Arguments with which each command prints something and can be run again and again. */
const ARGS: Record<string, readonly string[] | null> = {
  'canary:abort': ['c-none00', '--reason', 'r'],
  'canary:approve': ['c-none00', '--reason', 'r'],
  'canary:list': [],
  'canary:promote': ['c-none00', '--reason', 'r'],
  'canary:reject': ['c-none00', '--reason', 'r'],
  'canary:resume': ['ID'],
  'canary:retry': ['ID'],
  'canary:review': ['ID', '--reason', 'r'],
  'canary:start': ['--model', 'm', '--from', 'a', '--to', 'b', '--policy', 'p.yaml', '--source', 'none', '--detach'],
  'canary:status': ['ID'],
  checkpoint: [],
  // Makes one more copy each time.
  'db:backup': ['--to', 'copies', '--recipient', 'RECIPIENT'],
  'db:maintain': ['--dry-run'],
  'db:rebuild': [],
  'db:restore': ['no-such-copy.age', '--identity', 'no-such-key'],
  'db:status': [],
  // Takes long; below.
  demo: null,
  doctor: [],
  export: ['--from', '30d', '--out', 'pack.zip'],
  'gate:history': ['b'],
  'gate:list': [],
  'gate:promote': ['m', 'b', '--dry-run'],
  init: ['--url', 'http://127.0.0.1:1/metrics'],
  'job:cancel': ['j-none00'],
  'job:list': [],
  'job:run': ['probe', '--detach'],
  'job:status': ['j-none00'],
  'keys:init': [],
  'keys:show': [],
  observe: ['requests.csv', '--every', '5s', '--out', 'observations.ndjson'],
  plan: ['--rps', '20', '--max-error-rate', '0.02', '--window', '2m'],
  'policy:lint': ['p.yaml'],
  'policy:schema': [],
  prove: ['ID'],
  replay: ['--canary', 'ID', '--set', 'targets.max_error_rate=0.5'],
  search: ['m'],
  // Nothing on standard output; in serve.test.ts and below.
  serve: null,
  smoke: ['http://127.0.0.1:1'],
  verify: [],
  watch: ['--once'],
  why: ['ID'],
  'why-math': ['ID'],
  'witness:key': ['--db-dir', 'witness', '--name', 'example.org/w'],
  'witness:serve': null,
};

const POLICY = 'windowSeconds: 60\nintervalSeconds: 1\ntargets: { max_error_rate: 0.02 }\n';

describe('output that cannot be written', () => {
  let workspace: Workspace;
  let id: string;
  let recipient: string;
  const names = (Object.keys(ARGS) as string[]).filter((name) => ARGS[name] !== null);
  const words = (name: string) => {
    const given: Record<string, string> = { ID: id, RECIPIENT: recipient };
    const args = (ARGS[name] ?? []).map((arg) => given[arg] ?? arg);
    return [...name.split(':'), ...args].map((word) => `'${word}'`).join(' ');
  };

  before(async () => {
    workspace = new Workspace();
    workspace.file('p.yaml', POLICY);
    workspace.file('requests.csv', 'time,version,latency,ok\n1767225600,v2,80,true\n1767225606,v2,90,false\n');
    workspace.file('failing.ndjson', observations(20, { total: 50, bad: 30 }));
    const run = await workspace.shell(`cd ${workspace.dir} && lukhas ${judged}`);
    expect(run.code, run.stderr).to.equal(3);
    id = canaryId(run);
    await workspace.run(['keys', 'init']);
    recipient = /public key: (\S+)/.exec(execFileSync('age-keygen').toString())![1]!;
  });
  after(() => workspace.remove());

  const judged = 'canary start --model m --from a --to b --policy p.yaml --source ndjson --input failing.ndjson';
  const sh = (command: string) => workspace.shell(`cd ${workspace.dir}; ${command}`);

  it('is tried with every command', () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8')) as { commands: object };
    expect(Object.keys(ARGS).sort()).to.deep.equal(Object.keys(manifest.commands).sort());
  });

  for (const name of names)
    it(`does not look like success, nor like a bug: ${name.replace(':', ' ')}`, async () => {
      const command = words(name);
      const normal = await sh(`lukhas ${command}`);
      const full = await sh(`lukhas ${command} > /dev/full`);
      const json = await sh(`lukhas ${command} --json > /dev/full`);
      const left = await sh(`{ lukhas ${command} 2> /dev/full; echo $? >&2; } | true`);
      const unheard = await sh(`lukhas ${command} 2>&-`);
      const printed = normal.stdout !== '';
      for (const run of [normal, full, json, left, unheard]) expectNoInsides(run);
      expect(full.code, full.stderr).to.equal(printed ? normal.code || 1 : normal.code);
      expect(json.code, json.stderr).to.equal(normal.code || 1);
      expect(json.stderr).to.contain('standard output could not be written: ENOSPC');
      expect(left.stderr.trim()).to.equal(String(printed ? normal.code || 141 : normal.code));
      expect(unheard.code).to.equal(normal.code);
    });

  it('leaves the exit code of a verdict as it is', async () => {
    for (const more of ['', '--json']) {
      const full = await sh(`lukhas ${judged} ${more} > /dev/full`);
      expect(full.code, full.stderr).to.equal(3);
      const left = await sh(`{ lukhas ${judged} ${more} 2> /dev/full; echo $? >&2; } | true`);
      expect(left.stderr.trim()).to.equal('3');
      const both = await sh(`lukhas ${judged} ${more} > /dev/full 2> /dev/full`);
      expect(both.code).to.equal(3);
    }
  });

  it('does not advise to act again, but tells what shows the result', async () => {
    const canary = await sh(`lukhas ${judged} > /dev/full`);
    expect(canary.stderr).to.contain(`See the result with: lukhas canary status ${canaryId(canary)}`);
    const job = await sh('lukhas job run probe > /dev/full');
    expect(job.stderr).to.match(/See the result with: lukhas job status j-\w+$/m);
    for (const { stderr } of [canary, job]) expect(stderr).not.to.contain('and run it again');
    const dry = await sh('lukhas gate promote m b --dry-run > /dev/full');
    expect(dry.stderr).to.contain('See the result with: lukhas gate list');
    const read = await sh('lukhas gate list > /dev/full');
    expect(read.stderr).to.contain('and run it again');
  });

  it('drives a canary on when the reader of its progress goes away', async () => {
    const run = await sh(`{ lukhas ${judged} 2>&1 >/dev/null; echo $? > code; } | head -1; cat code`);
    expect(run.stdout).to.match(/^started c-\S+: m from a to b\n3\n$/);
  });

  it('does not wait for a reader of progress that reads nothing', async () => {
    const run = await sh(`mkfifo progress; exec 9<>progress; head -c 65536 /dev/zero >&9; lukhas ${judged} 2>progress`);
    expect(run.code).to.equal(3);
    expect(run.stdout).to.contain('ROLLED BACK');
  });

  it('is complete before the process ends, however slowly it is read', async () => {
    // More than a pipe holds.
    const sweep = `lukhas replay --canary ${id} --sweep targets.max_error_rate=0.01:0.3:0.001 --json`;
    const slow = await sh(`${sweep} | { sleep 1; cat; }`);
    expect(slow.stdout.length).to.be.greaterThan(65_536);
    expect(JSON.parse(slow.stdout)).to.have.property('canaries');
  });
});
