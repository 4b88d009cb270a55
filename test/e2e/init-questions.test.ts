import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Workspace } from './lukhas.js';
import { serve } from './metrics-page.js';
import { PromClientService } from './prom-client-service.js';
import { Typist } from './typist.js';

const ENTER = '\n';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

describe('lukhas init, asking in a terminal', () => {
  let [v1, v2]: [string, string] = ['', ''];
  const services: PromClientService[] = [];
  let where: Workspace;

  before(async () => {
    for (const version of ['v1', 'v2'])
      services.push(await PromClientService.start({ version, perSecond: 30, failing: 0 }));
    [v1, v2] = services.map(({ url }) => url) as [string, string];
  });
  after(() => {
    for (const service of services) service.stop();
  });
  beforeEach(() => {
    where = new Workspace();
  });
  afterEach(() => where.remove());

  const text = (name: string) => readFileSync(join(where.dir, name), 'utf8');
  const files = () => readdirSync(where.dir).filter((name) => name.endsWith('.yaml'));
  const exit = async (typist: Typist, code: number) => expect(await typist.end(), typist.shown).to.equal(code);

  it('asks for the page of either version, and asks again after what is no answer', async () => {
    const typist = new Typist(where, 'init --measure 0');
    for (const [question, answer] of [
      ['number [1]: ', '3\n'],
      ['a number from 1 to 2\nnumber [1]: ', 'page\n'],
      ['a number from 1 to 2\nnumber [1]: ', ENTER],
      ['address of the page: ', ENTER],
      ['address of the page: ', 'fraud:8080\n'],
      ['address: must start with http:// or https://', ''],
      ['address of the page: ', `${v2}\n`],
      ['[none]: ', `${v2}\n`],
      ['address: must not be the page of the canary', ''],
      ['[none]: ', `${v1}\n`],
      ['[Y/n]: ', 'perhaps\n'],
      ['y or n\n', ''],
      ['[Y/n]: ', ENTER],
    ] as const)
      await typist.types(question, answer);
    await exit(typist, 0);
    expect(text('lukhas.yaml')).to.contain(`canaryUrl: ${v2}\n  baselineUrl: ${v1}\n`);
    expect(typist.shown).to.match(/^next: lukhas canary start /m);
  });

  it('writes nothing and names no next command where a person does not want it', async () => {
    const typist = new Typist(where, `init --measure 0 --url ${v2} --baseline-url ${v1}`);
    await typist.types('[Y/n]: ', 'n\n');
    await exit(typist, 0);
    expect(files()).to.deep.equal([]);
    expect(typist.shown).to.contain('Nothing was written.').and.not.to.contain('next:');
  });

  it('replaces files only after a yes', async () => {
    const command = `init --measure 0 --url ${v2} --baseline-url ${v1}`;
    where.file('lukhas.yaml', 'mine');
    const no = new Typist(where, command);
    await no.types('overwrite lukhas.yaml? [y/N]: ', ENTER);
    await exit(no, 0);
    expect([files(), text('lukhas.yaml')]).to.deep.equal([['lukhas.yaml'], 'mine']);
    const yes = new Typist(where, command);
    await yes.types('overwrite lukhas.yaml? [y/N]: ', 'y\n');
    await exit(yes, 0);
    expect(text('lukhas.yaml')).to.contain('signals:');
    expect(files()).to.deep.equal(['lukhas.yaml', 'slo.yaml']);
  });

  it('asks nothing with --yes, and then replaces nothing without --force', async () => {
    where.file('slo.yaml', 'mine');
    const command = `init --measure 0 --url ${v2} --baseline-url ${v1} --yes`;
    const refused = new Typist(where, command);
    await exit(refused, 2);
    expect(refused.shown).to.contain('slo.yaml: already exists').and.not.to.contain('[y/N]');
    await exit(new Typist(where, `${command} --force`), 0);
    expect(text('slo.yaml')).not.to.equal('mine');
  });

  it('ends with Ctrl-C and Ctrl-D at a question, and with Ctrl-C while it measures', async () => {
    for (const [command, question, key, code] of [
      ['init', 'number [1]: ', CTRL_C, 130],
      ['init --measure 0', 'number [1]: ', CTRL_D, 1],
      [`init --measure 0 --url ${v1}`, '[Y/n]: ', CTRL_C, 130],
      [`init --measure 1h --url ${v1}`, 'measuring the traffic', CTRL_C, 130],
    ] as const) {
      const typist = new Typist(where, command);
      await typist.types(question, key);
      await exit(typist, code);
      expect(typist.shown).not.to.match(/^ +at /m);
    }
    expect(files()).to.deep.equal([]);
  });

  it('takes the label and the values that are chosen', async () => {
    const page = [1, 2, 3]
      .flatMap((n) => [`requests_total{version="v${n}",track="${n === 3 ? 'canary' : 'stable'}",code="200"} ${n}00`])
      .join('\n');
    const one = await serve((_, response) => response.end(`${page}\n`));
    try {
      const typist = new Typist(where, `init --measure 0 --url ${one.url}`);
      await typist.types('Which label tells the versions apart?', ENTER);
      await typist.types('Which one is the canary?', '2\n');
      await typist.types('Which one is the baseline?', '2\n');
      await typist.types('[Y/n]: ', ENTER);
      await exit(typist, 0);
      expect(text('lukhas.yaml')).to.contain('canary: { version: v2 }\n  baseline: { version: v1 }\n');
    } finally {
      await one.close();
    }
  });
});
