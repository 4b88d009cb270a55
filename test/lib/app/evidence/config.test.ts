import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { publicationOf } from '../../../../src/cli/publication-flags.js';
import { loadConfig } from '../../../../src/lib/app/config.js';
import { formatVkey, SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { ALICE, BOB } from '../../evidence/signers.js';

const witness = (name: string, { publicKey } = BOB) => ({ name, type: SIGNATURE_TYPE.cosignature, publicKey });

describe('evidence in the configuration', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-evidence-config-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const load = async (text: string) => {
    const config = join(dir, 'lukhas.yaml');
    await writeFile(config, text);
    return loadConfig({ flags: { config }, env: { HOME: dir }, cwd: dir });
  };
  const problem = async (evidence: object): Promise<string> =>
    load(JSON.stringify({ evidence })).then(
      () => 'none',
      (error: Error) => error.message,
    );

  it('is empty unless it is there', async () => {
    expect((await load('')).evidence).to.deep.equal({ witnesses: [], anchors: [] });
  });

  it('is read as docs/witness.md shows it, paths from the file', async () => {
    const page = await readFile('docs/witness.md', 'utf8');
    const { evidence } = await load(/```yaml\n(.*?)```/s.exec(page)?.[1] ?? '');
    expect(evidence.witnesses.map(({ url, key }) => [url, key.name])).to.deep.equal([
      ['https://witness.example.com', 'witness.example.com'],
    ]);
    expect(evidence.anchors.map(({ kind }) => kind)).to.deep.equal(['file', 'git', 'webhook', 'tsa']);
    expect(evidence.anchors[1]).to.include({ signingKey: join(dir, '.ssh/audit'), push: true });
    const { evidence: relative } = await load('evidence: {anchors: [{kind: file, path: kept/anchor}]}');
    expect(relative.anchors).to.deep.equal([{ kind: 'file', path: join(dir, 'kept/anchor') }]);
  });

  it('says what is wrong with it', async () => {
    const vkey = formatVkey(witness('w'));
    const log = formatVkey({ ...witness('w'), type: SIGNATURE_TYPE.note });
    expect(await problem({ witnesses: [{ url: 'w', vkey }] })).to.include('evidence.witnesses[0].url: is not a URL');
    expect(await problem({ witnesses: [{ url: 'http://a:b@w', vkey }] })).to.include(
      'contains a user name or password',
    );
    expect(await problem({ witnesses: [{ url: 'http://w', vkey: log }] })).to.include('is not a witness key');
    expect(await problem({ anchors: [{ kind: 'tsa', url: 'http://t' }] })).to.include('anchors[0].caFile: is missing');
    expect(await problem({ anchors: [{ kind: 'fiel', path: 'a' }] })).to.include('did you mean file?');
    expect(await problem({ witness: [] })).to.include('did you mean witnesses?');
  });

  it('gives way to flags, kind by kind', async () => {
    const [one, two] = [witness('one'), witness('two', ALICE)];
    const config = await load(
      JSON.stringify({
        evidence: { witnesses: [{ url: 'http://one', vkey: formatVkey(one) }], anchors: [{ kind: 'file', path: 'a' }] },
      }),
    );
    expect(await publicationOf({}, config)).to.deep.equal(config.evidence);
    await writeFile(join(dir, 'keys'), `# of others\n${formatVkey(two)}\n`);
    const flags = { witness: ['http://two'], 'witness-key': 'keys' };
    expect(await publicationOf(flags, config)).to.deep.equal({
      witnesses: [{ url: 'http://two', key: two }],
      anchors: config.evidence.anchors,
    });
    const anchor = ['file:b', 'git:c', 'webhook:http://w/x'];
    expect(await publicationOf({ witness: ['http://one'], anchor }, config)).to.deep.equal({
      witnesses: config.evidence.witnesses,
      anchors: [
        { kind: 'file', path: join(dir, 'b') },
        { kind: 'git', repository: join(dir, 'c') },
        { kind: 'webhook', url: 'http://w/x' },
      ],
    });
  });
});
