import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pageDocuments, readPages } from '../../../src/lib/search/pages.js';

describe("the product's pages", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lukhas-pages-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('are the README and everything in docs/', async () => {
    const { pages } = await readPages();
    const names = pages.map(({ name }) => name);
    expect(names).to.include.members(['readme', 'why', 'policy', 'decisions/0001-the-log-is-the-truth']);
    expect(pages.find(({ name }) => name === 'why')?.title).to.equal('Why: the narrative and the numbers');
    expect(new Set(names).size).to.equal(names.length);
  });

  it('are found from any depth of the package, and have another digest when they change', async () => {
    await mkdir(join(folder, 'dist', 'commands'), { recursive: true });
    await mkdir(join(folder, 'docs'));
    await writeFile(join(folder, 'package.json'), '{"name":"lukhas"}');
    await writeFile(join(folder, 'README.md'), '# lukhas\n');
    await writeFile(join(folder, 'docs', 'a.md'), '# A\n\nfirst\n');
    const before = await readPages(join(folder, 'dist', 'commands'));
    expect(before.pages.map(({ name }) => name)).to.deep.equal(['readme', 'a']);
    expect(await readPages(join(folder, 'dist'))).to.deep.equal(before);
    await writeFile(join(folder, 'docs', 'a.md'), '# A\n\nsecond\n');
    expect((await readPages(folder)).digest).to.not.equal(before.digest);
  });

  it('are none where the product was bundled into another program', async () => {
    await writeFile(join(folder, 'package.json'), '{"name":"another"}');
    expect((await readPages(folder)).pages).to.deep.equal([]);
  });

  it('are split at their sections, but not within code', () => {
    const text =
      '# T\n\nintro\n\n## One thing, `two`\n\nbody\n\n```sh\n## no heading\n# nor this\n```\n\n### sub\n\n## End\n\nbye\n';
    expect(pageDocuments({ name: 'p', title: 'T', text })).to.deep.equal([
      { id: 'doc:p', title: 'T', body: 'intro' },
      {
        id: 'doc:p#one-thing-two',
        title: 'T: One thing, `two`',
        body: 'body\n\n```sh\n## no heading\n# nor this\n```\n\n### sub',
      },
      { id: 'doc:p#end', title: 'T: End', body: 'bye' },
    ]);
  });
});
