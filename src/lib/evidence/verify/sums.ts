import { refused } from '../formats/index.js';
import { type HashedFiles, UNSUMMED } from './files.js';

export interface Sum {
  name: string;
  /** Hex, lower case. */
  sha256: string;
}

/** Lines of sha256sum, one form only. @throws LukhasError VERIFICATION: which line cannot be read */
export function parseSums(bytes: Buffer): Sum[] {
  const text = bytes.toString('latin1');
  if (!text.endsWith('\n')) throw refused('SHA256SUMS: does not end in a newline');
  return text
    .slice(0, -1)
    .split('\n')
    .map((line, index) => {
      const [, sha256 = '', name = ''] = /^([0-9a-f]{64}) {2}([!-~]+)$/.exec(line) ?? [];
      if (name === '') throw refused(`SHA256SUMS: line ${index + 1} is not a digest, two spaces and a name`);
      return { name, sha256 };
    });
}

/** Files that SHA256SUMS lists wrongly, twice or not at all, and files whose digest is another, in words. */
export async function* sumsProblems(files: HashedFiles, sums: readonly Sum[]): AsyncGenerator<string> {
  const unlisted: readonly string[] = UNSUMMED;
  const expected = new Set(files.names.filter((name) => !unlisted.includes(name)));
  const listed = new Set<string>();
  for (const { name } of sums) {
    if (listed.has(name)) yield `SHA256SUMS: lists ${name} twice`;
    else if (!expected.has(name)) yield `SHA256SUMS: lists ${name}, which is not a file it covers`;
    listed.add(name);
  }
  for (const name of expected) if (!listed.has(name)) yield `SHA256SUMS: does not list ${name}`;
  for (const { name, sha256 } of sums) {
    if (expected.has(name) && (await files.digest(name)) !== sha256) {
      yield `${name}: digest does not match SHA256SUMS`;
    }
  }
}
