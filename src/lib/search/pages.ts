import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Document } from '../ledger/index.js';

/** One of the product's own pages. */
interface Page {
  /** Without folder and ending: `why`, `decisions/0001-the-log-is-the-truth`, `readme`. */
  name: string;
  title: string;
  /** Markdown. */
  text: string;
}

export interface Pages {
  pages: readonly Page[];
  /** Changes with the pages. */
  digest: string;
  /** Of lukhas; empty where it was bundled into another program. */
  version: string;
}

/** The pages that are shipped with the product; none where it was bundled into another program without them. */
export async function readPages(from = dirname(fileURLToPath(import.meta.url))): Promise<Pages> {
  const found = await packageRoot(from);
  const root = found?.folder ?? null;
  const files = root === null ? [] : [join(root, 'README.md'), ...(await markdownIn(join(root, 'docs')))];
  const pages: Page[] = [];
  const digest = createHash('sha256');
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const name = file === files[0] ? 'readme' : file.slice(join(root as string, 'docs/').length, -'.md'.length);
    pages.push({ name, title: /^# (.+)$/m.exec(text)?.[1] ?? name, text });
    digest.update(JSON.stringify([name, text]));
  }
  return { pages, digest: digest.digest('hex'), version: found?.version ?? '' };
}

/** Sources and bundle lie at different depths of the package. */
async function packageRoot(from: string): Promise<{ folder: string; version: string } | null> {
  for (let folder = from; ; folder = dirname(folder)) {
    const text = await ifThere(readFile(join(folder, 'package.json'), 'utf8'));
    const { name, version = '' } = text === null ? {} : (JSON.parse(text) as { name?: string; version?: string });
    if (name === 'lukhas') return { folder, version };
    if (folder === dirname(folder)) return null;
  }
}

async function markdownIn(folder: string): Promise<string[]> {
  const names = (await ifThere(readdir(folder, { recursive: true }))) ?? [];
  return names
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(folder, name));
}

async function ifThere<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** A page's parts as documents: what stands above its first section, and each section. */
export function pageDocuments({ name, title, text }: Page): Document[] {
  return sectionsOf(text).map(({ heading, body }) => {
    if (heading === null) return { id: `doc:${name}`, title, body };
    return { id: `doc:${name}#${anchor(heading)}`, title: `${title}: ${heading}`, body };
  });
}

/** Sections of the second level; a line within a code block is no heading. */
function sectionsOf(text: string): { heading: string | null; body: string }[] {
  const sections: { heading: string | null; lines: string[] }[] = [{ heading: null, lines: [] }];
  let code = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) code = !code;
    const heading = code ? undefined : /^## (.+)$/.exec(line)?.[1];
    if (heading !== undefined) sections.push({ heading, lines: [] });
    else if (code || !line.startsWith('# ')) sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ heading, lines }) => ({ heading, body: lines.join('\n').trim() }));
}

/** As GitHub makes the anchor of a heading. */
function anchor(heading: string): string {
  const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
  return plain.replace(/ /g, '-');
}
