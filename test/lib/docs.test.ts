import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { loadConfig } from '../../src/lib/app/config.js';
import { EXIT } from '../../src/lib/errors.js';
import { MISSING_STATES } from '../../src/lib/judge/observation.js';
import { DEFAULT_SIGNALS } from '../../src/lib/metrics/signals/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  commands: Record<string, { flags: Record<string, unknown> }>;
}

const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(text('oclif.manifest.json')) as Manifest;
const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };

/** README and its neighbours, and every page of docs/; paths from the root. */
const PAGES = [
  ...readdirSync(ROOT).filter((file) => file.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

const FENCE = /^```(\w*)\n(.*?)^```$/gms;

/** What a page shows as code: lines of its blocks, continued ones joined, and spans in the text. */
function code(page: string): string[] {
  const blocks = [...page.matchAll(FENCE)].flatMap(([, , block]) => block!.replace(/\\\n\s*/g, '').split('\n'));
  const spans = [...page.replace(FENCE, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
  return [...blocks, ...spans];
}

/** Commands in a line of code, as words and flags: `lukhas canary list --json | jq` is one. */
function commandsIn(line: string): { words: string[]; flags: string[] }[] {
  return [...line.matchAll(/(?<![\w./-])lukhas( [^|;`)]*)/g)].map(([, rest]) => {
    const parts = rest!
      .trim()
      .split(/\s+/)
      .map((part) => part.replace(/["'\],.):]+$/, ''));
    const end = parts.findIndex((part) => !/^[a-z][a-z-]*$/.test(part));
    const flags = parts.map((part) => /^--([a-z][a-z0-9-]*)/.exec(part)?.[1]).filter((flag) => flag !== undefined);
    return { words: end < 0 ? parts : parts.slice(0, end), flags };
  });
}

/** A command's id in the manifest: the longest beginning of the words that is one. */
function known(words: readonly string[]): string | undefined {
  return [words.slice(0, 2).join(':'), words[0] ?? ''].find((id) => Object.hasOwn(manifest.commands, id));
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): Set<string> {
  const headings = page.replace(FENCE, '').matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map(([, title]) => slug(title!)));
}

function slug(title: string): string {
  const plain = title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return plain.replace(/ /g, '-');
}

/** First column of the table below a heading. */
function firstColumn(page: string, heading: string): string[] {
  const section = page.split(new RegExp(`^#+ ${heading}$`, 'm'))[1]?.split(/^#/m)[0] ?? '';
  const rows = [...section.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => cell!.replaceAll('`', ''));
  return rows.slice(1);
}

describe('the documents', () => {
  for (const name of PAGES) {
    describe(name, () => {
      const page = text(name);

      it('links to files and headings that exist', () => {
        const links = [...page.replace(FENCE, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
        for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
          const [path = '', anchor] = link.split('#');
          const target = path === '' ? join(ROOT, name) : resolve(ROOT, dirname(name), path);
          expect(existsSync(target), `${link}: no such file`).to.equal(true);
          if (anchor === undefined) continue;
          expect(anchors(readFileSync(target, 'utf8')), `${link} in ${relative(ROOT, target)}`).to.include(anchor);
        }
      });

      it('shows commands and flags that exist', () => {
        for (const line of code(page)) {
          for (const { words, flags } of commandsIn(line)) {
            if (words.length === 0) {
              // A sentence that names the product, or `lukhas --help`.
              expect(['help'], line).to.include.members(flags);
              continue;
            }
            const id = known(words);
            expect(id, `no such command: ${line}`).to.not.equal(undefined);
            const allowed = ['help', ...Object.keys(manifest.commands[id!]!.flags)];
            expect(allowed, line).to.include.members(flags);
          }
        }
      });

      it('shows scripts and benchmarks that exist', () => {
        for (const line of code(page)) {
          for (const [, script] of line.matchAll(/npm run (?:-s )?([a-z][a-z0-9:-]*)/g)) {
            expect(scripts, line).to.have.property(script!);
          }
          for (const [, bench] of line.matchAll(/npm run bench -- ([a-z][a-z0-9-]*)/g)) {
            expect(existsSync(join(ROOT, 'bench', `${bench}.ts`)), line).to.equal(true);
          }
        }
      });
    });
  }

  it('give every exit code its row', () => {
    const wanted = [...new Set<number>(Object.values(EXIT))].sort((a, b) => a - b).map(String);
    for (const name of ['README.md', 'docs/errors.md']) {
      expect(firstColumn(text(name), 'Exit codes'), name).to.deep.equal([...wanted, '130, 143', '141']);
    }
  });

  it('are listed in the index of docs/', () => {
    const index = text('docs/README.md');
    const pages = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md') && file !== 'README.md');
    for (const file of pages) expect(index).to.include(`(${file})`);
    const decisions = readdirSync(join(ROOT, 'docs/decisions')).filter((file) => /^\d{4}-/.test(file));
    for (const file of decisions) expect(text('docs/decisions/README.md')).to.include(`(${file})`);
  });

  it('explain every state of missing data', () => {
    expect(firstColumn(text('docs/metrics.md'), 'States')).to.deep.equal([...MISSING_STATES]);
  });

  it('name the metrics that are expected', () => {
    const page = text('docs/metrics.md');
    const { requests, errors, histograms, inflight } = DEFAULT_SIGNALS;
    for (const metric of [requests, errors?.count, histograms['latency']?.histogram, 'model_score', inflight])
      expect(page).to.include(`\`${metric}\``);
  });

  it('show configuration that can be read', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lukhas-docs-'));
    try {
      const examples = [...text('docs/metrics.md').matchAll(/```yaml\n(.*?)```/gs)].map(([, example]) => example!);
      expect(examples).to.have.length(4);
      for (const example of examples) {
        const config = join(dir, 'lukhas.yaml');
        writeFileSync(config, example);
        const { source } = await loadConfig({ flags: { config }, env: { HOME: dir }, cwd: dir });
        expect(source.kind).to.be.oneOf(['scrape', 'prometheus']);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
