// Keeps words out of what a person reads that no engineer would say to a colleague: string literals of the source, the
// help, the documents. Comments are for people who read the code; they are not looked at here.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What is not said, and what is said instead. */
const FORBIDDEN = [
  [/\bmend(s|ed|ing)?\b/i, 'fix, repair'],
  [
    /(?<!\bthere )\b(is|are|was) no (?!longer\b|more\b|less\b|fewer\b|later\b|other\b|such\b|way\b|data\b)[a-z]+/i,
    'is not a ...; there is no ...',
  ],
  [/\bnothing says (which|what|who)\b/i, 'No X given'],
  [/\bkept[- ]back\b/i, 'blocked'],
  [/\bkeeps? (it|them|promotions?) back\b/i, 'blocks'],
  [/\btold\b/i, 'notified, reported, listed'],
  [/\banew\b/i, 'again'],
  [
    /\b(a|no|the|each|every|any|at|first|next|last|newest|one|two|after|before|by|per|\d+) looks?\b(?! (at|for|like|up|into))/i,
    'check',
  ],
  [/\blooks? (taken|were|was)\b/i, 'check'],
  [/\b(nobody|nothing) has (looked|been looked)\b/i, 'waiting for the first check'],
  [/\bthat (is|are) there already\b/i, 'already exists'],
  [/\bunder way\b/i, 'running, in progress'],
  [/\bdo(es)? not stay\b/i, 'return immediately'],
  [/\bbet that\b|\bwould have lost\b/i, 'evidence against it N:1 (rolls back at M:1)'],
  [/\bneither met nor missed\b/i, 'not enough traffic: needs N requests, this window sees M'],
  [/\bconsistent in itself\b/i, 'self-consistent; signer not verified (no --trust)'],
  [/\bnobody else\b/i, 'no hook or webhook was notified'],
  [/\b(is|are) to be (?!found\b)[a-z]+ed\b/i, 'active voice: "Run ..."'],
  [/\b(deeds?|hitherto|thereof|therein|whence|thither|betimes)\b/i, 'a word of today'],
  [/\bof its own accord\b|\bin spite of\b/i, 'by itself; despite'],
  [/\bwas asked for\b|\bis asked for\b|\bare asked for\b/i, 'requested'],
];

function files(folder, ending) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(root, folder, file));
}

/** Texts of a source file with the line each begins on: what has a space in it may be read by a person. */
function* texts(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node)) found.push([node, node.text]);
    if (ts.isTemplateExpression(node))
      found.push([node, [node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join('X')]);
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const [node, text] of found)
    if (text.includes(' ')) yield [source.getLineAndCharacterOfPosition(node.getStart()).line + 1, text];
}

/** Lines of a document that are prose, or what the product prints; code in another language is not. */
function* proseLines(file) {
  let fence = null;
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const [, language] = /^\s*```(\w*)/.exec(line) ?? [];
    if (language !== undefined) fence = fence === null ? language : null;
    else if (fence === null || ['', 'text', 'console', 'sh'].includes(fence))
      yield [i + 1, fence === null ? line.replace(/`[^`]*`/g, '') : line];
  }
}

let found = 0;
function check(file, line, text) {
  for (const [pattern, instead] of FORBIDDEN) {
    const [hit] = pattern.exec(text) ?? [];
    if (hit === undefined) continue;
    found++;
    console.error(`${relative(root, file)}:${line}: "${hit}": say "${instead}"`);
  }
}

for (const file of files('src', '.ts')) for (const [line, text] of texts(file)) check(file, line, text);
const documents = [
  join(root, 'README.md'),
  join(root, 'CHANGELOG.md'),
  join(root, 'CONTRIBUTING.md'),
  ...files('docs', '.md'),
];
for (const file of documents) for (const [line, text] of proseLines(file)) check(file, line, text);
for (const file of files('test/snapshots', '.txt'))
  for (const [line, text] of proseLines(file)) check(file, line, text);

if (found > 0) {
  console.error(`${found} places speak in words that the product does not use.`);
  process.exit(1);
}
