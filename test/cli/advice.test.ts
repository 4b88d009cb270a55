import { expect } from 'chai';
import { placed, shellWord } from '../../src/cli/advice.js';

const SHARED = [
  ['db', true],
  ['config', true],
  ['json', false],
] as const;
const shape = (args: number, ...flags: (readonly [string, boolean])[]) => ({
  args,
  flags: new Map([...SHARED, ...flags]),
});
const COMMANDS = new Map([
  ['why', shape(1)],
  ['why-math', shape(1)],
  ['verify', shape(1)],
  ['serve', shape(0)],
  ['plan', shape(0)],
  ['search', shape(1)],
  ['checkpoint', shape(0, ['old-key', true])],
  ['db rebuild', shape(0)],
  ['keys init', shape(0)],
  ['keys show', shape(0, ['role', true], ['form', true])],
  ['canary list', shape(0, ['model', true])],
  ['canary start', shape(0, ['model', true], ['from', true], ['to', true])],
  ['canary approve', shape(1, ['reason', true])],
  ['canary resume', shape(1)],
  ['canary retry', shape(1)],
  ['gate list', shape(0)],
  ['gate promote', shape(2)],
  ['job run', shape(1, ['config-file', true])],
  ['job status', shape(1)],
  ['witness key', shape(0)],
]);
const DB = { db: '/srv/l.db' };

describe('advice about a log that was named by flags', () => {
  const on = (text: string, place: { db?: string; config?: string } = DB) => placed(text, place, COMMANDS);

  it('has command lines about the same log: the flag follows their arguments and flags', () => {
    for (const [said, shown] of [
      ['lukhas why c-1', 'lukhas why c-1 --db /srv/l.db'],
      ['For the numbers: lukhas why-math c-1', 'For the numbers: lukhas why-math c-1 --db /srv/l.db'],
      ['Create the keys: lukhas keys init', 'Create the keys: lukhas keys init --db /srv/l.db'],
      [
        'lacks 1 of 2 jobs: run lukhas db rebuild. More.',
        'lacks 1 of 2 jobs: run lukhas db rebuild --db /srv/l.db. More.',
      ],
      [
        'List: lukhas canary list, lukhas gate list',
        'List: lukhas canary list --db /srv/l.db, lukhas gate list --db /srv/l.db',
      ],
      ['a: lukhas canary approve c-1 --reason "a, b."', 'a: lukhas canary approve c-1 --reason "a, b." --db /srv/l.db'],
      [
        'x: lukhas canary resume c-1 (a running lukhas serve does it too)',
        'x: lukhas canary resume c-1 --db /srv/l.db (a running lukhas serve does it too)',
      ],
      [
        'a `lukhas serve` on it, or run: lukhas canary resume c-1',
        'a `lukhas serve --db /srv/l.db` on it, or run: lukhas canary resume c-1 --db /srv/l.db',
      ],
      [
        '(lukhas keys show --role log --form vkey prints it)',
        '(lukhas keys show --role log --form vkey --db /srv/l.db prints it)',
      ],
      [
        'Start: lukhas canary start --model m --from GATE --to g',
        'Start: lukhas canary start --model m --from GATE --to g --db /srv/l.db',
      ],
      ['All: lukhas job status j-1 --json', 'All: lukhas job status j-1 --json --db /srv/l.db'],
      [
        '  resume: lukhas canary resume c-1\n  next: lukhas why c-1',
        '  resume: lukhas canary resume c-1 --db /srv/l.db\n  next: lukhas why c-1 --db /srv/l.db',
      ],
      ['Then: lukhas gate promote m-2 production', 'Then: lukhas gate promote m-2 production --db /srv/l.db'],
    ] as const)
      expect(on(said)).to.equal(shown);
  });

  it('fills in a placeholder, and keeps a path that is there', () => {
    expect(on('Run `lukhas verify --db FILE` to see.')).to.equal('Run `lukhas verify --db /srv/l.db` to see.');
    expect(on('See it with `lukhas verify --db`.')).to.equal('See it with `lukhas verify --db /srv/l.db`.');
    expect(on('All: lukhas verify --db /other.db')).to.equal('All: lukhas verify --db /other.db');
    expect(on(on('lukhas why c-1'))).to.equal('lukhas why c-1 --db /srv/l.db');
  });

  it('names the configuration too, by the flag that the command has for it', () => {
    const both = { db: 'a.db', config: '/etc/l.yaml' };
    expect(on('lukhas why c-1', both)).to.equal('lukhas why c-1 --db a.db --config /etc/l.yaml');
    expect(on('x: lukhas job run t --config C', { config: '/etc/l.yaml' })).to.equal(
      'x: lukhas job run t --config C --config-file /etc/l.yaml',
    );
  });

  it('leaves sentences alone, other programs, and commands that read no log', () => {
    for (const text of [
      'More requests. lukhas plan computes both for a policy.',
      'no data: lukhas does not promote while data is missing',
      'Print it on the witness: lukhas witness key',
      'Install lukhas again: npm install -g lukhas',
      'lukhas: stopped watching c-1',
    ])
      expect(on(text)).to.equal(text);
  });

  it('can be pasted into a shell, whatever the path', () => {
    expect(on('lukhas why c-1', { db: "it's $& here.db" })).to.equal("lukhas why c-1 --db 'it'\\''s $& here.db'");
    expect(shellWord('plain/x-1.db')).to.equal('plain/x-1.db');
  });
});
