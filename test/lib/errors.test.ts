import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ERRORS, type ErrorCode, EXIT, LukhasError } from '../../src/lib/errors.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CODES = Object.keys(ERRORS) as ErrorCode[];

/** Sections of the page that explain a code: heading, then text up to the next heading. */
function explained(): Map<string, string> {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  return new Map(
    [...page.matchAll(/^### ([A-Z_]+)\n(.*?)(?=^##|(?![\s\S]))/gms)].map(([, code, text]) => [code!, text!]),
  );
}

/** Source files but the one that declares the codes. */
function sources(): string[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && file !== join('lib', 'errors.ts'))
    .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'));
}

describe('errors', () => {
  it('are explained in docs/errors.md, each code and no other', () => {
    expect([...explained().keys()].sort()).to.deep.equal([...CODES].sort());
  });

  it('have the exit code that the page says, a typical message and what to do', () => {
    for (const [code, text] of explained()) {
      expect(text, code).to.match(/^\nExit code \d+\. \S/);
      expect(Number(/Exit code (\d+)/.exec(text)?.[1]), code).to.equal(ERRORS[code as ErrorCode].exit);
      expect(text, code).to.match(/^> `.+`\n\n\S/m);
    }
  });

  it('have the HTTP status that the page says', () => {
    const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
    const said = [...page.matchAll(/^\| (\d{3}) \|[^|\n]*\| (`.*) \|$/gm)].flatMap(([, status, codes = '']) =>
      [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => [code, Number(status)] as const),
    );
    expect(Object.fromEntries(said)).to.deep.equal(
      Object.fromEntries(CODES.map((code) => [code, ERRORS[code].status])),
    );
    expect(said).to.have.lengthOf(CODES.length);
  });

  it('are raised: a code that only comparisons name is dead', () => {
    const text = sources().join('\n');
    const dead = CODES.filter((code) => !new RegExp(`(?<![!=]== )'${code}'`).test(text));
    expect(dead).to.deep.equal([]);
  });

  it('carry the exit code of their code, unless another is given', () => {
    expect(new LukhasError('LEDGER_CORRUPT', 'x').exit).to.equal(EXIT.verification);
    expect(new LukhasError('USAGE', 'x', { exit: EXIT.internal }).exit).to.equal(EXIT.internal);
  });
});
