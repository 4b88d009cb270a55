import Database from 'better-sqlite3';
import { expect } from 'chai';
import { presentMath } from '../../../src/cli/present-math.js';
import { presentNarrative } from '../../../src/cli/present-narrative.js';
import { why, whyMath } from '../../../src/lib/app/explanations.js';
import { STORIES, Story } from '../../lib/explain/stories.js';
import { unguard } from '../../lib/ledger/sqlite/unguarded.js';
import { canaryId, expectNoInsides, firstLine, onlyDocument, Workspace } from '../lukhas.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const POLICY = JSON.stringify({ windowSeconds: 60, intervalSeconds: 5, targets: { max_error_rate: 0.02 } });
const LOOKS = Array.from({ length: 12 }, (_, i) => {
  const [from, t] = [START + i * 5000, START + (i + 1) * 5000];
  return JSON.stringify({ v: 1, tick: i + 1, t, from, canary: { errors: { state: 'ok', bad: 80, total: 500 } } });
}).join('\n');

describe('lukhas why and lukhas why-math', () => {
  let workspace: Workspace;
  let id: string;

  before(async () => {
    workspace = new Workspace();
    const [policy, input] = [workspace.file('policy.json', POLICY), workspace.file('looks.ndjson', LOOKS)];
    const flags = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production', '--policy', policy];
    id = canaryId(await workspace.run(['canary', 'start', ...flags, '--input', input]));
  });

  after(() => workspace.remove());

  it('tell a canary by its id, by the beginning of it, and under both names', async () => {
    const asked = [
      ['why', id],
      ['canary', 'why', id.slice(0, -4)],
      ['why', id, '--format', 'md'],
    ];
    const [whole, short, md] = await Promise.all(asked.map((args) => workspace.run(args)));
    expect(whole).to.include({ code: 0, stderr: '' });
    expect(whole!.stdout).to.match(/^fraud-v2 was rolled back on its way from stage to production\.\n\nRequest\n {2}/);
    expect(whole!.stdout).to.contain("By the input's times, 5 s into the window");
    expect(short!.stdout).to.equal(whole!.stdout);
    expect(md!.stdout).to.match(/^# fraud-v2 was rolled back/);
    expect(onlyDocument(await workspace.run(['why', id, '--json']))).to.deep.include({
      id,
      about: 'canary',
      state: 'ROLLED_BACK',
      asOf: null,
      text: whole!.stdout.trimEnd(),
    });
  });

  it('give the numbers', async () => {
    const [plain, json] = await Promise.all([
      workspace.run(['why-math', id]),
      workspace.json(['canary', 'why-math', id.slice(0, -4)]),
    ]);
    expect(plain).to.include({ code: 0, stderr: '' });
    expect(plain.stdout).to.match(/^error_rate +2% +16% +.* +80 of 500 +over a million:1 +no /m);
    expect(plain.stdout).to.match(/^evidence +[▁▂▃▄▅▆▇█]+ /m);
    expect(plain.stdout).to.contain('recorded and recomputed verdict agree to the byte');
    expect(json).to.deep.include({
      id,
      decision: 'rollback',
      thresholds: { latency_p95_ms: null, max_error_rate: 0.02, max_drift: null },
      observed: { latency_p95_ms: null, error_rate: 0.16, drift: null },
      time_to_action_sec: 5,
    });
  });

  it('say that they know nothing of a name, with code 2', async () => {
    const runs = await Promise.all(
      ['why', 'why-math']
        .flatMap((c) => [
          [c, 'c-1'],
          [c, 'c-1', '--json'],
        ])
        .map((args) => workspace.run(args)),
    );
    expect(runs.map((run) => run.code)).to.deep.equal([2, 2, 2, 2]);
    for (const run of [runs[0]!, runs[2]!]) {
      expect(run.stdout).to.equal('');
      expect(firstLine(run)).to.match(/^lukhas: "c-1" not found: /);
    }
    expect(onlyDocument(runs[1]!)).to.include({ id: 'c-1', about: 'unknown' });
    expect(onlyDocument(runs[3]!)).to.include({ id: 'c-1', decision: 'unknown', time_to_action_sec: null });
  });

  it('tell it as it was then, and refuse what is no time', async () => {
    const [before, later, no] = await Promise.all(
      ['1h', '0s', 'noon'].map((at) => workspace.run(['why', id, '--at', at])),
    );
    expect(before).to.include({ code: 2, stdout: '' });
    expect(later!.code).to.equal(0);
    expect(later!.stdout).to.match(/^As of .* UTC: fraud-v2 was rolled back/);
    expect(no!.code).to.equal(2);
    expect(firstLine(no!)).to.match(/^lukhas: --at: "noon" is not a valid time/);
  });

  it('shout, with code 7, when the record does not hold', async () => {
    const db = new Database(workspace.db);
    unguard(db);
    db.exec(`UPDATE canary_metrics SET body = replace(body, '"bad":80', '"bad":79')`);
    db.close();
    const [plain, json] = await Promise.all([
      workspace.run(['why-math', id]),
      workspace.run(['why-math', id, '--json']),
    ]);
    expect([plain.code, json.code]).to.deep.equal([7, 7]);
    expect(plain.stdout).to.contain('THE RECORD DOES NOT HOLD').and.to.contain('are not those that were judged');
    expect(plain.stderr).to.contain(`lukhas: ${id}: THE RECORD DOES NOT HOLD`);
    expectNoInsides(plain);
    expect(onlyDocument(json)['check']).to.deep.include({ status: 'differs' });
  });
});

describe('an explanation in a terminal', () => {
  const terminal = { isTTY: true, columns: 60 } as unknown as NodeJS.WriteStream;
  let story: Story;
  beforeEach(async () => {
    story = await Story.begin();
    await STORIES['rolled-back']!(story);
  });
  afterEach(() => story.end());

  it('is broken between words to its width, in the colour of the outcome', async () => {
    const narrative = await why({ ledger: story.at.ledger, canaries: story.canaries }, story.id);
    const plain = String(presentNarrative(narrative, terminal, true));
    const colored = presentNarrative(narrative, terminal).sequences;
    expect(Math.max(...plain.split('\n').map((line) => line.length))).to.be.at.most(60);
    expect(plain.split(/\s+/)).to.include.members(narrative.sections.flatMap((s) => s.sentences.join(' ').split(' ')));
    expect(plain).not.to.contain('\u001b');
    expect(colored.startsWith('\u001b[31m')).to.equal(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
    expect(colored.replace(/\u001b\[\d+m/g, '')).to.equal(plain);
  });

  it('has its numbers in columns that fit, and what does not hold in red', async () => {
    const math = await whyMath({ ledger: story.at.ledger, canaries: story.canaries }, story.id);
    const check = { ...math.check!, status: 'differs' as const, problems: ['x\u001b[2Jy'] };
    const text = presentMath({ ...math, check }, terminal).sequences;
    expect(text).to.contain('\u001b[31m\u001b[1mrecomputed');
    expect(text).not.to.contain('\u001b[2J');
    const narrow = String(presentMath(math, terminal, true)).split('\n');
    expect(Math.max(...narrow.map((line) => line.length))).to.be.at.most(60);
    expect(narrow).to.include('LIMIT           250 ms');
    const rows = String(presentMath(math, { ...terminal, columns: 160 } as NodeJS.WriteStream, true)).split('\n');
    const head = rows.find((row) => row.startsWith('OBJECTIVE'))!;
    const row = rows.find((line) => line.startsWith('latency_p95_ms '))!;
    expect(row.slice(head.indexOf('LIMIT'))).to.match(/^250 ms/);
    expect(row.slice(head.indexOf('DESIGN EFFECT'))).to.match(/^1\.\d+ \(baseline\)/);
    expect(rows.join('\n')).to.match(
      /^buckets +latency_p95_ms: a rollback counts above 400 ms, a promotion above 200 ms/m,
    );
  });
});
