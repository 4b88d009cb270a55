import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../src/lib/app/config.js';

describe('docs/configuration.md', () => {
  let dir: string;
  let page: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-config-docs-'));
    page = await readFile('docs/configuration.md', 'utf8');
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const load = async (text: string) => {
    const config = join(dir, 'example.yaml');
    await writeFile(config, text);
    return loadConfig({ flags: { config }, env: { HOME: dir }, cwd: dir });
  };
  const shown = (key: string) =>
    page
      .split('\n')
      .find((line) => line.startsWith(`| \`${key}\` |`))
      ?.split('|')[2]
      ?.trim()
      .replaceAll('`', '');

  it('shows files that can be read', async () => {
    const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!);
    expect(examples).to.have.length(2);
    for (const example of examples) expect((await load(example)).source.kind).to.not.equal('none');
  });

  it('lists every key of a Prometheus and of a scraped source with its default', async () => {
    const { source } = await load('source: {kind: prometheus, url: "http://a"}');
    for (const [key, value] of Object.entries(source)) {
      if (['kind', 'url', 'arms', 'signals'].includes(key)) continue;
      expect(shown(key), key).to.equal(JSON.stringify(value));
    }
    const scrape = await load('source: {kind: scrape, canaryUrl: "http://a"}');
    for (const key of Object.keys(scrape.source)) expect(page, key).to.contain(`\`${key}`);
  });
});
